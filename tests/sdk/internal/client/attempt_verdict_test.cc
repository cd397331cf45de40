#include "gearman/sdk/internal/client/attempt_verdict.h"

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

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

class AttemptVerdictTest : public ::testing::Test {
 protected:
  AttemptVerdictTest() {
    failure_.attempt = 1;
    failure_.max_attempts = 3;
    policy_.decision.again = true;
  }
  AttemptVerdict Judge(absl::Duration time_left = absl::InfiniteDuration(),
                       bool permanent = false) {
    return JudgeAttempt(failure_, {&idempotency_, &policy_, backoff_},
                        permanent, time_left);
  }

  AttemptFailure failure_;
  ScriptedPolicy policy_;
  StandardIdempotencyPolicy idempotency_;
  BackoffPolicy* backoff_ = nullptr;
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

TEST_F(AttemptVerdictTest, GivesUpAtTheMaximumWithoutAsking) {
  failure_.attempt = 3;
  EXPECT_EQ(Judge().why, "all 3 attempts used");
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

}  // namespace
}  // namespace internal
}  // namespace gearman
