#include "transient_error_retry.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"

namespace acme {

TransientErrorRetry::TransientErrorRetry(std::vector<std::string> words,
                                         int max_attempts)
    : words_(std::move(words)), max_attempts_(max_attempts) {}

gearman::RetryDecision TransientErrorRetry::OnFailure(
    const gearman::AttemptFailure& failure) {
  gearman::RetryDecision decision;
  if (failure.reason != gearman::FailureReason::kException ||
      failure.status == nullptr) {
    decision.why = "not a transient error";
    return decision;
  }
  if (failure.attempt >= failure.max_attempts) {
    decision.why = "the maximum of attempts is used up";
    return decision;
  }
  const absl::string_view text = failure.status->message();
  decision.again = std::any_of(words_.begin(), words_.end(),
                               [text](const std::string& word) {
                                 return absl::StrContains(text, word);
                               });
  if (!decision.again) decision.why = "not a transient error";
  return decision;
}

int TransientErrorRetry::DefaultMaxAttempts(int /*servers*/) const {
  return max_attempts_;
}

absl::StatusOr<std::unique_ptr<gearman::RetryPolicy>> MakeTransientErrorRetry(
    const TransientErrorRetryConfig& config) {
  if (config.words().empty()) {
    return gearman::FieldError("words", "an empty list",
                               "expected a word such as \"deadlock\"");
  }
  const int max_attempts =
      config.has_max_attempts() ? config.max_attempts() : 3;
  if (max_attempts < 1) {
    return gearman::FieldError("max_attempts", absl::StrCat(max_attempts),
                               "expected at least 1");
  }
  return std::make_unique<TransientErrorRetry>(
      std::vector<std::string>(config.words().begin(), config.words().end()),
      max_attempts);
}

}  // namespace acme
