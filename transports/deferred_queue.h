// DeferredQueue: the deferred tasks of a poller, for implementations of Poller.
// It is thread-safe.
#ifndef GEARMAN_TRANSPORTS_DEFERRED_QUEUE_H_
#define GEARMAN_TRANSPORTS_DEFERRED_QUEUE_H_

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gearman/transports/poller.h"

namespace gearman {

class DeferredQueue {
 public:
  // Queues `task` unless it is queued already.
  void Add(std::shared_ptr<DeferredTask> task) {
    absl::MutexLock lock(&mutex_);
    // The list is short: there is one task for each in-process server.
    if (std::find(tasks_.begin(), tasks_.end(), task) != tasks_.end()) return;
    tasks_.push_back(std::move(task));
    pending_.store(true, std::memory_order_release);
  }

  // True if no task is queued.
  bool empty() const { return !pending_.load(std::memory_order_acquire); }

  // Runs all queued tasks, including tasks that are added meanwhile, with no
  // lock held.
  void Run() {
    while (pending_.load(std::memory_order_acquire)) {
      std::vector<std::shared_ptr<DeferredTask>> tasks;
      {
        absl::MutexLock lock(&mutex_);
        tasks.swap(tasks_);
        pending_.store(false, std::memory_order_release);
      }
      for (const std::shared_ptr<DeferredTask>& task : tasks) task->Run();
    }
  }

 private:
  std::atomic<bool> pending_{false};
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<DeferredTask>> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_DEFERRED_QUEUE_H_
