// StopToken: tells a handler that its work has become pointless.
//
// A token fires once, for the first of these reasons: the task's time limit,
// the limit of Worker::Drain, the loss of the job's connection, Worker::Stop. A
// handler that goes on does no harm: its result is dropped and counted.
//
// A token is cheap to copy and may outlive the job and the worker. It is
// thread-safe.
//
// With concurrency 1 the handler occupies the thread that does the I/O and
// watches the timers. Therefore a token that is asked on that thread does some
// I/O and checks the timers first, at most once a millisecond.
#ifndef GEARMAN_SDK_STOP_TOKEN_H_
#define GEARMAN_SDK_STOP_TOKEN_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "gearman/base/duration.h"
#include "gearman/sdk/stop_reason.h"

namespace gearman {

namespace internal {
struct Access;
class StopState;
}  // namespace internal

class StopToken {
 public:
  // Makes a token that never fires.
  StopToken() = default;

  // Whether the token has fired.
  bool stop_requested() const;
  // Why the token has fired. StopReason::kNone if it has not.
  StopReason reason() const;

  // Waits until the token fires, or for `limit`. Returns true if the token has
  // fired. A handler should wait in this way: on the thread in Worker::Run the
  // I/O goes on meanwhile, and the limit is measured on the worker's clock. On
  // another thread the function only sleeps.
  bool WaitFor(Duration limit) const;

  // Calls `callback` when the token fires, on the thread in Worker::Run, with
  // no lock held. If the token has fired already, calls it on this thread. An
  // exception from it is ignored. A callback can't be withdrawn. If it was not
  // called, it is destroyed when the job has ended.
  void OnStop(absl::AnyInvocable<void()> callback) const;

 private:
  friend struct internal::Access;

  explicit StopToken(std::shared_ptr<internal::StopState> state)
      : state_(std::move(state)) {}

  std::shared_ptr<internal::StopState> state_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_STOP_TOKEN_H_
