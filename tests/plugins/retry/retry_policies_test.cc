#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

AttemptFailure Failure(FailureReason reason, int attempt, int max_attempts) {
  AttemptFailure failure;
  failure.reason = reason;
  failure.attempt = attempt;
  failure.max_attempts = max_attempts;
  return failure;
}

TEST(NoRetryPolicy, GivesUpAtOnceAndSaysWhy) {
  NoRetryPolicy policy;
  const RetryDecision decision =
      policy.OnFailure(Failure(FailureReason::kConnect, 1, 5));
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(decision.why, "retries are turned off");
}

TEST(ImmediateRetryPolicy, GoesOnAtOnceAndElsewhere) {
  ImmediateRetryPolicy policy;
  const RetryDecision decision =
      policy.OnFailure(Failure(FailureReason::kConnect, 1, 3));
  EXPECT_TRUE(decision.again);
  EXPECT_EQ(decision.delay, std::nullopt);
  EXPECT_EQ(decision.next_server, NextServer::kAutomatic);
}

TEST(ImmediateRetryPolicy, MakesAsManyAttemptsAsTheRequestMay) {
  ImmediateRetryPolicy policy;
  EXPECT_TRUE(policy.OnFailure(Failure(FailureReason::kConnect, 2, 3)).again);
  const RetryDecision last =
      policy.OnFailure(Failure(FailureReason::kConnect, 3, 3));
  EXPECT_FALSE(last.again);
  EXPECT_EQ(last.why, "the maximum of attempts is used up");
}

TEST(ImmediateRetryPolicy, MakesNoMoreAttemptsThanItsOwnMaximum) {
  ImmediateRetryOptions options;
  options.max_attempts = 2;
  ImmediateRetryPolicy policy(options);
  EXPECT_TRUE(policy.OnFailure(Failure(FailureReason::kConnect, 1, 9)).again);
  EXPECT_FALSE(policy.OnFailure(Failure(FailureReason::kConnect, 2, 9)).again);
}

TEST(ImmediateRetryPolicy, NeverExceedsTheRequestsMaximum) {
  ImmediateRetryOptions options;
  options.max_attempts = 9;
  ImmediateRetryPolicy policy(options);
  EXPECT_FALSE(policy.OnFailure(Failure(FailureReason::kConnect, 2, 2)).again);
}

TEST(ImmediateRetryPolicy, TriesAnotherServerWhenOneRefuses) {
  const absl::Status full = absl::ResourceExhaustedError("QUEUE_ERROR");
  AttemptFailure failure = Failure(FailureReason::kRefused, 1, 2);
  failure.status = &full;
  EXPECT_TRUE(ImmediateRetryPolicy().OnFailure(failure).again);
}

TEST(ImmediateRetryPolicy, GivesUpOnWhatNoServerWouldTake) {
  const absl::Status bad = absl::InvalidArgumentError("ARGUMENT_TOO_LARGE");
  AttemptFailure failure = Failure(FailureReason::kRefused, 1, 2);
  failure.status = &bad;
  EXPECT_FALSE(ImmediateRetryPolicy().OnFailure(failure).again);
}

TEST(ImmediateRetryPolicy, TakesAWorkersAnswerAsFinal) {
  ImmediateRetryPolicy policy;
  EXPECT_EQ(policy.OnFailure(Failure(FailureReason::kJobFailed, 1, 5)).why,
            "the job failed");
  EXPECT_FALSE(
      policy.OnFailure(Failure(FailureReason::kException, 1, 5)).again);
}

TEST(ImmediateRetryPolicy, LeavesAServerThatDoesNotAnswer) {
  EXPECT_TRUE(ImmediateRetryPolicy()
                  .OnFailure(Failure(FailureReason::kTimedOut, 1, 5))
                  .again);
}

TEST(ImmediateRetryPolicy, AsksServersThatAreNotTrustedOnlyOnce) {
  const absl::Status untrusted = absl::UnauthenticatedError("unknown issuer");
  // TLS 1.3 tells it only once something was sent.
  for (const FailureReason reason :
       {FailureReason::kConnect, FailureReason::kLostBeforeAcceptance}) {
    AttemptFailure failure = Failure(reason, 1, 9);
    failure.status = &untrusted;
    failure.servers = 2;
    EXPECT_TRUE(ImmediateRetryPolicy().OnFailure(failure).again);
    failure.attempt = 2;
    EXPECT_EQ(ImmediateRetryPolicy().OnFailure(failure).why,
              "no server can be trusted");
  }
}

TEST(ImmediateRetryPolicy, TriesEachServerOnceUnlessToldOtherwise) {
  EXPECT_EQ(ImmediateRetryPolicy().DefaultMaxAttempts(5), 5);
  ImmediateRetryOptions options;
  options.max_attempts = 2;
  EXPECT_EQ(ImmediateRetryPolicy(options).DefaultMaxAttempts(5), 2);
}

class EachReason : public ::testing::TestWithParam<int> {};

TEST_P(EachReason, HasANameOfItsOwn) {
  const absl::string_view name =
      FailureReasonName(static_cast<FailureReason>(GetParam()));
  EXPECT_NE(name, "unknown");
  for (int other = 0; other < GetParam(); ++other) {
    EXPECT_NE(name, FailureReasonName(static_cast<FailureReason>(other)));
  }
}

TEST_P(EachReason, GetsAReasonWhenImmediateGivesUp) {
  ImmediateRetryPolicy policy;
  const RetryDecision decision =
      policy.OnFailure(Failure(static_cast<FailureReason>(GetParam()), 1, 1));
  EXPECT_FALSE(decision.again);
  EXPECT_FALSE(decision.why.empty());
}

INSTANTIATE_TEST_SUITE_P(FailureReason, EachReason,
                         ::testing::Range(0, kFailureReasonCount));

}  // namespace
}  // namespace gearman
