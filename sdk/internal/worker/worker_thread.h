// WorkerThread is the thread on which a worker runs after Worker::Start.
//
// Thread-safe, apart from the destructor.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_THREAD_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_THREAD_H_

#include <memory>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/internal/worker/worker_core.h"

namespace gearman {
namespace internal {

class WorkerThread {
 public:
  WorkerThread() = default;
  // Waits for the thread.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  // Worker::Start and Worker::Join do this. The thread shares `core` until it
  // ends.
  absl::Status Start(std::shared_ptr<WorkerCore> core)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Join() ABSL_LOCKS_EXCLUDED(mutex_);
  // True once Start has returned OK.
  bool started() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Lets the thread end on its own: neither Join nor the destructor waits for
  // it after this. The thread uses nothing of this object.
  void Detach() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // How the worker has ended. The thread shares it.
  struct End {
    absl::Mutex mutex;
    bool reached ABSL_GUARDED_BY(mutex) = false;
    absl::Status status ABSL_GUARDED_BY(mutex);
  };

  static void Run(const std::shared_ptr<WorkerCore>& core, End* end);

  mutable absl::Mutex mutex_;
  std::shared_ptr<End> end_ ABSL_GUARDED_BY(mutex_);  // null: not started
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_THREAD_H_
