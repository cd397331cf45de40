#include "gearman/plugins/retry/retry_budget.h"

#include <algorithm>
#include <utility>

namespace gearman {

RetryBudgetPolicy::RetryBudgetPolicy(std::shared_ptr<RetryPolicy> policy,
                                     RetryBudgetOptions options)
    : policy_(std::move(policy)),
      options_(options),
      tokens_(options.max_tokens) {}

RetryDecision RetryBudgetPolicy::OnFailure(const AttemptFailure& failure) {
  RetryDecision decision = policy_->OnFailure(failure);
  if (!decision.again) return decision;
  const int cost =
      failure.timed_out ? options_.timeout_cost : options_.retry_cost;
  int tokens = this->tokens();
  do {
    if (tokens < cost) {
      decision = RetryDecision();
      decision.budget_exhausted = true;
      decision.why = "the budget for retries is spent";
      return decision;
    }
  } while (!tokens_.compare_exchange_weak(tokens, tokens - cost,
                                          std::memory_order_relaxed));
  return decision;
}

void RetryBudgetPolicy::OnSuccess() {
  policy_->OnSuccess();
  int tokens = this->tokens();
  while (tokens < options_.max_tokens &&
         !tokens_.compare_exchange_weak(
             tokens,
             std::min(tokens + options_.success_refund, options_.max_tokens),
             std::memory_order_relaxed)) {
  }
}

}  // namespace gearman
