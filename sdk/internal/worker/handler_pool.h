// HandlerPool has the threads on which handlers run if several may run at once.
// It starts threads as they are needed, up to a limit. If the system refuses
// one, the others do the work.
//
// Jobs begin in the order in which they are added. Their ends are posted to the
// mailbox; quick handlers' ends are posted several at a time.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_HANDLER_POOL_H_
#define GEARMAN_SDK_INTERNAL_WORKER_HANDLER_POOL_H_

#include <deque>
#include <functional>
#include <memory>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace internal {

class HandlerPool {
 public:
  // Runs the function on a new thread. May throw, like std::thread's
  // constructor.
  using StartThread = std::function<std::thread(std::function<void()>)>;

  // `owner` is the worker, for its CallScope.
  HandlerPool(int threads, std::shared_ptr<Mailbox> mailbox, Clock* clock,
              Logger logger, StartThread start_thread = nullptr,
              const void* owner = nullptr);
  // Calls Stop. The destructor may run on a handler's thread, if that is the
  // last thread that holds the worker.
  ~HandlerPool();
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  // Starts the first thread, if there is none. RESOURCE_EXHAUSTED: the system
  // refuses it.
  absl::Status Start() ABSL_LOCKS_EXCLUDED(mutex_);
  // Adds jobs to do, and empties `jobs`. Call it after Start.
  void Add(std::vector<HeldJobPtr>* jobs) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for the running handlers. Returns the jobs that were not begun.
  std::deque<HeldJobPtr> Stop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes each thread end when its handler has returned, and waits for none.
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status AddThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs the handler of one job and returns the message about its end.
  Message Do(HeldJobPtr job);
  bool WorkOrEnd() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !jobs_.empty();
  }

  const size_t max_threads_;
  const std::shared_ptr<Mailbox> mailbox_;
  Clock* const clock_;
  const Logger logger_;
  const StartThread start_thread_;
  const void* const owner_;

  absl::Mutex mutex_;
  std::deque<HeldJobPtr> jobs_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // The last thread was refused, and this has been logged.
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_HANDLER_POOL_H_
