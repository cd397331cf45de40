#include "gearman/sdk/internal/worker/handler_call.h"

#include <atomic>
#include <optional>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/job/job_hooks.h"
#include "gearman/sdk/internal/tracing.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker_interceptor.h"

namespace gearman {
namespace internal {
namespace {

// Begins the span and calls the interceptors, on the thread that runs the
// handler, before it does. If it returns an answer, the handler must not be
// called.
std::optional<absl::StatusOr<std::string>> BeginHooks(HeldJob* held) {
  JobHooks& hooks = *held->hooks;
  TraceBegin begin;
  begin.operation = TraceOperation::kProcess;
  begin.time = held->started;
  begin.task = held->job.task();
  begin.unique = held->job.unique();
  begin.handle = held->job.handle();
  begin.server = held->job.connection();
  begin.data = held->job.data();
  hooks.span = BeginSpan(hooks.observer, begin);
  for (const WorkerInterceptor& interceptor : *hooks.interceptors) {
    IncomingJob job = Access::Make<IncomingJob>(held);
    const absl::Status thrown =
        GuardedCall([&] { interceptor(job); }, JobException);
    if (!thrown.ok()) hooks.answer = thrown;
    if (hooks.answer.has_value()) break;
  }
  return std::exchange(hooks.answer, std::nullopt);
}

// The plain functions are for jobs without observers and interceptors, the
// hooked ones for jobs with them.
absl::StatusOr<std::string> CallPlainHandler(const HeldJobPtr& job) {
  return GuardedResult(
      [&job] {
        JobContext context = Access::Make<JobContext>(job);
        return job->task->handler(context);
      },
      JobException);
}

absl::StatusOr<std::string> CallHookedHandler(const HeldJobPtr& job) {
  std::optional<absl::StatusOr<std::string>> answer = BeginHooks(job.get());
  absl::StatusOr<std::string> result =
      answer.has_value() ? *std::move(answer) : CallPlainHandler(job);
  RunEndHooks(job.get(), &result);
  return result;
}

absl::Status CallPlainAsyncHandler(const HeldJobPtr& job, bool* forgotten) {
  job->dropped = false;
  job->calling.store(std::this_thread::get_id(), std::memory_order_release);
  absl::Status thrown = GuardedCall(
      [&job] { job->task->async_handler(Access::Make<PendingJob>(job)); },
      JobException);
  job->calling.store(std::thread::id(), std::memory_order_release);
  *forgotten = thrown.ok() && job->dropped;
  return *forgotten ? JobFailed("the handler dropped its pending job") : thrown;
}

absl::Status CallHookedAsyncHandler(const HeldJobPtr& job, bool* forgotten) {
  std::optional<absl::StatusOr<std::string>> answer = BeginHooks(job.get());
  if (answer.has_value()) {
    Access::Make<PendingJob>(job).Finish(*std::move(answer));
    return absl::OkStatus();
  }
  absl::Status status = CallPlainAsyncHandler(job, forgotten);
  if (status.ok()) return status;
  absl::StatusOr<std::string> result = std::move(status);
  RunEndHooks(job.get(), &result);
  if (!result.ok()) return result.status();
  // An interceptor has replaced the error by a result.
  *forgotten = false;
  Access::Make<PendingJob>(job).Finish(std::move(result));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CallHandler(const HeldJobPtr& job) {
  return job->hooks == nullptr ? CallPlainHandler(job) : CallHookedHandler(job);
}

absl::Status CallAsyncHandler(const HeldJobPtr& job, bool* forgotten) {
  return job->hooks == nullptr ? CallPlainAsyncHandler(job, forgotten)
                               : CallHookedAsyncHandler(job, forgotten);
}

}  // namespace internal
}  // namespace gearman
