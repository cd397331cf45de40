// BackoffPolicy: how long to wait before the next attempt.
//
// Asked when the RetryPolicy goes on and leaves the delay open. Called with the
// client's lock held: what is said of a RetryPolicy's threads, state,
// randomness and of what it must not call holds here (retry_policy.h). When it
// throws, the delay is that of an ExponentialBackoffPolicy without options.
#ifndef GEARMAN_PLUGINS_RETRY_BACKOFF_POLICY_H_
#define GEARMAN_PLUGINS_RETRY_BACKOFF_POLICY_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

class BackoffPolicy {
 public:
  virtual ~BackoffPolicy() = default;

  // The delay after a failed attempt; zero or less: none.
  virtual absl::Duration OnCompletion(const AttemptFailure& failure) = 0;
  // The name it is registered under, for messages. Static text.
  virtual absl::string_view name() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_BACKOFF_POLICY_H_
