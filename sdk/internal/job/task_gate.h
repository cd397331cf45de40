// TaskGate decides whether another job of one task may begin: whether the task
// is paused, and the limits of TaskOptions. Jobs that came and may not begin
// yet are held back here.
//
// All registrations of one task share its gate, so that a task that is
// registered again is still paused, and counts the jobs that run already. Any
// thread may pause it and ask whether it is paused. The rest belongs to the
// worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_JOB_TASK_GATE_H_
#define GEARMAN_SDK_INTERNAL_JOB_TASK_GATE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/base/optimization.h"
#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/sdk/internal/job/token_bucket.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace internal {

struct GrabLane;
struct HeldJob;
struct OfQueueTag;

class TaskGate {
 public:
  void set_paused(bool paused) {
    paused_.store(paused, std::memory_order_release);
  }
  bool paused() const { return paused_.load(std::memory_order_acquire); }

  // Takes over the limits of the task's latest registration.
  void SetLimits(const TaskOptions& options, absl::Time now) {
    max_running_ = options.max_running;
    weight_ = options.weight;
    bucket_.SetRate(options.rate, now);
    Refresh(now);
  }
  // True if the task has a limit of its own.
  bool limited() const { return max_running_ > 0 || bucket_.limited(); }
  // True if grabs for the task need connections of its own.
  bool needs_lane() const { return limited() || weight_ > 0; }
  // The task's share of the grabs of its worker, at least 1.
  int weight() const { return std::max(weight_, 1); }
  // Counts the tokens anew. Until then the gate may know fewer than there are.
  // If it knows none, call it at next_token().
  void Refresh(absl::Time now) { tokens_ = bucket_.Tokens(now); }
  absl::Time next_token() const {
    return tokens_ > 0 ? absl::InfiniteFuture() : bucket_.next();
  }

  // True if a job that has just come may begin. It waits behind those that are
  // held back.
  bool Admits() const { return held_back_ == 0 && MayBegin(); }
  // True if the first of those held back may begin.
  bool AdmitsHeldBack() const { return held_back_ > 0 && MayBegin(); }
  // Counts a job that is admitted, and one that has ended.
  void Begin(absl::Time now) {
    ++running_;
    if (!bucket_.limited()) return;
    bucket_.Take(now);
    Refresh(now);
  }
  void End() { --running_; }
  // Undoes Begin: the task was paused before the job's handler was called.
  void TakeBack() {
    --running_;
    if (!bucket_.limited()) return;
    bucket_.PutBack();
    // The bucket may have become full since.
    tokens_ = std::min(tokens_ + 1, bucket_.burst());
  }
  // The number of jobs that may begin now, beside those that are held back. Use
  // it for a task with a limit.
  int Room() const {
    if (paused()) return 0;
    const int room = max_running_ == 0 ? std::numeric_limits<int>::max()
                                       : max_running_ - running_;
    return std::min(room, tokens_) - held_back_;
  }

  // The jobs held back, in the order in which they came. Those that had been
  // admitted go first. Call CountHeldBack for each that comes (1) and leaves
  // (-1).
  IntrusiveList<HeldJob, OfQueueTag> admitted;
  IntrusiveList<HeldJob, OfQueueTag> held_back;
  void CountHeldBack(int more) { held_back_ += more; }
  bool holds_back() const { return held_back_ > 0; }

  // WorkerServers' own: the lane of this task, or null if it has none.
  GrabLane* lane = nullptr;
  // WorkerJobs' own. The gate is in the list of gates to look at.
  bool stirred = false;
  // When it is looked at because a token comes. InfiniteFuture: not for that.
  absl::Time timer = absl::InfiniteFuture();
  // Not null while it has a timer.
  std::shared_ptr<TaskGate> self;
  // Timers of equal times come in this order.
  uint64_t timer_number = 0;

 private:
  bool MayBegin() const {
    return !paused() && tokens_ > 0 &&
           (max_running_ == 0 || running_ < max_running_);
  }

  int max_running_ = 0;  // 0: no limit
  int weight_ = 0;       // TaskOptions::weight
  int running_ = 0;
  int held_back_ = 0;
  TokenBucket bucket_;
  int tokens_ = std::numeric_limits<int>::max();
  // Handler threads read it for each job, while the I/O thread writes the rest.
  ABSL_CACHELINE_ALIGNED std::atomic<bool> paused_{false};
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_TASK_GATE_H_
