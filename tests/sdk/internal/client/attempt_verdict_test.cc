#include "gearman/sdk/internal/client/attempt_verdict.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;

// Says what it is told to, and counts how often it is asked.
class ScriptedPolicy : public RetryPolicy {
 public:
  RetryDecision OnFailure(const AttemptFailure& /*failure*/) override {
    ++asked;
    return decision;
  }
  absl::string_view name() const override { return "scripted"; }

  RetryDecision decision;
  int asked = 0;
};

// The three policies that follow, one of each kind, have a mistake: they throw.
class ThrowingRetryPolicy : public RetryPolicy {
 public:
  RetryDecision OnFailure(const AttemptFailure& /*failure*/) override {
    throw std::runtime_error("out of range");
  }
  absl::string_view name() const override { return "throwing"; }
};

class ThrowingBackoffPolicy : public BackoffPolicy {
 public:
  absl::Duration OnCompletion(const AttemptFailure& /*failure*/) override {
    throw 17;  // NOLINT
  }
  absl::string_view name() const override { return "throwing"; }
};

class ThrowingIdempotencyPolicy : public IdempotencyPolicy {
 public:
  MayRepeat Judge(const AttemptFailure& /*failure*/) override {
    throw std::runtime_error("no such task");
  }
  absl::string_view name() const override { return "throwing"; }
};

class AttemptVerdictTest : public ::testing::Test {
 protected:
  AttemptVerdictTest() {
    failure_.attempt = 1;
    failure_.max_attempts = 3;
    policy_.decision.again = true;
  }
  AttemptVerdict Judge(absl::Duration time_left = absl::InfiniteDuration(),
                       bool permanent = false) {
    const Logger logger(LogLevel::kWarning,
                        [this](LogLevel, absl::string_view message) {
                          logged_.push_back(std::string(message));
                        });
    return JudgeAttempt(failure_, {idempotency_, retry_, backoff_, logger},
                        permanent, time_left);
  }

  AttemptFailure failure_;
  ScriptedPolicy policy_;
  StandardIdempotencyPolicy standard_;
  RetryPolicy* retry_ = &policy_;
  IdempotencyPolicy* idempotency_ = &standard_;
  BackoffPolicy* backoff_ = nullptr;
  std::vector<std::string> logged_;
};

TEST_F(AttemptVerdictTest, GoesOnAtOnceAndElsewhereUnlessTold) {
  const AttemptVerdict verdict = Judge();
  EXPECT_TRUE(verdict.again);
  EXPECT_EQ(verdict.delay, absl::ZeroDuration());
  EXPECT_FALSE(verdict.same_server);
  EXPECT_FALSE(verdict.pinned);
}

TEST_F(AttemptVerdictTest, DoesNotAskThePolicyAboutWhatMayNotBeRepeated) {
  failure_.reason = FailureReason::kLostBeforeAcceptance;
  failure_.bytes_sent = true;
  const AttemptVerdict verdict = Judge();
  EXPECT_FALSE(verdict.again);
  EXPECT_EQ(verdict.why,
            "not repeated, as it is not marked idempotent and may have run");
  EXPECT_EQ(policy_.asked, 0);
}

TEST_F(AttemptVerdictTest, PinsWhatIsJoinedByItsUniqueToItsServer) {
  failure_.reason = FailureReason::kLostBeforeAcceptance;
  failure_.bytes_sent = true;
  failure_.has_explicit_unique = true;
  policy_.decision.next_server = NextServer::kOther;
  const AttemptVerdict verdict = Judge();
  EXPECT_TRUE(verdict.again);
  EXPECT_TRUE(verdict.same_server);
  EXPECT_TRUE(verdict.pinned);
}

TEST_F(AttemptVerdictTest, JoinsAnIdempotentJobThatMayStillRunWhereItWas) {
  failure_.reason = FailureReason::kLostAfterAcceptance;
  failure_.bytes_sent = true;
  failure_.idempotent = true;
  AttemptVerdict verdict = Judge();
  EXPECT_TRUE(verdict.same_server);
  EXPECT_FALSE(verdict.pinned);
  policy_.decision.next_server = NextServer::kOther;
  EXPECT_FALSE(Judge().same_server);
}

TEST_F(AttemptVerdictTest, StaysOnAServerWhenThePolicySaysSo) {
  policy_.decision.next_server = NextServer::kSame;
  EXPECT_TRUE(Judge().same_server);
  EXPECT_FALSE(Judge().pinned);
}

TEST_F(AttemptVerdictTest, AsksForADelayThatThePolicyLeavesOpen) {
  ConstantBackoffPolicy backoff(absl::Seconds(7));
  backoff_ = &backoff;
  EXPECT_EQ(Judge().delay, absl::Seconds(7));
  policy_.decision.delay = absl::Seconds(1);
  EXPECT_EQ(Judge().delay, absl::Seconds(1));
}

TEST_F(AttemptVerdictTest, GivesUpWhenTheDelayWouldBeTooLong) {
  policy_.decision.delay = absl::Seconds(5);
  EXPECT_TRUE(Judge(absl::Seconds(6)).again);
  const AttemptVerdict verdict = Judge(absl::Seconds(5));
  EXPECT_FALSE(verdict.again);
  EXPECT_EQ(verdict.why, "no time left for another attempt");
}

TEST_F(AttemptVerdictTest, GivesUpWhenEachServerHasRefused) {
  failure_.reason = FailureReason::kRefused;
  EXPECT_TRUE(Judge().again);
  failure_.refused_everywhere = true;
  const AttemptVerdict verdict = Judge();
  EXPECT_FALSE(verdict.again);
  EXPECT_EQ(verdict.why, "every server has refused it");
  policy_.decision.next_server = NextServer::kSame;
  EXPECT_TRUE(Judge().again);
  EXPECT_TRUE(Judge().same_server);
}

TEST_F(AttemptVerdictTest, GoesElsewhereAfterAStoreFailed) {
  failure_.reason = FailureReason::kStoreFailed;
  failure_.bytes_sent = true;
  failure_.has_explicit_unique = true;
  EXPECT_FALSE(Judge().again);
  failure_.idempotent = true;
  EXPECT_TRUE(Judge().again);
  EXPECT_FALSE(Judge().same_server);
}

TEST_F(AttemptVerdictTest, GivesUpAtTheMaximumWithoutAsking) {
  failure_.attempt = 3;
  EXPECT_EQ(Judge().why, "no further attempt is allowed");
  failure_.attempt = 1;
  failure_.max_attempts = 1;
  EXPECT_EQ(Judge().why, "no further attempt is allowed");
  EXPECT_EQ(policy_.asked, 0);
}

TEST_F(AttemptVerdictTest, GivesUpWhatCantBeHelped) {
  EXPECT_EQ(Judge(absl::InfiniteDuration(), /*permanent=*/true).why,
            "trying again can't help");
}

TEST_F(AttemptVerdictTest, QuotesThePolicyThatGivesUp) {
  policy_.decision = RetryDecision();
  EXPECT_EQ(Judge().why, "retry policy 'scripted': gives up");
  policy_.decision.why = "the budget for retries is spent";
  policy_.decision.budget_exhausted = true;
  const AttemptVerdict verdict = Judge();
  EXPECT_EQ(verdict.why,
            "retry policy 'scripted': the budget for retries is spent");
  EXPECT_TRUE(verdict.budget_exhausted);
}

// --- policies that throw

TEST_F(AttemptVerdictTest, GivesUpWhenTheRetryPolicyThrows) {
  ThrowingRetryPolicy throwing;
  retry_ = &throwing;
  const AttemptVerdict verdict = Judge();
  EXPECT_FALSE(verdict.again);
  EXPECT_EQ(verdict.why, "the retry policy has thrown an exception");
  EXPECT_THAT(logged_,
              ElementsAre("RetryPolicy::OnFailure has thrown: out of range"));
}

TEST_F(AttemptVerdictTest, WaitsTheUsualTimeWhenTheBackoffPolicyThrows) {
  ThrowingBackoffPolicy throwing;
  backoff_ = &throwing;
  failure_.attempt = 2;
  failure_.random = 0.5;
  const AttemptVerdict verdict = Judge();
  EXPECT_TRUE(verdict.again);
  EXPECT_EQ(verdict.delay, absl::Milliseconds(100));
  EXPECT_THAT(
      logged_,
      ElementsAre("BackoffPolicy::OnCompletion has thrown: unknown exception"));
}

TEST_F(AttemptVerdictTest, RepeatsNothingDoubtfulWhenTheIdempotencyThrows) {
  ThrowingIdempotencyPolicy throwing;
  idempotency_ = &throwing;
  failure_.idempotent = true;
  EXPECT_TRUE(Judge().again);
  EXPECT_THAT(logged_,
              ElementsAre("IdempotencyPolicy::Judge has thrown: no such "
                          "task"));
  failure_.reason = FailureReason::kLostBeforeAcceptance;
  failure_.bytes_sent = true;
  EXPECT_FALSE(Judge().again);
  EXPECT_EQ(policy_.asked, 1);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
