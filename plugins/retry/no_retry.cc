#include "gearman/plugins/retry/no_retry.h"

namespace gearman {

RetryDecision NoRetryPolicy::OnFailure(const AttemptFailure& /*failure*/) {
  RetryDecision decision;
  decision.why = "retries are turned off";
  return decision;
}

}  // namespace gearman
