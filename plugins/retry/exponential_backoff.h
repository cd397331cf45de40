// ExponentialBackoff: delays that grow, as a BackoffPolicy ("exponential") and
// with a maximum of attempts as a RetryPolicy ("exponential_backoff", what a
// config without a `retry` gets).
#ifndef GEARMAN_PLUGINS_RETRY_EXPONENTIAL_BACKOFF_H_
#define GEARMAN_PLUGINS_RETRY_EXPONENTIAL_BACKOFF_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

struct ExponentialBackoffOptions {
  // After the first failed attempt; each later delay is `multiplier` times the
  // one before, at most max_delay.
  absl::Duration initial_delay = absl::Milliseconds(100);
  double multiplier = 2;
  absl::Duration max_delay = absl::Seconds(20);
  // The part of a delay that is random, from 0 to 1. 1, "full jitter": anything
  // up to the delay, so that those who failed together don't return together.
  double jitter = 1;
};

// The delay after the `attempt`-th failure (from 1); `random` is from [0, 1).
// Thread-safe.
absl::Duration ExponentialDelay(const ExponentialBackoffOptions& options,
                                int attempt, double random);

class ExponentialBackoffPolicy : public BackoffPolicy {
 public:
  explicit ExponentialBackoffPolicy(ExponentialBackoffOptions options = {})
      : options_(options) {}

  absl::Duration OnCompletion(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "exponential"; }

 private:
  const ExponentialBackoffOptions options_;
};

struct ExponentialBackoffRetryOptions {
  // Attempts in all, the first one included, however many servers there are. A
  // request's own maximum counts when it is smaller. 0: what the request or its
  // client says, and kDefaultAttempts where neither says anything.
  int max_attempts = 0;
  ExponentialBackoffOptions backoff;
};

// Goes on after the failures of attempt_limit.h, all inside the request's
// timeout.
class ExponentialBackoffRetryPolicy : public RetryPolicy {
 public:
  explicit ExponentialBackoffRetryPolicy(
      ExponentialBackoffRetryOptions options = {})
      : options_(options) {}

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
