#include "gearman/sdk/worker.h"

#include <utility>

#include "gearman/sdk/internal/worker/worker_core.h"

namespace gearman {
namespace {

std::shared_ptr<internal::Task> MakeTask(absl::string_view name,
                                         TaskOptions options) {
  auto task = std::make_shared<internal::Task>();
  task->name = std::string(name);
  task->options = options;
  return task;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(WorkerOptions options) {
  absl::StatusOr<std::unique_ptr<internal::WorkerCore>> core =
      internal::WorkerCore::Create(std::move(options));
  if (!core.ok()) return core.status();
  return std::unique_ptr<Worker>(new Worker(*std::move(core)));
}

Worker::Worker(std::unique_ptr<internal::WorkerCore> core)
    : core_(std::move(core)) {}

Worker::~Worker() = default;

absl::Status Worker::Register(absl::string_view task, Handler handler,
                              TaskOptions options) {
  std::shared_ptr<internal::Task> made = MakeTask(task, options);
  made->handler = std::move(handler);
  return core_->Register(std::move(made));
}

absl::Status Worker::RegisterAsync(absl::string_view task, AsyncHandler handler,
                                   TaskOptions options) {
  std::shared_ptr<internal::Task> made = MakeTask(task, options);
  made->async_handler = std::move(handler);
  return core_->Register(std::move(made));
}

absl::Status Worker::Unregister(absl::string_view task) {
  return core_->Unregister(task);
}

std::vector<std::string> Worker::tasks() const { return core_->tasks(); }

absl::Status Worker::Run() { return core_->Run(); }

absl::Time Worker::RunOnce(absl::Time deadline) {
  return core_->RunOnce(deadline);
}

bool Worker::stopped() const { return core_->stopped(); }

absl::Status Worker::AddServer(absl::string_view address) {
  return core_->AddServer(address);
}

absl::Status Worker::RemoveServer(absl::string_view address) {
  return core_->RemoveServer(address);
}

std::vector<std::string> Worker::servers() const { return core_->servers(); }

Health Worker::health() const { return core_->health(); }

void Worker::Drain(absl::Duration limit) { core_->Drain(limit); }

void Worker::Stop() { core_->Stop(); }

WorkerStats Worker::stats() const { return core_->stats(); }

MetricsSnapshot Worker::metrics() const { return core_->metrics(); }

}  // namespace gearman
