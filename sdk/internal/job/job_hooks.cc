#include "gearman/sdk/internal/job/job_hooks.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/internal/job/error_answer.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/tracing.h"

namespace gearman {
namespace internal {

const Job& JobOf(const HeldJob& held) {
  return held.seen != nullptr ? *held.seen : held.job;
}

void ChangeData(HeldJob* held, std::string data) {
  const Job& job = held->job;
  held->seen = std::make_unique<const Job>(
      job.task(), job.unique(),
      data.empty() ? nullptr
                   : std::make_shared<const std::string>(std::move(data)),
      job.connection(), job.handle());
}

void RunEndHooks(HeldJob* held, absl::StatusOr<std::string>* result) {
  JobHooks& hooks = *held->hooks;
  if (hooks.ending.exchange(true)) return;
  while (!hooks.on_end.empty()) {
    JobHooks::EndHook hook = std::move(hooks.on_end.back());
    hooks.on_end.pop_back();
    const absl::Status thrown =
        GuardedCall([&] { hook(JobOf(*held), *result); }, ExceptionError);
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
