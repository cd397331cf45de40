// The part of WorkerJobs that holds back the jobs of a task that is paused or
// at a limit of its own.
#include <memory>
#include <utility>
#include <vector>

#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/task_gate.h"
#include "gearman/sdk/internal/worker/worker_jobs.h"

namespace gearman {
namespace internal {

WorkerJobs::~WorkerJobs() {
  while (TaskGate* const gate = tokens_.Pop(absl::InfiniteFuture())) {
    gate->timer = absl::InfiniteFuture();
    gate->self = nullptr;
  }
}

void WorkerJobs::SetLimits(const Task& task, absl::Time now) {
  TaskGate& gate = *task.gate;
  gate.SetLimits(task.options, now);
  if (task.async_handler) has_asynchronous_ = true;
  StopAwaitingToken(&gate);
  AwaitToken(task.gate);
  Stir(task.gate);
}

void WorkerJobs::AwaitToken(const std::shared_ptr<TaskGate>& gate) {
  if (gate->timer != absl::InfiniteFuture()) return;
  gate->timer = gate->next_token();
  if (gate->timer == absl::InfiniteFuture()) return;
  gate->self = gate;
  gate->timer_number = ++last_timer_;
  tokens_.Add(gate->timer, gate.get());
}

void WorkerJobs::StopAwaitingToken(TaskGate* gate) {
  tokens_.Remove(std::exchange(gate->timer, absl::InfiniteFuture()), gate);
  gate->self = nullptr;
}

void WorkerJobs::OnTokens(absl::Time now) {
  while (TaskGate* const due = tokens_.Pop(now)) {
    const std::shared_ptr<TaskGate> gate = std::move(due->self);
    gate->timer = absl::InfiniteFuture();
    gate->Refresh(now);
    AwaitToken(gate);
    Stir(gate);
  }
}

void WorkerJobs::HoldBack(HeldJob* job) {
  TaskGate& gate = *job->task->gate;
  job->held_back = true;
  CountMayPend(job, false);
  if (std::exchange(job->counted, false)) {
    gate.TakeBack();
    gate.admitted.PushBack(*job);
    // The task may have been resumed meanwhile.
    Stir(job->task->gate);
    servers_->Touch(*job->link);
  } else {
    gate.held_back.PushBack(*job);
  }
  gate.CountHeldBack(1);
  ++job->link->session->held_back;
  ++held_back_;
}

void WorkerJobs::TakeHeldBack(HeldJob* job) {
  job->held_back = false;
  job->ListLink<OfQueueTag>::Unlink();
  job->task->gate->CountHeldBack(-1);
  --job->link->session->held_back;
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

bool WorkerJobs::HoldsBackAll(WorkerLink& link) {
  WorkerLinkSession& session = *link.session;
  if (session.held_back == 0 || session.held_back != session.held()) {
    return false;
  }
  for (const HeldJob& job : session.jobs) {
    if (!job.task->gate->paused()) return false;
  }
  return true;
}

void WorkerJobs::Stir(const std::shared_ptr<TaskGate>& gate) {
  if (std::exchange(gate->stirred, true)) return;
  stirred_.push_back(gate);
}

void WorkerJobs::LetStirredBegin(absl::Time now) {
  looked_at_.swap(stirred_);
  for (const std::shared_ptr<TaskGate>& gate : looked_at_) {
    gate->stirred = false;
    while (gate->AdmitsHeldBack()) {
      const HeldJobPtr job =
          (gate->admitted.empty() ? gate->held_back : gate->admitted)
              .front()
              .self;
      TakeHeldBack(job.get());
      Enqueue(job, now);
    }
    servers_->NoteRoom(*gate);
  }
  looked_at_.clear();
  HandOut();
}

}  // namespace internal
}  // namespace gearman
