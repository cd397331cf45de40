#include "gearman/sdk/internal/worker/worker_thread.h"

#include <utility>

#include "gearman/transports/start_thread.h"

namespace gearman {
namespace internal {

WorkerThread::~WorkerThread() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
}

absl::Status WorkerThread::Start(std::shared_ptr<WorkerCore> core) {
  absl::MutexLock lock(&mutex_);
  if (end_ != nullptr) {
    return absl::FailedPreconditionError(
        "Worker::Start: the worker was started before");
  }
  absl::Status status = core->Claim("Worker::Start");
  if (!status.ok()) return status;
  auto end = std::make_shared<End>();
  status = StartThread(
      "the thread of a worker", [core, end] { Run(core, end.get()); },
      &thread_);
  if (!status.ok()) {
    core->Unclaim();
    return status;
  }
  end_ = std::move(end);
  return status;
}

void WorkerThread::Run(const std::shared_ptr<WorkerCore>& core, End* end) {
  absl::Status status;
  {
    const WorkerCore::Call call(core.get());
    status = core->RunClaimed();
  }
  // A handler has forked, and this is the child: nobody waits here, and the
  // mutex may be locked for ever.
  if (core->inherited()) return;
  absl::MutexLock lock(&end->mutex);
  end->status = std::move(status);
  end->reached = true;
}

absl::Status WorkerThread::Join() {
  std::shared_ptr<End> end;
  {
    absl::MutexLock lock(&mutex_);
    end = end_;
  }
  if (end == nullptr) {
    return absl::FailedPreconditionError(
        "Worker::Join: the worker was not started; call Worker::Start before");
  }
  absl::MutexLock lock(&end->mutex);
  end->mutex.Await(absl::Condition(&end->reached));
  return end->status;
}

bool WorkerThread::started() const {
  absl::MutexLock lock(&mutex_);
  return end_ != nullptr;
}

void WorkerThread::Detach() {
  absl::MutexLock lock(&mutex_);
  if (thread_.joinable()) thread_.detach();
}

}  // namespace internal
}  // namespace gearman
