// AttemptVerdict is the decision after a failed attempt, made from the answers
// of the policies.
//
// JudgeAttempt is a pure function of its arguments and the policies. Any
// thread. If a policy throws, the exception is logged and a default answers in
// its place: only an attempt that was surely not accepted is repeated
// (idempotency policy); nothing is repeated (retry policy); the delay is that
// of a default ExponentialBackoffPolicy (backoff policy).
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
  // The next attempt goes to the server of the failed one. False: selection
  // takes a server.
  bool same_server = false;
  // All later attempts go there, too. On another server the job might run
  // twice.
  bool pinned = false;
  bool budget_exhausted = false;
  // There would be another attempt, but the request's time is over.
  bool late = false;
  // Why there is no other attempt, for the error's text.
  std::string why;
};

// Decides about `failure`. `permanent`: another attempt can't help. `time_left`
// is the time until the request's deadline.
AttemptVerdict JudgeAttempt(const AttemptFailure& failure,
                            const AttemptPolicies& policies, bool permanent,
                            absl::Duration time_left);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_ATTEMPT_VERDICT_H_
