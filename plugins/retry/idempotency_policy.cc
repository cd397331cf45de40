#include "gearman/plugins/retry/idempotency_policy.h"

namespace gearman {

bool IdempotencyPolicy::SurelyNotAccepted(const AttemptFailure& failure) {
  switch (failure.reason) {
    case FailureReason::kConnect:
    case FailureReason::kRefused:
      return true;
    case FailureReason::kLostBeforeAcceptance:
    case FailureReason::kTimedOut:
      return !failure.bytes_sent;
    case FailureReason::kStoreFailed:
    case FailureReason::kLostAfterAcceptance:
    case FailureReason::kJobFailed:
    case FailureReason::kException:
      return false;
  }
  return false;
}

MayRepeat StrictIdempotencyPolicy::Judge(const AttemptFailure& failure) {
  return failure.idempotent || SurelyNotAccepted(failure) ? MayRepeat::kAnywhere
                                                          : MayRepeat::kNo;
}

MayRepeat StandardIdempotencyPolicy::Judge(const AttemptFailure& failure) {
  if (failure.idempotent || SurelyNotAccepted(failure)) {
    return MayRepeat::kAnywhere;
  }
  const bool in_doubt =
      failure.reason == FailureReason::kLostBeforeAcceptance ||
      failure.reason == FailureReason::kTimedOut;
  return in_doubt && failure.has_explicit_unique ? MayRepeat::kOnSameServer
                                                 : MayRepeat::kNo;
}

}  // namespace gearman
