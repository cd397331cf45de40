// The part of WorkerCore that takes requests of other threads to its loop.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/worker/check_options.h"
#include "gearman/sdk/internal/worker/worker_core.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

namespace {

// The bytes of an unknown order that its error repeats.
constexpr size_t kMostOfAnOrder = 100;

absl::Status NotRegistered(absl::string_view task) {
  return absl::NotFoundError(
      absl::StrCat("task \"", SafeText(task), "\" is not registered"));
}

}  // namespace

// --- asked by other threads --------------------------------------------------

absl::Status WorkerCore::Register(std::shared_ptr<Task> task) {
  task->function = absl::StrCat(options_.task_prefix, task->name);
  absl::Status status = CheckTask(*task);
  if (!status.ok()) return status;
  if (!task->name.empty() && task->name == options_.control_task) {
    return absl::InvalidArgumentError(
        absl::StrCat("task \"", SafeText(task->name),
                     "\" is for this worker's orders: "
                     "WorkerOptions::control_task names it"));
  }
  if (task->options.announce_time_limit) {
    task->announced_ms = AnnouncedMs(task->options);
  }
  if (metrics_ != nullptr) task->metrics = metrics_->ForTask(task->name);
  {
    // The replaced task is destroyed without the lock, because the destructors
    // of its handler's objects may call the worker.
    std::shared_ptr<Task> before;
    absl::MutexLock lock(&mutex_);
    task_changes_.Note(task->function);
    gates_.Share(task.get());
    before = tasks_.Put(std::move(task));
  }
  Ask();
  return absl::OkStatus();
}

absl::Status WorkerCore::Unregister(absl::string_view name) {
  const std::string function = absl::StrCat(options_.task_prefix, name);
  {
    std::shared_ptr<Task> before;  // destroyed without the lock, as in Register
    absl::MutexLock lock(&mutex_);
    if (name == options_.control_task) return NotRegistered(name);
    before = tasks_.Remove(function);
    if (before == nullptr) return NotRegistered(name);
    // The jobs held are done.
    before->gate->set_paused(false);
    task_changes_.Note(function);
  }
  Ask();
  return absl::OkStatus();
}

absl::Status WorkerCore::SetPaused(absl::string_view name, bool paused) {
  const std::string function = absl::StrCat(options_.task_prefix, name);
  {
    absl::MutexLock lock(&mutex_);
    const std::shared_ptr<Task> task = tasks_.Find(function);
    if (task == nullptr || task->control) return NotRegistered(name);
    if (task->gate->paused() == paused) return absl::OkStatus();
    task->gate->set_paused(paused);
    task_changes_.Note(function);
  }
  options_.logger.Log(LogLevel::kInfo, "task \"", SafeText(name), "\" is ",
                      paused ? "paused" : "resumed");
  Ask();
  return absl::OkStatus();
}

std::vector<std::string> WorkerCore::paused_tasks() const {
  std::vector<std::string> names;
  absl::MutexLock lock(&mutex_);
  for (const auto& task : tasks_.tasks()) {
    if (task->gate->paused()) names.push_back(task->name);
  }
  return names;
}

std::vector<std::string> WorkerCore::tasks() const {
  std::vector<std::string> names;
  absl::MutexLock lock(&mutex_);
  for (const auto& task : tasks_.tasks()) {
    if (!task->control) names.push_back(task->name);
  }
  return names;
}

// --- orders ------------------------------------------------------------------

void WorkerCore::RegisterControl() {
  if (options_.control_task.empty()) return;
  auto task = std::make_shared<Task>();
  task->name = options_.control_task;
  task->function = absl::StrCat(options_.task_prefix, task->name);
  // The limit gives it a lane of its own.
  task->options.max_running = 1;
  task->control = [this](absl::string_view order) { return DoOrder(order); };
  if (metrics_ != nullptr) task->metrics = metrics_->ForTask(task->name);
  absl::MutexLock lock(&mutex_);
  task_changes_.Note(task->function);
  gates_.Share(task.get());
  tasks_.Put(std::move(task));
}

absl::StatusOr<std::string> WorkerCore::DoOrder(absl::string_view order) {
  const size_t space = std::min(order.find(' '), order.size());
  const absl::string_view verb = order.substr(0, space);
  const bool pause = verb == "pause";
  if (pause || verb == "resume") {
    const absl::Status status =
        SetPaused(absl::ClippedSubstr(order, space + 1), pause);
    if (!status.ok()) return status;
  } else if (order != "paused") {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", SafeText(order.substr(0, kMostOfAnOrder)),
                     "\" is no order: \"pause TASK\", \"resume TASK\" and "
                     "\"paused\" are"));
  }
  return absl::StrJoin(paused_tasks(), "\n");
}

void WorkerCore::EndLater(std::shared_ptr<WorkerCore> core) {
  options_.logger.Log(
      LogLevel::kError,
      "a worker was destroyed while it ran, by code that it had called (a "
      "handler, a hook, an interceptor, an observer or a logger) or beside it: "
      "it is stopped, and ends when that has returned; destroy it after Run");
  Stop();
  if (!CallScope::IsInside(call_key())) return;
  jobs_.LeaveHandlers();
  CallScope::AtEnd(call_key(), [core = std::move(core)] {});
}

void WorkerCore::Stop() {
  stop_requested_.store(true, std::memory_order_release);
  Ask();
}

void WorkerCore::Drain(absl::Duration limit) {
  const int64_t deadline =
      std::min(absl::ToUnixNanos(clock_->Now() + limit), kNotDraining - 1);
  int64_t before = drain_deadline_ns_.load(std::memory_order_acquire);
  while (deadline < before &&
         !drain_deadline_ns_.compare_exchange_weak(before, deadline)) {
  }
  Ask();
}

MetricsSnapshot WorkerCore::metrics() const {
  return metrics_ == nullptr ? MetricsSnapshot()
                             : metrics_->Snapshot(clock_->Now());
}

// --- the loop's --------------------------------------------------------------

bool WorkerCore::TakeRequests(absl::Time now) {
  asked_.exchange(false, std::memory_order_acq_rel);
  if (stop_requested_.load(std::memory_order_acquire)) {
    // Answers that were given already leave if the connection takes them.
    jobs_.TakeMail(now);
    End(absl::OkStatus(), StopReason::kStopped, now);
    return false;
  }
  TakeChanges(now);
  const int64_t drain_ns = drain_deadline_ns_.load(std::memory_order_acquire);
  return drain_ns == kNotDraining || GoesOnDraining(drain_ns, now);
}

void WorkerCore::TakeChanges(absl::Time now) {
  std::vector<TaskChange> changes;
  std::vector<Address> servers;
  bool servers_changed;
  {
    absl::MutexLock lock(&mutex_);
    changes = task_changes_.Take(tasks_);
    servers_changed = std::exchange(servers_changed_, false);
    if (servers_changed) servers = wanted_servers_;
  }
  for (const TaskChange& change : changes) {
    // An unregistered task is not paused any more.
    const std::shared_ptr<Task> task =
        change.task == nullptr ? offered_.Find(change.function) : change.task;
    if (task != nullptr) jobs_.SetLimits(*task, now);
  }
  if (!changes.empty()) servers_.ChangeTasks(changes);
  // The loop destroys tasks without the lock, as in Register.
  for (TaskChange& change : changes) {
    if (change.task == nullptr) {
      offered_.Remove(change.function);
    } else {
      offered_.Put(std::move(change.task));
    }
  }
  if (servers_changed && !servers_.draining()) servers_.SetServers(servers);
}

bool WorkerCore::GoesOnDraining(int64_t drain_ns, absl::Time now) {
  if (!servers_.draining()) {
    options_.logger.Log(LogLevel::kInfo, "draining");
    servers_.Drain();
  }
  if (drain_ns == kNotDraining - 1) return true;
  if (now < absl::FromUnixNanos(drain_ns)) {
    // Time alone brings the limit, so it is looked at each time.
    asked_.store(true, std::memory_order_relaxed);
    return true;
  }
  // Answers that came in time must not count as late because this loop was
  // late.
  jobs_.TakeMail(now);
  int held = 0;
  std::string answers;
  for (const auto& link : servers_.links()) {
    held += link->session->held();
    const std::string answer = WorkerServers::AnswerOnItsWay(*link);
    if (!answer.empty()) absl::StrAppend(&answers, "; ", answer);
  }
  absl::Status status = answer_lost_;
  if (held > 0 || !answers.empty()) {
    std::string text = "the limit of Drain passed";
    if (held > 0) {
      absl::StrAppend(&text, ": ", held,
                      held == 1 ? " job was given back to its server"
                                : " jobs were given back to their servers");
    }
    status = absl::DeadlineExceededError(absl::StrCat(text, answers));
  }
  End(std::move(status), StopReason::kDrainLimit, now);
  return false;
}

}  // namespace internal
}  // namespace gearman
