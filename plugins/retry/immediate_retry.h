// ImmediateRetryPolicy ("immediate"): at once on another server, up to a
// maximum of attempts, as python-gearman does. What it goes on after:
// attempt_limit.h.
#ifndef GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_
#define GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_

#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

struct ImmediateRetryOptions {
  // Attempts in all, the first one included; 0: as many as the request may
  // make. The smaller of this and the request's maximum counts.
  int max_attempts = 0;
};

class ImmediateRetryPolicy : public RetryPolicy {
 public:
  explicit ImmediateRetryPolicy(ImmediateRetryOptions options = {});

  RetryDecision OnFailure(const AttemptFailure& failure) override;
  int DefaultMaxAttempts(int servers) const override;
  absl::string_view name() const override { return "immediate"; }

 private:
  const ImmediateRetryOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_IMMEDIATE_RETRY_H_
