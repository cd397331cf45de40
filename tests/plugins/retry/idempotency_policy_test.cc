#include "gearman/plugins/retry/idempotency_policy.h"

#include "gtest/gtest.h"

namespace gearman {
namespace {

AttemptFailure Failure(FailureReason reason, bool bytes_sent) {
  AttemptFailure failure;
  failure.reason = reason;
  failure.bytes_sent = bytes_sent;
  return failure;
}

MayRepeat Standard(const AttemptFailure& failure) {
  return StandardIdempotencyPolicy().Judge(failure);
}

MayRepeat Strict(const AttemptFailure& failure) {
  return StrictIdempotencyPolicy().Judge(failure);
}

TEST(IdempotencyPolicy, LetsWhatSurelyNeverLeftBeRepeatedAnywhere) {
  for (const FailureReason reason :
       {FailureReason::kConnect, FailureReason::kLostBeforeAcceptance,
        FailureReason::kTimedOut}) {
    EXPECT_EQ(Standard(Failure(reason, false)), MayRepeat::kAnywhere);
    EXPECT_EQ(Strict(Failure(reason, false)), MayRepeat::kAnywhere);
  }
}

TEST(IdempotencyPolicy, LetsWhatWasSurelyRefusedBeRepeatedAnywhere) {
  EXPECT_EQ(Standard(Failure(FailureReason::kRefused, true)),
            MayRepeat::kAnywhere);
  EXPECT_EQ(Strict(Failure(FailureReason::kRefused, true)),
            MayRepeat::kAnywhere);
}

TEST(IdempotencyPolicy, RepeatsNoDoubtfulSubmissionWithoutAUnique) {
  for (const FailureReason reason :
       {FailureReason::kLostBeforeAcceptance, FailureReason::kTimedOut}) {
    EXPECT_EQ(Standard(Failure(reason, true)), MayRepeat::kNo);
    EXPECT_EQ(Strict(Failure(reason, true)), MayRepeat::kNo);
  }
}

TEST(IdempotencyPolicy, JoinsADoubtfulSubmissionByItsUniqueOnTheSameServer) {
  for (const FailureReason reason :
       {FailureReason::kLostBeforeAcceptance, FailureReason::kTimedOut}) {
    AttemptFailure failure = Failure(reason, true);
    failure.has_explicit_unique = true;
    EXPECT_EQ(Standard(failure), MayRepeat::kOnSameServer);
    EXPECT_EQ(Strict(failure), MayRepeat::kNo);
  }
}

TEST(IdempotencyPolicy, RunsAnAcceptedJobAgainOnlyWhenItIsMarked) {
  for (const FailureReason reason :
       {FailureReason::kStoreFailed, FailureReason::kLostAfterAcceptance,
        FailureReason::kJobFailed, FailureReason::kException}) {
    AttemptFailure failure = Failure(reason, true);
    failure.has_explicit_unique = true;
    EXPECT_EQ(Standard(failure), MayRepeat::kNo);
    EXPECT_EQ(Strict(failure), MayRepeat::kNo);
    failure.idempotent = true;
    EXPECT_EQ(Standard(failure), MayRepeat::kAnywhere);
    EXPECT_EQ(Strict(failure), MayRepeat::kAnywhere);
  }
}

}  // namespace
}  // namespace gearman
