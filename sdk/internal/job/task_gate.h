// TaskGate decides whether another job of one task may begin: whether the task
// is paused, and the limits of TaskOptions. Jobs that came and may not begin yet
// are held back here.
//
// All registrations of one task share its gate, so that a task that is
// registered again is still paused, and counts the jobs that run already. Any
// thread may pause it and ask whether it is paused. The rest belongs to the
// worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_JOB_TASK_GATE_H_
#define GEARMAN_SDK_INTERNAL_JOB_TASK_GATE_H_

#include <atomic>

#include "gearman/base/intrusive_list.h"
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
  void SetLimits(const TaskOptions& options) {
    max_running_ = options.max_running;
  }
  // True if the task has a limit of its own.
  static bool Limits(const TaskOptions& options) {
    return options.max_running > 0;
  }
  bool limited() const { return max_running_ > 0; }

  // True if a job that has just come may begin. It waits behind those that are
  // held back.
  bool Admits() const { return held_back_ == 0 && MayBegin(); }
  // True if the first of those held back may begin.
  bool AdmitsHeldBack() const { return held_back_ > 0 && MayBegin(); }
  // Counts a job that is admitted, and one that has ended.
  void Begin() { ++running_; }
  void End() { --running_; }
  // Undoes Begin: the task was paused before the job's handler was called.
  void TakeBack() { --running_; }
  // The number of jobs that may begin now, beside those that are held back. Use
  // it for a task with a limit.
  int Room() const {
    return paused() ? 0 : max_running_ - running_ - held_back_;
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
  // WorkerJobs' own: it is in the list of gates to look at.
  bool stirred = false;

 private:
  bool MayBegin() const {
    return !paused() && (max_running_ == 0 || running_ < max_running_);
  }

  std::atomic<bool> paused_{false};
  int max_running_ = 0;  // 0: no limit
  int running_ = 0;
  int held_back_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_TASK_GATE_H_
