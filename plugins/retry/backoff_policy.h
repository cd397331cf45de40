// BackoffPolicy: the delay before the next attempt.
//
// The SDK asks this policy when the RetryPolicy decides to try again and leaves
// the delay unset. The SDK holds the client's lock during the call, so the
// rules of retry_policy.h on threads, state, randomness and forbidden calls
// apply here. If the policy throws, the delay is that of an
// ExponentialBackoffPolicy without options.
#ifndef GEARMAN_PLUGINS_RETRY_BACKOFF_POLICY_H_
#define GEARMAN_PLUGINS_RETRY_BACKOFF_POLICY_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

class BackoffPolicy {
 public:
  virtual ~BackoffPolicy() = default;

  // Returns the delay after a failed attempt. Zero or less means no delay.
  virtual absl::Duration OnCompletion(const AttemptFailure& failure) = 0;
  // The name under which the policy is registered, for messages. It is static
  // text.
  virtual absl::string_view name() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_BACKOFF_POLICY_H_
