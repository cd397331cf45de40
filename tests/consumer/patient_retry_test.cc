#include "patient_retry.h"

#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gtest/gtest.h"

namespace consumer {
namespace {

gearman::AttemptFailure Failure(int attempt, gearman::FailureReason reason) {
  gearman::AttemptFailure failure;
  failure.attempt = attempt;
  failure.max_attempts = 3;
  failure.reason = reason;
  return failure;
}

TEST(PatientRetry, WaitsLongerAfterEachFailure) {
  PatientRetry policy(absl::Milliseconds(5));
  const gearman::RetryDecision decision =
      policy.OnFailure(Failure(2, gearman::FailureReason::kConnect));
  EXPECT_TRUE(decision.again);
  EXPECT_EQ(decision.delay, absl::Milliseconds(10));
}

TEST(PatientRetry, GivesUpOnWhatTheServerRefused) {
  PatientRetry policy(absl::Milliseconds(5));
  EXPECT_FALSE(
      policy.OnFailure(Failure(1, gearman::FailureReason::kRefused)).again);
}

}  // namespace
}  // namespace consumer
