// RetryBudgetPolicy ("budget"): applies another policy as long as retries are
// few.
//
// All requests of the policy share a bucket of tokens. A retry takes tokens,
// and more after a timeout. Each accepted attempt gives tokens back. If a
// server is down for good, the retries end when the bucket is empty. So they
// don't multiply the load on the other servers.
#ifndef GEARMAN_PLUGINS_RETRY_RETRY_BUDGET_H_
#define GEARMAN_PLUGINS_RETRY_RETRY_BUDGET_H_

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

// The settings of a RetryBudgetPolicy. All numbers count tokens.
struct RetryBudgetOptions {
  int max_tokens = 500;    // the bucket begins full
  int retry_cost = 5;      // a retry takes these
  int timeout_cost = 10;   // instead, if the failed attempt timed out
  int success_refund = 1;  // an accepted attempt gives these back
};

class RetryBudgetPolicy : public RetryPolicy {
 public:
  // Makes a policy that asks `policy`, which must not be null, as long as there
  // are tokens. Returns INVALID_ARGUMENT (a FieldError) if Check does.
  static absl::StatusOr<std::unique_ptr<RetryBudgetPolicy>> Create(
      std::shared_ptr<RetryPolicy> policy, RetryBudgetOptions options = {});
  // Returns an error for a number below 0, and for a bucket that is too small
  // for a single retry: no retry could ever be made.
  static absl::Status Check(const RetryBudgetOptions& options);
  // Makes a policy with options that Check accepts.
  RetryBudgetPolicy(std::shared_ptr<RetryPolicy> policy,
                    RetryBudgetOptions options = {});

  RetryDecision OnFailure(const AttemptFailure& failure) override;
  void OnSuccess() override;
  int DefaultMaxAttempts(int servers) const override {
    return policy_->DefaultMaxAttempts(servers);
  }
  absl::string_view name() const override { return "budget"; }

  // The number of tokens left.
  int tokens() const { return tokens_.load(std::memory_order_relaxed); }

 private:
  const std::shared_ptr<RetryPolicy> policy_;
  const RetryBudgetOptions options_;
  // Atomic, because each accepted job changes it.
  std::atomic<int> tokens_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_RETRY_BUDGET_H_
