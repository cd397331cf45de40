#include "gearman/plugins/retry/retry_budget.h"

#include <limits>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/status/status.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

AttemptFailure Failure(bool timed_out = false) {
  AttemptFailure failure;
  failure.max_attempts = 3;
  failure.timed_out = timed_out;
  return failure;
}

std::shared_ptr<RetryPolicy> Immediate() {
  return std::make_shared<ImmediateRetryPolicy>();
}

TEST(RetryBudgetPolicy, ChargesARetryFiveAndOneAfterATimeOutTen) {
  RetryBudgetPolicy policy(Immediate());
  EXPECT_EQ(policy.tokens(), 500);
  EXPECT_TRUE(policy.OnFailure(Failure()).again);
  EXPECT_EQ(policy.tokens(), 495);
  EXPECT_TRUE(policy.OnFailure(Failure(/*timed_out=*/true)).again);
  EXPECT_EQ(policy.tokens(), 485);
}

TEST(RetryBudgetPolicy, GivesOneBackForEachSuccessUpToAFullBucket) {
  RetryBudgetPolicy policy(Immediate());
  policy.OnSuccess();
  EXPECT_EQ(policy.tokens(), 500);
  EXPECT_TRUE(policy.OnFailure(Failure()).again);
  policy.OnSuccess();
  EXPECT_EQ(policy.tokens(), 496);
}

TEST(RetryBudgetPolicy, ARefundOfAnySizeFillsTheBucket) {
  RetryBudgetOptions options;
  options.success_refund = std::numeric_limits<int>::max();
  RetryBudgetPolicy policy(Immediate(), options);
  EXPECT_TRUE(policy.OnFailure(Failure()).again);
  policy.OnSuccess();
  EXPECT_EQ(policy.tokens(), 500);
}

TEST(RetryBudgetPolicy, EndsRetriesWhenItIsSpentAndSaysSo) {
  RetryBudgetOptions options;
  options.max_tokens = 12;
  RetryBudgetPolicy policy(Immediate(), options);
  EXPECT_TRUE(policy.OnFailure(Failure()).again);
  EXPECT_TRUE(policy.OnFailure(Failure()).again);
  const RetryDecision spent = policy.OnFailure(Failure());
  EXPECT_FALSE(spent.again);
  EXPECT_TRUE(spent.budget_exhausted);
  EXPECT_EQ(spent.why, "the budget for retries is spent");
  EXPECT_EQ(policy.tokens(), 2);
}

TEST(RetryBudgetPolicy, ChargesNothingForWhatIsNotTriedAgain) {
  RetryBudgetPolicy policy(std::make_shared<NoRetryPolicy>());
  const RetryDecision decision = policy.OnFailure(Failure());
  EXPECT_FALSE(decision.again);
  EXPECT_FALSE(decision.budget_exhausted);
  EXPECT_EQ(policy.tokens(), 500);
}

// A server is down for good: each of many requests fails three times over.
TEST(RetryBudgetPolicy, KeepsTheExtraLoadOfADeadServerBelowATenth) {
  constexpr int kRequests = 2000;
  RetryBudgetPolicy policy(Immediate());
  int retries = 0;
  for (int i = 0; i < kRequests; ++i) {
    AttemptFailure failure = Failure();
    while (policy.OnFailure(failure).again) {
      ++retries;
      ++failure.attempt;
    }
  }
  EXPECT_EQ(retries, 100);
  EXPECT_LT(retries, kRequests / 10);
}

TEST(RetryBudgetPolicy, CountsRightWithManyThreads) {
  constexpr int kThreads = 8;
  RetryBudgetOptions options;
  options.max_tokens = 100000;
  RetryBudgetPolicy policy(Immediate(), options);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&policy] {
      for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(policy.OnFailure(Failure()).again);
        policy.OnSuccess();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // A success that finds the bucket full gives nothing, so not all come back.
  EXPECT_LE(policy.tokens(), 100000 - kThreads * 1000 * 4 + 1000);
  EXPECT_GE(policy.tokens(), 100000 - kThreads * 1000 * 5);
}

TEST(RetryBudgetPolicy, RefusesABucketThatIsTooSmallForOneRetry) {
  RetryBudgetOptions options;
  options.max_tokens = 4;
  const absl::Status status =
      RetryBudgetPolicy::Create(Immediate(), options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("max_tokens: 4 is not valid: it must be at least "
                        "retry_cost, 5"));
  options.max_tokens = 5;
  const auto policy = RetryBudgetPolicy::Create(Immediate(), options);
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_TRUE((*policy)->OnFailure(Failure()).again);
  options.success_refund = -1;
  EXPECT_FALSE(RetryBudgetPolicy::Create(Immediate(), options).ok());
}

TEST(RetryBudgetPolicy, AsksItsPolicyHowManyAttemptsThereAre) {
  EXPECT_EQ(RetryBudgetPolicy(Immediate()).DefaultMaxAttempts(4), 4);
}

}  // namespace
}  // namespace gearman
