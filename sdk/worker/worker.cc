#include "gearman/sdk/worker.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gearman/process/process_mark.h"
#include "gearman/sdk/internal/worker/worker_core.h"
#include "gearman/sdk/internal/worker/worker_thread.h"
#include "gearman/sdk/log.h"

namespace gearman {
namespace {

using internal::WorkerCore;

// The name of this kind of object in errors.
constexpr absl::string_view kWorker = "worker";

std::shared_ptr<internal::Task> MakeTask(absl::string_view name,
                                         TaskOptions options) {
  auto task = std::make_shared<internal::Task>();
  task->name = std::string(name);
  task->options = options;
  return task;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(WorkerOptions options) {
  absl::StatusOr<std::shared_ptr<WorkerCore>> core =
      WorkerCore::Create(std::move(options));
  if (!core.ok()) return core.status();
  return std::unique_ptr<Worker>(new Worker(*std::move(core)));
}

Worker::Worker(std::shared_ptr<WorkerCore> core)
    : core_(std::move(core)), thread_(new internal::WorkerThread) {}

Worker::~Worker() {
  if (core_->inherited()) return;
  WorkerCore& core = *core_;
  if (thread_->started() && !core.called_here()) {
    DrainAndJoin();
  } else if (core.in_use()) {
    thread_->Detach();
    core.EndLater(std::move(core_));
  }
}

void Worker::DrainAndJoin() {
  const bool ended = core_->stopped();
  core_->Drain(core_->options().drain_limit);
  const absl::Status status = thread_->Join();
  // If the worker had ended before, Join may have returned the error to the
  // caller.
  if (ended || status.ok()) return;
  core_->options().logger.Log(
      LogLevel::kWarning,
      "a worker was destroyed before all was done: ", status.message());
}

absl::Status Worker::Register(StringView task, Handler handler,
                              TaskOptions options) {
  if (core_->inherited()) return InheritedError(kWorker);
  const WorkerCore::Call call(core_.get());
  std::shared_ptr<internal::Task> made = MakeTask(task, options);
  made->handler = std::move(handler);
  return core_->Register(std::move(made));
}

absl::Status Worker::RegisterAsync(StringView task, AsyncHandler handler,
                                   TaskOptions options) {
  if (core_->inherited()) return InheritedError(kWorker);
  const WorkerCore::Call call(core_.get());
  std::shared_ptr<internal::Task> made = MakeTask(task, options);
  made->async_handler = std::move(handler);
  return core_->Register(std::move(made));
}

absl::Status Worker::Unregister(StringView task) {
  if (core_->inherited()) return InheritedError(kWorker);
  const WorkerCore::Call call(core_.get());
  return core_->Unregister(task);
}

absl::Status Worker::Pause(StringView task) {
  if (core_->inherited()) return InheritedError(kWorker);
  const WorkerCore::Call call(core_.get());
  return core_->SetPaused(task, true);
}

absl::Status Worker::Resume(StringView task) {
  if (core_->inherited()) return InheritedError(kWorker);
  const WorkerCore::Call call(core_.get());
  return core_->SetPaused(task, false);
}

std::vector<std::string> Worker::paused_tasks() const {
  if (core_->inherited()) return {};
  return core_->paused_tasks();
}

std::vector<std::string> Worker::tasks() const {
  if (core_->inherited()) return {};
  return core_->tasks();
}

absl::Status Worker::Run() {
  if (core_->inherited()) return InheritedError(kWorker);
  // A handler on another thread may destroy this worker meanwhile.
  const std::shared_ptr<WorkerCore> core = core_;
  const WorkerCore::Call call(core.get());
  return core->Run();
}

absl::Status Worker::Start() {
  if (core_->inherited()) return InheritedError(kWorker);
  return thread_->Start(core_);
}

absl::Status Worker::Join() {
  if (core_->inherited()) return InheritedError(kWorker);
  if (core_->called_here()) {
    return absl::FailedPreconditionError(
        "Worker::Join: a handler, or another function that the worker has "
        "called, would wait for its own end");
  }
  return thread_->Join();
}

absl::Time Worker::RunOnce(absl::Time deadline) {
  if (core_->inherited()) return absl::InfiniteFuture();
  const std::shared_ptr<WorkerCore> core = core_;
  const WorkerCore::Call call(core.get());
  return core->RunOnce(deadline);
}

bool Worker::stopped() const { return core_->stopped(); }

absl::Status Worker::AddServer(StringView address) {
  if (core_->inherited()) return InheritedError(kWorker);
  return core_->AddServer(address);
}

absl::Status Worker::RemoveServer(StringView address) {
  if (core_->inherited()) return InheritedError(kWorker);
  return core_->RemoveServer(address);
}

std::vector<std::string> Worker::servers() const {
  if (core_->inherited()) return {};
  return core_->servers();
}

Health Worker::health() const {
  return core_->inherited() ? Health() : core_->health();
}

void Worker::Drain(Duration limit) { core_->Drain(limit); }

void Worker::Stop() { core_->Stop(); }

WorkerStats Worker::stats() const {
  return core_->inherited() ? WorkerStats() : core_->stats();
}

MetricsSnapshot Worker::metrics() const {
  return core_->inherited() ? MetricsSnapshot() : core_->metrics();
}

}  // namespace gearman
