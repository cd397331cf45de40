#include "gearman/plugins/retry/immediate_retry.h"

#include "gearman/plugins/retry/attempt_limit.h"

namespace gearman {

ImmediateRetryPolicy::ImmediateRetryPolicy(ImmediateRetryOptions options)
    : options_(options) {}

RetryDecision ImmediateRetryPolicy::OnFailure(const AttemptFailure& failure) {
  return AgainWithinLimit(failure, options_.max_attempts);
}

int ImmediateRetryPolicy::DefaultMaxAttempts(int servers) const {
  return options_.max_attempts > 0 ? options_.max_attempts : servers;
}

}  // namespace gearman
