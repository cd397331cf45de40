// Handlers that are coroutines, for C++20.
//
//   gearman::Task<absl::StatusOr<std::string>> Thumbnail(
//       gearman::PendingJob& job, std::stop_token stop) {
//     gearman::CoroutineOptions options;
//     options.stop_token = stop;
//     co_return co_await gearman::Run(
//         client, {"resize", std::string(job.job().data())}, options);
//   }
//   absl::Status status =
//       gearman::RegisterCoroutine(*worker, "thumbnail", Thumbnail);
#ifndef GEARMAN_SDK_WORKER_COROUTINES_H_
#define GEARMAN_SDK_WORKER_COROUTINES_H_

#if __cplusplus < 202002L
#error "gearman/sdk/worker_coroutines.h needs C++20: compile with -std=c++20"
#endif

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/task.h"
#include "gearman/sdk/worker.h"

namespace gearman {

// Begins a job. The result of the task, or its exception, is the answer of the
// job, as with a plain handler (sdk/job_context.h). `job` lives until the task
// has ended; the task must not call Finish. When the job's stop token fires,
// `stop` has a stop request. The task still goes on until it ends by itself.
using CoroutineHandler = absl::AnyInvocable<Task<absl::StatusOr<std::string>>(
    PendingJob& job, std::stop_token stop)>;

namespace internal {

struct CoroutineJob {
  CoroutineJob(PendingJob pending, std::shared_ptr<CoroutineHandler> of)
      : job(std::move(pending)), handler(std::move(of)) {}

  PendingJob job;
  // The captures of a lambda must live as long as its coroutine does.
  const std::shared_ptr<CoroutineHandler> handler;
  std::stop_source stop;
  Task<absl::StatusOr<std::string>> task;
};

}  // namespace internal

// Registers a task whose handler is a coroutine: Worker::RegisterAsync has the
// errors and the threads. The handler runs on the thread that takes the job
// until it first waits; many of its jobs may be unfinished at once
// (WorkerLimits::max_pending_jobs). A task may outlive the worker: its answer
// is then dropped. A task that never ends is never freed.
inline absl::Status RegisterCoroutine(Worker& worker, StringView task,
                                      CoroutineHandler handler,
                                      TaskOptions options = {}) {
  if (!handler) {
    return worker.RegisterAsync(task, Worker::AsyncHandler(), options);
  }
  auto shared = std::make_shared<CoroutineHandler>(std::move(handler));
  return worker.RegisterAsync(
      task,
      [shared = std::move(shared)](PendingJob pending) {
        auto owned = std::make_unique<internal::CoroutineJob>(
            std::move(pending), shared);
        owned->job.stop_token().OnStop(
            [stop = owned->stop]() mutable { stop.request_stop(); });
        owned->task = (*shared)(owned->job, owned->stop.get_token());
        // The task owns itself from here on.
        internal::CoroutineJob* const running = owned.release();
        running->task.Start([running] {
          const std::unique_ptr<internal::CoroutineJob> ended(running);
          ended->job.Finish(ended->task.TakeResult());
        });
      },
      options);
}

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_COROUTINES_H_
