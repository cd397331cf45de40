// A submission whose end is told exactly once, whatever becomes of it: the
// ground of sdk/futures.h and sdk/coroutines.h.
#ifndef GEARMAN_SDK_CLIENT_TOLD_CALL_H_
#define GEARMAN_SDK_CLIENT_TOLD_CALL_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/request/end_listener.h"
#include "gearman/sdk/job_request.h"

namespace gearman {
namespace internal {

// Hears of one submission. Its request owns it, with others.
class CallListener : public EndListener {
 public:
  // The request is finished. The client calls this exactly once, on the thread
  // that does the I/O or, if the job was refused at once, on the thread that
  // submits. `end` is the result, or the error that says why there is none. It
  // is the empty text for a background job that a server has accepted.
  virtual void OnEnd(absl::StatusOr<std::string> end) = 0;

  // Tells the end once, unless the request has been submitted again.
  void OnSubmissionEnd(const JobRequest& request) final;

 private:
  std::atomic<bool> ended_{false};
};

// Makes a request for SubmitTold. The callbacks of `spec` are also called:
// on_complete comes before OnEnd, unless the job is refused at once.
JobRequest MakeTold(JobSpec&& spec, Ref<CallListener> listener);

// Submits new requests that MakeTold has made, in order, in as few writes as
// possible.
void SubmitTold(Client& client, absl::Span<const JobRequest> requests);

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
