// NoRetryPolicy ("none"): the first failure is final.
#ifndef GEARMAN_PLUGINS_RETRY_NO_RETRY_H_
#define GEARMAN_PLUGINS_RETRY_NO_RETRY_H_

#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

class NoRetryPolicy : public RetryPolicy {
 public:
  RetryDecision OnFailure(const AttemptFailure& failure) override;
  absl::string_view name() const override { return "none"; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_NO_RETRY_H_
