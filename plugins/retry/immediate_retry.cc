#include "gearman/plugins/retry/immediate_retry.h"

#include <algorithm>

#include "absl/status/status.h"

namespace gearman {
namespace {

RetryDecision GiveUp(absl::string_view why) {
  RetryDecision decision;
  decision.why = why;
  return decision;
}

}  // namespace

ImmediateRetryPolicy::ImmediateRetryPolicy(ImmediateRetryOptions options)
    : options_(options) {}

RetryDecision ImmediateRetryPolicy::OnFailure(const AttemptFailure& failure) {
  switch (failure.reason) {
    case FailureReason::kConnect:
    case FailureReason::kLostBeforeAcceptance:
    case FailureReason::kLostAfterAcceptance:
      break;
    case FailureReason::kRefused:
      if (failure.status != nullptr &&
          failure.status->code() == absl::StatusCode::kInvalidArgument) {
        return GiveUp("no server would take it");
      }
      break;
    case FailureReason::kJobFailed:
      return GiveUp("the job failed");
    case FailureReason::kException:
      return GiveUp("the job ended with an exception");
    case FailureReason::kTimedOut:
      return GiveUp("its time is over");
  }
  const int max_attempts =
      options_.max_attempts > 0
          ? std::min(options_.max_attempts, failure.max_attempts)
          : failure.max_attempts;
  if (failure.attempt >= max_attempts) {
    return GiveUp("the maximum of attempts is used up");
  }
  RetryDecision decision;
  decision.again = true;
  return decision;
}

}  // namespace gearman
