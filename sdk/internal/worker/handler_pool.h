// HandlerPool: the threads on which handlers run when there may be several at
// once. Threads are started as they are needed, up to the limit; where the
// system refuses one, those that there are do the work.
//
// Jobs are begun in the order in which they are given. What becomes of them is
// posted to the mailbox, several at a time where handlers are quick.
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
#include "gearman/sdk/internal/worker/held_job.h"
#include "gearman/sdk/internal/worker/mailbox.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace internal {

class HandlerPool {
 public:
  // Runs the function on a new thread. May throw, as std::thread's constructor.
  using StartThread = std::function<std::thread(std::function<void()>)>;

  // `owner`: the worker, for its CallScope.
  HandlerPool(int threads, std::shared_ptr<Mailbox> mailbox, Clock* clock,
              Logger logger, StartThread start_thread = nullptr,
              const void* owner = nullptr);
  // Calls Stop. A handler's thread may run this destructor, too, when it is the
  // last thread that holds the worker.
  ~HandlerPool();
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  // Starts the first thread, if there is none. RESOURCE_EXHAUSTED: the system
  // refuses it.
  absl::Status Start() ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives jobs to be done, after Start; empties `jobs`.
  void Add(std::vector<HeldJobPtr>* jobs) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for the handlers that run. Returns the jobs that were not begun.
  std::deque<HeldJobPtr> Stop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Lets each thread end when its handler has returned, and waits for none.
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status AddThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  // Does one job.
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
  // The last thread was refused, which has been logged.
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_HANDLER_POOL_H_
