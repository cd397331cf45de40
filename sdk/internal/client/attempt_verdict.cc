#include "gearman/sdk/internal/client/attempt_verdict.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/client/default_plugins.h"
#include "gearman/sdk/internal/logged_call.h"

namespace gearman {
namespace internal {

AttemptVerdict JudgeAttempt(const AttemptFailure& failure,
                            const AttemptPolicies& policies, bool permanent,
                            absl::Duration time_left) {
  AttemptVerdict verdict;
  if (permanent) {
    verdict.why = "trying again can't help";
    return verdict;
  }
  MayRepeat may_repeat = IdempotencyPolicy::SurelyNotAccepted(failure)
                             ? MayRepeat::kAnywhere
                             : MayRepeat::kNo;
  CallLoggingThrow(policies.logger, "IdempotencyPolicy::Judge",
                   [&] { may_repeat = policies.idempotency->Judge(failure); });
  if (may_repeat == MayRepeat::kNo) {
    verdict.why =
        "not repeated, as it is not marked idempotent and may have run";
    return verdict;
  }
  if (failure.attempt >= failure.max_attempts) {
    verdict.why = "no further attempt is allowed";
    return verdict;
  }
  std::optional<RetryDecision> made;
  absl::string_view policy;
  if (!CallLoggingThrow(policies.logger, "RetryPolicy::OnFailure", [&] {
        made = policies.retry->OnFailure(failure);
        policy = policies.retry->name();
      })) {
    verdict.why = "the retry policy has thrown an exception";
    return verdict;
  }
  const RetryDecision& decision = *made;
  if (!decision.again) {
    verdict.budget_exhausted = decision.budget_exhausted;
    verdict.why =
        absl::StrCat("retry policy '", policy,
                     "': ", decision.why.empty() ? "gives up" : decision.why);
    return verdict;
  }
  if (failure.refused_everywhere && decision.next_server != NextServer::kSame) {
    verdict.why = "every server has refused it";
    return verdict;
  }
  if (decision.delay.has_value()) {
    verdict.delay = *decision.delay;
  } else if (policies.backoff != nullptr &&
             !CallLoggingThrow(
                 policies.logger, "BackoffPolicy::OnCompletion", [&] {
                   verdict.delay = policies.backoff->OnCompletion(failure);
                 })) {
    verdict.delay = DefaultBackoff(failure);
  }
  verdict.delay = std::max(verdict.delay, absl::ZeroDuration());
  if (verdict.delay >= time_left) {
    verdict.why = "no time left for another attempt";
    verdict.late = time_left <= absl::ZeroDuration();
    return verdict;
  }
  verdict.again = true;
  verdict.pinned = may_repeat == MayRepeat::kOnSameServer;
  switch (decision.next_server) {
    case NextServer::kAutomatic:
      // A job that this server may have already is joined there by its unique.
      // A job that has ended is not on that server any more.
      verdict.same_server = !IdempotencyPolicy::SurelyNotAccepted(failure) &&
                            failure.reason != FailureReason::kStoreFailed &&
                            failure.reason != FailureReason::kJobFailed &&
                            failure.reason != FailureReason::kException;
      break;
    case NextServer::kSame:
      verdict.same_server = true;
      break;
    case NextServer::kOther:
      break;
  }
  verdict.same_server = verdict.same_server || verdict.pinned;
  return verdict;
}

}  // namespace internal
}  // namespace gearman
