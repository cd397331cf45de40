// StopToken: tells a handler that its work has become pointless.
//
// It fires once, on what comes first: the task's time limit, the limit of
// Worker::Drain, the loss of the job's connection, Worker::Stop. A handler that
// goes on all the same harms nobody: its result is dropped and counted.
//
// Cheap to copy; may outlive the job and the worker. Thread-safe.
//
// With concurrency 1 the handler occupies the thread that would notice all
// this. So a token that is asked by that thread looks first: it moves bytes,
// and sees to time limits, at most once a millisecond.
#ifndef GEARMAN_SDK_STOP_TOKEN_H_
#define GEARMAN_SDK_STOP_TOKEN_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {

namespace internal {
class StopState;
}  // namespace internal

enum class StopReason : unsigned char {
  kNone,            // it has not fired
  kTimeLimit,       // TaskOptions::time_limit
  kDrainLimit,      // of Worker::Drain
  kConnectionLost,  // the server will give the job to another worker
  kStopped,         // Worker::Stop
};

// "none", "time limit", "drain limit", "connection lost" or "stopped".
absl::string_view StopReasonName(StopReason reason);

class StopToken {
 public:
  // Never fires.
  StopToken() = default;

  // Whether it has fired.
  bool stop_requested() const;
  // Why it has fired.
  StopReason reason() const;

  // Sleeps until it fires or for `limit`: a handler's way to wait. True when it
  // has fired. On the thread in Worker::Run the I/O goes on meanwhile (and the
  // limit is measured on the worker's clock); else it just sleeps.
  bool WaitFor(absl::Duration limit) const;

  // Calls `callback` when it fires: on the thread in Worker::Run, with no lock
  // held; at once when it has fired already. What it throws is ignored. A
  // callback can't be taken back; it is destroyed, uncalled, when the job has
  // ended.
  void OnStop(std::function<void()> callback) const;

  // For the SDK.
  explicit StopToken(std::shared_ptr<internal::StopState> state)
      : state_(std::move(state)) {}

 private:
  std::shared_ptr<internal::StopState> state_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_STOP_TOKEN_H_
