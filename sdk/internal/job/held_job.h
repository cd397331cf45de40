// HeldJob is a job that a server gave to this worker and that has not been
// answered, or whose handler has not ended.
//
// The worker holds it until it is answered (`self`). The thread that works on
// it and its stop tokens share it. Fields are grouped by the thread they belong
// to.
#ifndef GEARMAN_SDK_INTERNAL_JOB_HELD_JOB_H_
#define GEARMAN_SDK_INTERNAL_JOB_HELD_JOB_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/body_source.h"
#include "gearman/sdk/internal/job/job_hooks.h"
#include "gearman/sdk/internal/job/stop_state.h"
#include "gearman/sdk/internal/job/task.h"
#include "gearman/sdk/job.h"

namespace gearman {
namespace internal {

class Mailbox;
template <typename Session>
struct Link;
class WorkerLinkSession;
// A connection of a worker (worker_servers.h).
using WorkerLink = Link<WorkerLinkSession>;

// A job's data, kept for its result because its server knows no WORK_DATA.
struct KeptData {
  std::string data;
  // Not OK: more data came than can be kept.
  absl::Status error;
};

struct HeldJob;
using HeldJobPtr = std::shared_ptr<HeldJob>;

struct OfLinkTag;
struct OfQueueTag;

struct HeldJob : ListLink<OfLinkTag>, ListLink<OfQueueTag> {
  enum class State : unsigned char {
    kWaiting,  // not begun
    kRunning,  // its handler runs, or it is pending
    kEnded,    // answered, or lost: nothing is sent for it any more
  };

  // Set before any other thread sees the job.
  Job job;
  std::string reducer;
  std::shared_ptr<Task> task;
  std::shared_ptr<Mailbox> mailbox;
  std::unique_ptr<JobHooks> hooks;  // null: nobody observes or intercepts
  Poller::Key connection = 0;       // the key of the connection it came over
  // The job's server knows WORK_DATA and WORK_WARNING.
  bool carries_updates = true;
  // Memory for a job's data, while no job uses it (HeldJobPool).
  std::shared_ptr<std::string> spare_data;

  // Belongs to the thread that runs the handler, then to the owner of the
  // pending job: the job with changed data. Null: the job is as it came.
  std::unique_ptr<const Job> seen;

  // Set by the thread that runs the handler, before it does.
  absl::Time started = absl::InfinitePast();
  absl::Time deadline = absl::InfiniteFuture();

  // Set by the thread that works on the job, before its answer: the source of
  // the rest of the result. Null: there is none.
  std::shared_ptr<BodySource> body;

  // For an asynchronous handler: the thread in the handler's call, and whether
  // the call dropped the job.
  std::atomic<std::thread::id> calling{std::thread::id()};
  bool dropped = false;

  // Any thread. `ended` is set with State::kEnded, for threads that send
  // updates.
  StopState stop;
  std::atomic<bool> ended{false};
  // The thread that works on the job has posted a message about it.
  std::atomic<bool> posted{false};

  // Used by the I/O thread only.
  State state = State::kWaiting;
  HeldJobPtr self;  // the worker's own reference; null: it has ended
  WorkerLink* link =
      nullptr;             // the connection it came over; null: it has ended
  bool pending = false;    // asynchronous, begun, not finished
  bool may_pend = false;   // WorkerJobs::may_pend_ counts it
  bool held_back = false;  // by the task's gate
  // The task's gate counts it among the jobs that run.
  bool counted = false;
  // The pool has it, or its handler is called on the I/O thread.
  bool working = false;
  int64_t expected_ns = 0;
  absl::Time assigned = absl::InfinitePast();
  absl::Time timer = absl::InfiniteFuture();
  std::unique_ptr<KeptData> kept;  // null: none
};

// The jobs of one connection that were not answered.
using JobsOfLink = IntrusiveList<HeldJob, OfLinkTag>;
// Jobs that wait to run on the I/O thread.
using JobQueue = IntrusiveList<HeldJob, OfQueueTag>;

// Call it when a PendingJob of this job is dropped. Returns true if that
// happens inside the handler's call, which then answers the job.
bool DroppedInHandler(HeldJob* job);

// UNIMPLEMENTED: the error for a WORK_WARNING of this job if `carries_updates`
// is false.
absl::Status NoWarnings(const HeldJob& job);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_HELD_JOB_H_
