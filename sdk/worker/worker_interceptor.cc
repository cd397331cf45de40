#include "gearman/sdk/worker_interceptor.h"

#include <utility>

#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/job_hooks.h"

namespace gearman {

const Job& IncomingJob::job() const { return internal::JobOf(*held_); }

void IncomingJob::set_data(std::string data) {
  internal::ChangeData(held_, std::move(data));
}

void IncomingJob::Answer(absl::StatusOr<std::string> result) {
  held_->hooks->answer = std::move(result);
}

void IncomingJob::OnEnd(EndHook hook) {
  if (hook) held_->hooks->on_end.push_back(std::move(hook));
}

TraceSpan* IncomingJob::span() const { return held_->hooks->span.get(); }

}  // namespace gearman
