// HeldJob: a job that a server gave to this worker and that has not been
// answered, or whose handler has not come to its end.
//
// Shared by its connection's list, whoever works on it, and its stop tokens.
// Fields are grouped by the thread they belong to.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_H_
#define GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/worker/job_hooks.h"
#include "gearman/sdk/internal/worker/stop_state.h"
#include "gearman/sdk/internal/worker/task.h"
#include "gearman/sdk/job.h"

namespace gearman {
namespace internal {

class Mailbox;

// A job's data, kept for its result because its server knows no WORK_DATA.
struct KeptData {
  std::string data;
  // Not OK: more data came than can be kept.
  absl::Status error;
};

struct HeldJob {
  enum class State : unsigned char {
    kWaiting,  // not begun
    kRunning,  // its handler runs, or it is pending
    kEnded,    // answered, or lost: nothing is sent for it any more
  };

  // Set before anybody else sees it.
  Job job;
  std::string reducer;
  std::shared_ptr<Task> task;
  std::shared_ptr<Mailbox> mailbox;
  std::unique_ptr<JobHooks> hooks;  // null: nobody observes or intercepts
  int link = 0;
  // The job's server knows WORK_DATA and WORK_WARNING.
  bool carries_updates = true;
  // Memory for a job's data, while no job has it (HeldJobPool).
  std::shared_ptr<std::string> spare_data;

  // Set by the thread that runs the handler, before it does.
  absl::Time started = absl::InfinitePast();
  absl::Time deadline = absl::InfiniteFuture();

  // Of the asynchronous kind: the thread in the handler's call, and whether the
  // call dropped the job.
  std::atomic<std::thread::id> calling{std::thread::id()};
  bool dropped = false;

  // Any thread. `ended`: as kEnded, for those who would send something.
  StopState stop;
  std::atomic<bool> ended{false};
  // Something about it has been posted to the mailbox by who does it.
  std::atomic<bool> posted{false};

  // The I/O thread.
  State state = State::kWaiting;
  bool pending = false;  // asynchronous, begun, not finished
  size_t index = 0;      // in its connection's list
  int64_t expected_ns = 0;
  absl::Time assigned = absl::InfinitePast();
  absl::Time timer = absl::InfiniteFuture();
  std::unique_ptr<KeptData> kept;  // null: none
};

using HeldJobPtr = std::shared_ptr<HeldJob>;

// Calls the handler of a job of the synchronous kind; what it throws becomes a
// JobException.
absl::StatusOr<std::string> CallHandler(const HeldJobPtr& job);
// The same of the asynchronous kind. OK: somebody has the PendingJob, or has
// finished it. Else the handler threw, or dropped it (then `*forgotten`).
absl::Status CallAsyncHandler(const HeldJobPtr& job, bool* forgotten);
// A PendingJob of this job is dropped. True: that happened inside the handler's
// call, which answers for it.
bool DroppedInHandler(HeldJob* job);

// UNIMPLEMENTED: the error for a WORK_WARNING of this job where
// `carries_updates` is false.
absl::Status NoWarnings(const HeldJob& job);

// What a handler's error status is answered with.
enum class ErrorAnswer : unsigned char { kFail, kException };
struct ErrorText {
  ErrorAnswer answer;
  std::string text;
};
ErrorText AnswerOf(const absl::Status& error);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_HELD_JOB_H_
