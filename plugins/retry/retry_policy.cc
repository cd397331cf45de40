#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

absl::string_view FailureReasonName(FailureReason reason) {
  switch (reason) {
    case FailureReason::kConnect:
      return "connect";
    case FailureReason::kLostBeforeAcceptance:
      return "lost_before_acceptance";
    case FailureReason::kLostAfterAcceptance:
      return "lost_after_acceptance";
    case FailureReason::kRefused:
      return "refused";
    case FailureReason::kStoreFailed:
      return "store_failed";
    case FailureReason::kJobFailed:
      return "job_failed";
    case FailureReason::kException:
      return "exception";
    case FailureReason::kTimedOut:
      return "timed_out";
  }
  return "unknown";
}

}  // namespace gearman
