// Prefetch decides how many jobs a worker may hold and ask for.
//
// Every job that waits here is one that no other worker can do. So beyond the
// free handlers a worker takes only jobs that it will have begun within
// max_wait:
//
//   ahead = min(max_jobs,
//               max_wait * concurrency / expected cost of a job,
//               twice the jobs done since the last slow one,
//               number of jobs that fit into max_bytes)
//
// The third term makes the number grow from zero, doubling with each round, so
// that one lucky measurement does not fetch a hoard. A task that was never
// measured counts as slow. After a pause longer than max_wait the number grows
// from zero again: the next jobs may be of another kind, and a worker that
// asked for 128 tiny jobs would get 128 slow ones.
//
// Pure: no clock, no I/O. It belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_PREFETCH_H_
#define GEARMAN_SDK_INTERNAL_WORKER_PREFETCH_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "gearman/sdk/internal/job/job_cost.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

class Prefetch {
 public:
  // The work that the worker has at this moment.
  struct Load {
    int outstanding = 0;     // grabs without an answer
    int waiting = 0;         // jobs received and not begun
    int running = 0;         // jobs that occupy a handler
    int64_t waiting_ns = 0;  // expected cost of the waiting jobs
    size_t held_bytes = 0;   // payloads of all jobs held
  };

  Prefetch(const PrefetchOptions& options, int concurrency);

  // The expected cost of a job of a task, in nanoseconds.
  int64_t Expected(const JobCost& task) const {
    return task.known() ? task.expected_ns() : unknown_ns();
  }
  // A job expected to take so long is slow: answers must not wait for it.
  static constexpr int64_t kSlowNs = 1000000;

  // Notes that a job with this payload has been received.
  void OnAssigned(size_t bytes);
  // Notes that a job of this task has occupied a handler for this long.
  void OnDone(JobCost* task, int64_t ns);

  // True if the jobs that come are known not to be slow.
  bool quick() const { return mix_.known() && mix_.expected_ns() < kSlowNs; }

  // Notes that no job was running for `length`.
  void OnPause(absl::Duration length) {
    if (length > options_.max_wait) fast_in_a_row_ = 0;
  }

  // The number of jobs that may be waiting or asked for.
  int Target(const Load& load) const;
  // The number of grabs that may be sent now. Grabs that are not needed at
  // once, and would be a write of their own (`alone`), are sent in bundles of
  // at least half the target.
  int Room(const Load& load, bool alone) const;
  // The number of grabs whose jobs fit into `bytes` together with the jobs
  // held, if each is as large as the largest of late. One grab is always
  // allowed if nothing is held or asked for.
  int RoomInMemory(const Load& load, size_t bytes) const;

 private:
  int64_t unknown_ns() const;

  const PrefetchOptions options_;
  const int concurrency_;
  const int64_t budget_ns_;  // handler time within which a job is begun
  JobCost mix_;              // all tasks, in the order of their jobs
  int64_t fast_in_a_row_ = 0;
  double job_bytes_ = 0;  // moving mean of the payload size
  // The largest payload of late. It shrinks with each smaller job.
  double large_bytes_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_PREFETCH_H_
