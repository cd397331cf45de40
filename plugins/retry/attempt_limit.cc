#include "gearman/plugins/retry/attempt_limit.h"

#include "absl/status/status.h"

namespace gearman {
namespace {

RetryDecision GiveUp(absl::string_view why) {
  RetryDecision decision;
  decision.why = why;
  return decision;
}

}  // namespace

RetryDecision AgainWithinLimit(const AttemptFailure& failure,
                               int max_attempts) {
  const absl::StatusCode code = failure.status != nullptr
                                    ? failure.status->code()
                                    : absl::StatusCode::kUnknown;
  switch (failure.reason) {
    case FailureReason::kConnect:
    case FailureReason::kLostBeforeAcceptance:
    case FailureReason::kLostAfterAcceptance:
      // Trust does not come back by itself. (With TLS 1.3 a server that does
      // not trust this client reports that only after the first packet.)
      if (code == absl::StatusCode::kUnauthenticated &&
          failure.attempt >= failure.servers) {
        return GiveUp("no server can be trusted");
      }
      break;
    case FailureReason::kTimedOut:
    case FailureReason::kStoreFailed:
      break;
    case FailureReason::kRefused:
      if (code == absl::StatusCode::kInvalidArgument ||
          code == absl::StatusCode::kUnimplemented) {
        return GiveUp("no server would take it");
      }
      break;
    case FailureReason::kJobFailed:
      return GiveUp("the job failed");
    case FailureReason::kException:
      return GiveUp("the job ended with an exception");
  }
  if (failure.refused_everywhere) return GiveUp("every server has refused it");
  if (failure.attempt >= failure.max_attempts) {
    return GiveUp("the maximum of attempts is used up");
  }
  if (max_attempts > 0 && failure.attempt >= max_attempts) {
    return GiveUp(
        "its own max_attempts are used up, though the request may make more");
  }
  RetryDecision decision;
  decision.again = true;
  return decision;
}

}  // namespace gearman
