#include "gearman/plugins/retry/exponential_backoff.h"

#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

AttemptFailure Failure(int attempt, double random) {
  AttemptFailure failure;
  failure.attempt = attempt;
  failure.max_attempts = 100;
  failure.random = random;
  return failure;
}

// The delays after the first failures.
std::vector<absl::Duration> Delays(BackoffPolicy* policy, int count,
                                   double random) {
  std::vector<absl::Duration> delays;
  for (int attempt = 1; attempt <= count; ++attempt) {
    delays.push_back(policy->OnCompletion(Failure(attempt, random)));
  }
  return delays;
}

TEST(ExponentialBackoffPolicy, DoublesTheDelayUpToACap) {
  ExponentialBackoffOptions options;
  options.max_delay = absl::Milliseconds(500);
  ExponentialBackoffPolicy policy(options);
  EXPECT_THAT(Delays(&policy, 5, /*random=*/0),
              ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200),
                          absl::Milliseconds(400), absl::Milliseconds(500),
                          absl::Milliseconds(500)));
}

TEST(ExponentialBackoffPolicy, NoDelayStaysNoneHoweverManyAttemptsFail) {
  ExponentialBackoffOptions options;
  options.initial_delay = absl::ZeroDuration();
  options.multiplier = 100;
  // 100 to the power of 999 is more than a double can tell.
  EXPECT_EQ(ExponentialDelay(options, 1000, /*random=*/0.5),
            absl::ZeroDuration());
}

TEST(ExponentialBackoffPolicy, SpreadsTheWholeDelayByDefault) {
  ExponentialBackoffPolicy policy;
  EXPECT_THAT(Delays(&policy, 3, /*random=*/0.75),
              ElementsAre(absl::Milliseconds(25), absl::Milliseconds(50),
                          absl::Milliseconds(100)));
}

TEST(ExponentialBackoffPolicy, SpreadsAPartOfTheDelayWhenToldTo) {
  ExponentialBackoffOptions options;
  options.jitter = 0.2;
  ExponentialBackoffPolicy policy(options);
  EXPECT_THAT(Delays(&policy, 2, /*random=*/0.5),
              ElementsAre(absl::Milliseconds(90), absl::Milliseconds(180)));
}

TEST(ExponentialBackoffPolicy, StaysAtTheCapHoweverManyFailures) {
  ExponentialBackoffPolicy policy;
  EXPECT_EQ(policy.OnCompletion(Failure(100000, 0)), absl::Seconds(20));
}

TEST(ExponentialBackoffRetryPolicy, MakesThreeAttemptsOnHoweverManyServers) {
  ExponentialBackoffRetryPolicy policy;
  EXPECT_EQ(policy.DefaultMaxAttempts(1), 3);
  EXPECT_EQ(policy.DefaultMaxAttempts(9), 3);
  const RetryDecision first = policy.OnFailure(Failure(1, 0));
  EXPECT_TRUE(first.again);
  EXPECT_EQ(first.delay, absl::Milliseconds(100));
  EXPECT_EQ(policy.OnFailure(Failure(2, 0)).delay, absl::Milliseconds(200));
  // The client sets max_attempts to DefaultMaxAttempts.
  AttemptFailure third = Failure(3, 0);
  third.max_attempts = policy.DefaultMaxAttempts(9);
  const RetryDecision last = policy.OnFailure(third);
  EXPECT_FALSE(last.again);
  EXPECT_EQ(last.why, "the maximum of attempts is used up");
}

TEST(ExponentialBackoffRetryPolicy, TakesAWorkersAnswerAsFinal) {
  AttemptFailure failure = Failure(1, 0);
  failure.reason = FailureReason::kJobFailed;
  EXPECT_FALSE(ExponentialBackoffRetryPolicy().OnFailure(failure).again);
}

// A number that is set in a request or a client is the number of attempts.
TEST(ExponentialBackoffRetryPolicy, TheRequestsNumberCountsWhenNoneIsSet) {
  ExponentialBackoffRetryPolicy policy;
  AttemptFailure failure;
  failure.max_attempts = 10;
  for (failure.attempt = 1; failure.attempt < 10; ++failure.attempt) {
    EXPECT_TRUE(policy.OnFailure(failure).again) << failure.attempt;
  }
  EXPECT_FALSE(policy.OnFailure(failure).again);
}

TEST(ExponentialBackoffRetryPolicy, ANumberOfItsOwnIsALimitThatIsNamed) {
  ExponentialBackoffRetryOptions options;
  options.max_attempts = 2;
  ExponentialBackoffRetryPolicy policy(options);
  EXPECT_EQ(policy.DefaultMaxAttempts(9), 2);
  AttemptFailure failure;
  failure.max_attempts = 10;
  EXPECT_TRUE(policy.OnFailure(failure).again);
  failure.attempt = 2;
  const RetryDecision decision = policy.OnFailure(failure);
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(decision.why,
            "its own max_attempts are used up, though the request may make "
            "more");
}

}  // namespace
}  // namespace gearman
