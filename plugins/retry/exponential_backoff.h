// ExponentialBackoff: delays that grow, as a BackoffPolicy ("exponential") and,
// with a maximum of attempts, as a RetryPolicy ("exponential_backoff", the
// default).
#ifndef GEARMAN_PLUGINS_RETRY_EXPONENTIAL_BACKOFF_H_
#define GEARMAN_PLUGINS_RETRY_EXPONENTIAL_BACKOFF_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// The settings of growing delays.
struct ExponentialBackoffOptions {
  // The delay after the first failed attempt. Each later delay is the one
  // before times `multiplier`, and at most max_delay.
  absl::Duration initial_delay = absl::Milliseconds(100);
  double multiplier = 2;
  absl::Duration max_delay = absl::Seconds(20);
  // The share of a delay that is random, from 0 to 1. With 1 ("full jitter") a
  // delay is anything up to its full length, so that clients that failed
  // together don't return together.
  double jitter = 1;
};

// Returns the delay after the `attempt`-th failure (from 1). `random` is in [0,
// 1). It is thread-safe.
absl::Duration ExponentialDelay(const ExponentialBackoffOptions& options,
                                int attempt, double random);

// A BackoffPolicy with growing delays. It is thread-safe.
class ExponentialBackoffPolicy : public BackoffPolicy {
 public:
  // Makes a policy. It never fails.
  explicit ExponentialBackoffPolicy(ExponentialBackoffOptions options = {})
      : options_(options) {}

  absl::Duration OnCompletion(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "exponential"; }

 private:
  const ExponentialBackoffOptions options_;
};

// The settings of an ExponentialBackoffRetryPolicy.
struct ExponentialBackoffRetryOptions {
  // The number of attempts, including the first, whatever the number of
  // servers. A request's own maximum counts if it is smaller. 0 means the
  // maximum of the request or its client, or kDefaultAttempts if neither has
  // one.
  int max_attempts = 0;
  // The delays between the attempts.
  ExponentialBackoffOptions backoff;
};

// Tries again after the failures that attempt_limit.h lists, within the
// request's timeout.
class ExponentialBackoffRetryPolicy : public RetryPolicy {
 public:
  // Makes a policy. It never fails.
  explicit ExponentialBackoffRetryPolicy(
      ExponentialBackoffRetryOptions options = {})
      : options_(options) {}

  // The attempts of a request if no maximum is set anywhere.
  static constexpr int kDefaultAttempts = 3;

  RetryDecision OnFailure(const AttemptFailure& failure) override;
  int DefaultMaxAttempts(int /*servers*/) const override {
    return options_.max_attempts > 0 ? options_.max_attempts : kDefaultAttempts;
  }
  absl::string_view name() const override { return "exponential_backoff"; }

 private:
  const ExponentialBackoffRetryOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_EXPONENTIAL_BACKOFF_H_
