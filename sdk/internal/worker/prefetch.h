// Prefetch: how many jobs a worker may hold and ask for.
//
// Every job that waits here is one that no other worker can do, so beyond the
// free handlers a worker takes only what it will have begun within max_wait:
//
//   ahead = min(max_jobs,
//               max_wait * concurrency / what a job costs,
//               twice the jobs done since the last slow one,
//               what fits into max_bytes)
//
// The third term makes it grow from none, doubling with each round, so that one
// lucky measurement takes no hoard; and a task never measured counts as slow.
// It begins again after a pause longer than max_wait: what comes then may be
// something else, and whoever asked for 128 tiny jobs would get as many slow
// ones.
//
// Pure: no clock, no I/O. Belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_PREFETCH_H_
#define GEARMAN_SDK_INTERNAL_WORKER_PREFETCH_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "gearman/sdk/internal/worker/job_cost.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

class Prefetch {
 public:
  // What the worker has at this moment.
  struct Load {
    int outstanding = 0;     // grabs not answered
    int waiting = 0;         // jobs received and not begun
    int running = 0;         // jobs that occupy a handler
    int64_t waiting_ns = 0;  // what the waiting ones cost, as Expected said
    size_t held_bytes = 0;   // payloads of all jobs held
  };

  Prefetch(const PrefetchOptions& options, int concurrency);

  // What a job of a task is expected to cost.
  int64_t Expected(const JobCost& task) const {
    return task.known() ? task.expected_ns() : unknown_ns();
  }
  // Expected to take so long that answers must not wait for it.
  static constexpr int64_t kSlowNs = 1000000;

  // A job with this payload has been received.
  void OnAssigned(size_t bytes);
  // A job of this task has occupied a handler for this long.
  void OnDone(JobCost* task, int64_t ns);

  // The jobs that come are known not to be slow.
  bool quick() const { return mix_.known() && mix_.expected_ns() < kSlowNs; }

  // Nothing was done for a while, or is being done.
  void OnPause(absl::Duration length) {
    if (length > options_.max_wait) fast_in_a_row_ = 0;
  }

  // How many jobs may be waiting or asked for.
  int Target(const Load& load) const;
  // How many grabs may be sent now. Grabs that only top up and would be a write
  // of their own (`alone`) come in bundles, half the target at least.
  int Room(const Load& load, bool alone) const;
  // How many grabs may be sent so that their jobs, if they are as large as the
  // largest of late, fit into `bytes` with those held. One always may when
  // nothing is held or asked for.
  int RoomInMemory(const Load& load, size_t bytes) const;

 private:
  int64_t unknown_ns() const;

  const PrefetchOptions options_;
  const int concurrency_;
  const int64_t budget_ns_;  // of handler time, in which a job is begun
  JobCost mix_;              // of all tasks, as they come
  int64_t fast_in_a_row_ = 0;
  double job_bytes_ = 0;  // moving mean
  // The largest payload of late; it shrinks with each job that is smaller.
  double large_bytes_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_PREFETCH_H_
