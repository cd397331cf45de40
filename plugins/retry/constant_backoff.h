// ConstantBackoffPolicy ("constant"): an equal delay each time. It is
// thread-safe.
#ifndef GEARMAN_PLUGINS_RETRY_CONSTANT_BACKOFF_H_
#define GEARMAN_PLUGINS_RETRY_CONSTANT_BACKOFF_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/backoff_policy.h"

namespace gearman {

class ConstantBackoffPolicy : public BackoffPolicy {
 public:
  // `delay` is the delay after each failed attempt.
  explicit ConstantBackoffPolicy(absl::Duration delay) : delay_(delay) {}

  absl::Duration OnCompletion(const AttemptFailure& /*failure*/) override {
    return delay_;
  }
  absl::string_view name() const override { return "constant"; }

 private:
  const absl::Duration delay_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_CONSTANT_BACKOFF_H_
