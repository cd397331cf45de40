#include "patient_retry.h"

namespace consumer {

gearman::RetryDecision PatientRetry::OnFailure(
    const gearman::AttemptFailure& failure) {
  gearman::RetryDecision decision;
  if (failure.reason == gearman::FailureReason::kRefused) {
    decision.why = "the server refused it";
  } else if (failure.attempt >= failure.max_attempts) {
    decision.why = "patience is exhausted";
  } else {
    decision.again = true;
    decision.delay = failure.attempt * step_;
  }
  return decision;
}

}  // namespace consumer
