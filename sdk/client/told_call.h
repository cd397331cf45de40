// A submission whose end is told exactly once, whatever becomes of it: the
// ground of sdk/futures.h and sdk/coroutines.h.
#ifndef GEARMAN_SDK_CLIENT_TOLD_CALL_H_
#define GEARMAN_SDK_CLIENT_TOLD_CALL_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/job_request.h"

namespace gearman {
namespace internal {

// Hears of one submission.
class CallListener {
 public:
  virtual ~CallListener() = default;
  CallListener() = default;
  CallListener(const CallListener&) = delete;
  CallListener& operator=(const CallListener&) = delete;

  // The request is finished. The client calls this exactly once, on the thread
  // that does the I/O or, if the job was refused at once, on the thread that
  // submits. `end` is the result, or the error that says why there is none. It
  // is the empty text for a background job that a server has accepted.
  virtual void OnEnd(absl::StatusOr<std::string> end) = 0;

 private:
  friend class ToldCall;
  std::atomic<bool> ended_{false};
};

class ToldCall {
 public:
  // Submits the job. The callbacks of `spec` are called, too, on_complete
  // before OnEnd unless the job is refused at once.
  static JobRequest Submit(Client& client, JobSpec spec,
                           std::shared_ptr<CallListener> listener);
  // Submits many jobs, in order, in as few writes as possible. There are as
  // many listeners as jobs.
  static std::vector<JobRequest> SubmitAll(
      Client& client, std::vector<JobSpec> specs,
      const std::vector<std::shared_ptr<CallListener>>& listeners);

 private:
  static void Attach(const std::shared_ptr<CallListener>& listener,
                     JobCallbacks* callbacks);
  // Tells the end of a request that was refused at once.
  static void TellIfRefused(const JobRequest& request, CallListener* listener);
  static void Tell(const JobRequest& request, CallListener* listener);
};

// Calls functions of the user until it is closed. When Close has returned, none
// of them is running or will be called, except one that is itself in Close.
class CallGate {
 public:
  template <typename Function>
  void Call(const Function& function) {
    if (!Enter()) return;
    const Leaver leaver{this};
    function();
  }
  void Close();

 private:
  struct Leaver {
    ~Leaver() { gate->Leave(); }
    CallGate* const gate;
  };
  bool Enter();
  void Leave();

  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  // The thread that is in Call, or null. A client calls the callbacks of one
  // request one after the other.
  const void* inside_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

// Lets the callbacks run through the gate, so that they end with it.
void GuardCallbacks(const std::shared_ptr<CallGate>& gate,
                    JobCallbacks* callbacks);

// Returns an address that no other live thread has.
const void* ThisThread();

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_CLIENT_TOLD_CALL_H_
