#include "gearman/plugins/retry/exponential_backoff.h"

#include <algorithm>
#include <cmath>

#include "gearman/plugins/retry/attempt_limit.h"

namespace gearman {

absl::Duration ExponentialDelay(const ExponentialBackoffOptions& options,
                                int attempt, double random) {
  // An initial delay of zero stays zero: times an infinite power it would not
  // be a number.
  if (options.initial_delay == absl::ZeroDuration()) {
    return absl::ZeroDuration();
  }
  // A power that is too large for a double is infinite; the minimum is still
  // right.
  const absl::Duration delay = std::min(
      options.max_delay,
      options.initial_delay * std::pow(options.multiplier, attempt - 1));
  return delay * (1 - options.jitter * random);
}

absl::Duration ExponentialBackoffPolicy::OnCompletion(
    const AttemptFailure& failure) {
  return ExponentialDelay(options_, failure.attempt, failure.random);
}

RetryDecision ExponentialBackoffRetryPolicy::OnFailure(
    const AttemptFailure& failure) {
  RetryDecision decision = AgainWithinLimit(failure, options_.max_attempts);
  if (decision.again) {
    decision.delay =
        ExponentialDelay(options_.backoff, failure.attempt, failure.random);
  }
  return decision;
}

}  // namespace gearman
