// The part of WorkerJobs that holds back the jobs of a task that is at a limit
// of its own.
#include <memory>
#include <utility>
#include <vector>

#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/task_gate.h"
#include "gearman/sdk/internal/worker/worker_jobs.h"

namespace gearman {
namespace internal {

void WorkerJobs::HoldBack(HeldJob* job) {
  job->held_back = true;
  job->task->gate->held_back.PushBack(*job);
  job->task->gate->CountHeldBack(1);
  ++held_back_;
}

void WorkerJobs::TakeHeldBack(HeldJob* job) {
  job->held_back = false;
  job->ListLink<OfQueueTag>::Unlink();
  job->task->gate->CountHeldBack(-1);
  --held_back_;
}

void WorkerJobs::StopWorking(HeldJob* job) {
  job->working = false;
  if (job->state == HeldJob::State::kEnded) LeaveGate(job);
}

void WorkerJobs::LeaveGate(HeldJob* job) {
  if (!job->counted || job->working) return;
  job->counted = false;
  TaskGate& gate = *job->task->gate;
  gate.End();
  if (gate.limited() || gate.holds_back()) Stir(job->task->gate);
}

void WorkerJobs::Stir(const std::shared_ptr<TaskGate>& gate) {
  if (std::exchange(gate->stirred, true)) return;
  stirred_.push_back(gate);
}

void WorkerJobs::LetStirredBegin() {
  looked_at_.swap(stirred_);
  for (const std::shared_ptr<TaskGate>& gate : looked_at_) {
    gate->stirred = false;
    while (gate->AdmitsHeldBack()) {
      const HeldJobPtr job = gate->held_back.front().self;
      TakeHeldBack(job.get());
      Enqueue(job);
    }
    servers_->NoteRoom(*gate);
  }
  looked_at_.clear();
  HandOut();
}

}  // namespace internal
}  // namespace gearman
