// StopState is the state that the stop tokens of one job share.
//
// The worker's I/O thread fires it. Any thread may ask it.
#ifndef GEARMAN_SDK_INTERNAL_JOB_STOP_STATE_H_
#define GEARMAN_SDK_INTERNAL_JOB_STOP_STATE_H_

#include <atomic>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/stop_reason.h"

namespace gearman {
namespace internal {

struct Message;

// The worker whose I/O thread is occupied by a handler. When the handler gives
// it a chance, the worker does its I/O.
class HandlerHost {
 public:
  // Moves bytes and handles timers. Waits for work until `until` at most. If
  // `until` is past it does not wait, and returns at once if it was called a
  // moment ago.
  virtual void Look(absl::Time until) = 0;
  virtual absl::Time Now() = 0;
  // True in a child made by fork, where Look does nothing useful.
  virtual bool gone() const = 0;
  // Sends an update of the handler's job. Its results are those of
  // Mailbox::PostUpdate. While there is no room it does its I/O.
  virtual absl::Status SendUpdate(Message message, bool may_wait) = 0;

 protected:
  ~HandlerHost() = default;
};

class StopState {
 public:
  using Callback = absl::AnyInvocable<void()>;
  using Callbacks = std::vector<Callback>;

  StopState() = default;
  StopState(const StopState&) = delete;
  StopState& operator=(const StopState&) = delete;

  // Fires, unless it has fired. Runs the callbacks on this thread.
  void Fire(StopReason reason) ABSL_LOCKS_EXCLUDED(mutex_);
  // Like Fire, but appends the callbacks to `callbacks`, for CallAll.
  void FireOnly(StopReason reason, Callbacks* callbacks)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls each callback and ignores exceptions.
  static void CallAll(Callbacks callbacks);
  // Drops the callbacks, because the job has ended.
  void End() ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes the state new, for another job. No token may refer to it.
  void Reset();

  StopReason reason() const { return reason_.load(std::memory_order_acquire); }
  bool fired() const { return reason() != StopReason::kNone; }
  // The functions of StopToken do this.
  StopReason LookAndTell();
  bool WaitFor(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnStop(Callback callback) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sets the worker while the handler runs on the I/O thread. Only this thread
  // sees it.
  void set_host(HandlerHost* host) {
    if (host != nullptr) {
      host_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    host_.store(host, std::memory_order_release);
  }
  HandlerHost* host() const {
    HandlerHost* const host = host_.load(std::memory_order_acquire);
    return host != nullptr && host_thread_.load(std::memory_order_relaxed) ==
                                  std::this_thread::get_id()
               ? host
               : nullptr;
  }

 private:
  std::atomic<StopReason> reason_{StopReason::kNone};
  std::atomic<bool> ended_{false};
  std::atomic<bool> has_callbacks_{false};
  std::atomic<HandlerHost*> host_{nullptr};
  std::atomic<std::thread::id> host_thread_{};
  absl::Mutex mutex_;
  Callbacks callbacks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_STOP_STATE_H_
