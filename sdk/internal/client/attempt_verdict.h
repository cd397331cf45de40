// AttemptVerdict: what follows a failed attempt, made of what each policy says.
//
// A pure function of its arguments and the policies; any thread. What a policy
// throws is logged, and it is done without: an attempt that may have been
// accepted is not repeated, nothing is tried again, or after the delay of a
// default ExponentialBackoffPolicy.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_ATTEMPT_VERDICT_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_ATTEMPT_VERDICT_H_

#include <string>

#include "absl/time/time.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/log.h"

namespace gearman {
namespace internal {

struct AttemptPolicies {
  IdempotencyPolicy* idempotency;
  RetryPolicy* retry;
  BackoffPolicy* backoff;  // null: no delay
  Logger logger{};
};

struct AttemptVerdict {
  bool again = false;
  absl::Duration delay;
  // Where: on the server of the failed attempt, or on one that selection takes.
  bool same_server = false;
  // The same, for all later attempts, too: elsewhere it might run twice.
  bool pinned = false;
  bool budget_exhausted = false;
  // There would be another attempt, but the request's time is over.
  bool late = false;
  // Why there is no other attempt, for the error's text.
  std::string why;
};

// `permanent`: another attempt can't help. `time_left`: of the request.
AttemptVerdict JudgeAttempt(const AttemptFailure& failure,
                            const AttemptPolicies& policies, bool permanent,
                            absl::Duration time_left);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_ATTEMPT_VERDICT_H_
