// RetryBudgetPolicy ("budget"): another policy, as long as retries are few.
//
// A bucket of tokens is shared by all requests of the policy. A retry costs
// some, one after a time-out more, and each accepted attempt gives one back.
// With a server that is down for good the retries end once the bucket is empty,
// so that they don't multiply the load on what is left.
#ifndef GEARMAN_PLUGINS_RETRY_RETRY_BUDGET_H_
#define GEARMAN_PLUGINS_RETRY_RETRY_BUDGET_H_

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {

struct RetryBudgetOptions {
  int max_tokens = 500;  // the bucket is full at first
  int retry_cost = 5;
  int timeout_cost = 10;  // instead, when the failed attempt timed out
  int success_refund = 1;
};

class RetryBudgetPolicy : public RetryPolicy {
 public:
  // `policy`, which is not null, decides as long as there are tokens.
  // INVALID_ARGUMENT (a FieldError): see Check.
  static absl::StatusOr<std::unique_ptr<RetryBudgetPolicy>> Create(
      std::shared_ptr<RetryPolicy> policy, RetryBudgetOptions options = {});
  // What options can't be right: a number below 0, or a bucket that is too
  // small for a single retry, so that none would ever be made.
  static absl::Status Check(const RetryBudgetOptions& options);
  // With options that Check has nothing against.
  RetryBudgetPolicy(std::shared_ptr<RetryPolicy> policy,
                    RetryBudgetOptions options = {});

  RetryDecision OnFailure(const AttemptFailure& failure) override;
  void OnSuccess() override;
  int DefaultMaxAttempts(int servers) const override {
    return policy_->DefaultMaxAttempts(servers);
  }
  absl::string_view name() const override { return "budget"; }

  // Tokens left.
  int tokens() const { return tokens_.load(std::memory_order_relaxed); }

 private:
  const std::shared_ptr<RetryPolicy> policy_;
  const RetryBudgetOptions options_;
  // Atomic, as each accepted job passes by here.
  std::atomic<int> tokens_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_RETRY_RETRY_BUDGET_H_
