// ImmediateRetryPolicy ("immediate"): tries again without a delay of its own,
// up to a maximum of attempts, as python-gearman does. attempt_limit.h lists
// the failures after which it tries again.
#ifndef GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_
#define GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_

#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// The settings of an ImmediateRetryPolicy.
struct ImmediateRetryOptions {
  // The number of attempts, including the first. 0 means as many as the request
  // may make. The smaller of this and the request's maximum counts.
  int max_attempts = 0;
};

class ImmediateRetryPolicy : public RetryPolicy {
 public:
  // Makes a policy. It never fails.
  explicit ImmediateRetryPolicy(ImmediateRetryOptions options = {});

  RetryDecision OnFailure(const AttemptFailure& failure) override;
  int DefaultMaxAttempts(int servers) const override;
  absl::string_view name() const override { return "immediate"; }

 private:
  const ImmediateRetryOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_
