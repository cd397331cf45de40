#include "gearman/sdk/internal/client/status_spans.h"

#include <utility>

#include "absl/status/status.h"
#include "gearman/sdk/internal/tracing.h"

namespace gearman {
namespace internal {

StatusSpans::StatusSpans(TraceObserver* observer, Clock* clock,
                         absl::Span<const JobId> ids,
                         absl::Span<const JobRequest> requests)
    : clock_(clock), ids_(ids) {
  spans_.reserve(ids.size());
  tasks_.resize(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i < requests.size()) tasks_[i] = requests[i].task();
    TraceBegin begin;
    begin.operation = TraceOperation::kStatus;
    begin.time = clock->Now();
    begin.task = tasks_[i];
    begin.unique = ids[i].unique;
    begin.handle = ids[i].handle;
    begin.server = ids[i].server;
    spans_.push_back(BeginSpan(observer, begin));
  }
}

void StatusSpans::End(absl::Span<const absl::StatusOr<JobStatus>> answers) {
  const absl::Time now = clock_->Now();
  for (size_t i = 0; i < spans_.size(); ++i) {
    const absl::Status status = answers[i].status();
    const std::string code = absl::StatusCodeToString(status.code());
    EndSpan(&spans_[i],
            TraceEnd{now, status.ok() ? "complete" : "failed",
                     status.ok() ? absl::string_view() : code, status,
                     tasks_[i], ids_[i].unique, ids_[i].handle, ids_[i].server,
                     /*attempts=*/0});
  }
}

}  // namespace internal
}  // namespace gearman
