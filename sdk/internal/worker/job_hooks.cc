#include "gearman/sdk/internal/worker/job_hooks.h"

#include <algorithm>
#include <utility>

#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/internal/tracing.h"
#include "gearman/sdk/internal/worker/held_job.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker_interceptor.h"

namespace gearman {
namespace internal {

const Job& JobOf(const HeldJob& held) {
  return held.hooks != nullptr && held.hooks->changed.has_value()
             ? *held.hooks->changed
             : held.job;
}

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
    IncomingJob job(held);
    const absl::Status thrown =
        GuardedCall([&] { interceptor(job); }, JobException);
    if (!thrown.ok()) hooks.answer = thrown;
    if (hooks.answer.has_value()) break;
  }
  return std::exchange(hooks.answer, std::nullopt);
}

void RunEndHooks(HeldJob* held, absl::StatusOr<std::string>* result) {
  JobHooks& hooks = *held->hooks;
  if (hooks.ending.exchange(true)) return;
  while (!hooks.on_end.empty()) {
    const IncomingJob::EndHook hook = std::move(hooks.on_end.back());
    hooks.on_end.pop_back();
    const absl::Status thrown =
        GuardedCall([&] { hook(JobOf(*held), *result); }, JobException);
    if (!thrown.ok()) *result = thrown;
  }
}

void EndJobSpan(HeldJob* held) {
  JobHooks& hooks = *held->hooks;
  const Job& job = held->job;
  EndSpan(&hooks.span,
          TraceEnd{std::max(hooks.returned, hooks.ended), hooks.outcome,
                   hooks.status.ok() ? absl::string_view() : hooks.outcome,
                   hooks.status, job.task(), job.unique(), job.handle(),
                   job.connection(), /*attempts=*/0});
}

}  // namespace internal
}  // namespace gearman
