#include "gearman/plugins/retry/retry_budget.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"

namespace gearman {

absl::Status RetryBudgetPolicy::Check(const RetryBudgetOptions& options) {
  const std::pair<absl::string_view, int> numbers[] = {
      {"max_tokens", options.max_tokens},
      {"retry_cost", options.retry_cost},
      {"timeout_cost", options.timeout_cost},
      {"success_refund", options.success_refund}};
  for (const auto& [name, number] : numbers) {
    if (number < 0) {
      return FieldError(name, absl::StrCat(number), "it must be at least 0");
    }
  }
  if (options.max_tokens < options.retry_cost) {
    return FieldError(
        "max_tokens", absl::StrCat(options.max_tokens),
        absl::StrCat("it must be at least retry_cost, ", options.retry_cost,
                     ", or no retry could ever be made (retry { none {} } says "
                     "so plainly)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RetryBudgetPolicy>> RetryBudgetPolicy::Create(
    std::shared_ptr<RetryPolicy> policy, RetryBudgetOptions options) {
  absl::Status status = Check(options);
  if (!status.ok()) return status;
  return std::make_unique<RetryBudgetPolicy>(std::move(policy), options);
}

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
             tokens + std::min(options_.success_refund,
                               options_.max_tokens - tokens),
             std::memory_order_relaxed)) {
  }
}

}  // namespace gearman
