// StatusSpans are the spans of questions for the status of jobs.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_STATUS_SPANS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_STATUS_SPANS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/job_id.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_status.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace internal {

class StatusSpans {
 public:
  // Begins the spans. `requests` are the requests that the ids belong to, or
  // empty. All arguments but `requests` must outlive this object.
  StatusSpans(TraceObserver* observer, Clock* clock,
              absl::Span<const JobId> ids,
              absl::Span<const JobRequest> requests);

  // Ends the spans with these answers.
  void End(absl::Span<const absl::StatusOr<JobStatus>> answers);

 private:
  Clock* const clock_;
  const absl::Span<const JobId> ids_;
  std::vector<std::string> tasks_;
  std::vector<std::unique_ptr<TraceSpan>> spans_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_STATUS_SPANS_H_
