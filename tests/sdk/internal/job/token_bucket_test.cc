#include "gearman/sdk/internal/job/token_bucket.h"

#include <limits>

#include "absl/time/time.h"
#include "gearman/sdk/worker_options.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(3600);

RateLimit Rate(double per_second, int burst) {
  RateLimit rate;
  rate.jobs_per_second = per_second;
  rate.burst = burst;
  return rate;
}

TEST(TokenBucket, IsFullAtFirstAndFillsUpAgain) {
  TokenBucket bucket;
  bucket.SetRate(Rate(10, 3), kStart);
  for (int left = 3; left > 0; --left) {
    EXPECT_EQ(bucket.Tokens(kStart), left);
    EXPECT_LE(bucket.next(), kStart);
    bucket.Take(kStart);
  }
  EXPECT_EQ(bucket.Tokens(kStart), 0);
  EXPECT_EQ(bucket.next(), kStart + absl::Milliseconds(100));
  EXPECT_EQ(bucket.Tokens(bucket.next() - absl::Nanoseconds(1)), 0);
  EXPECT_EQ(bucket.Tokens(bucket.next()), 1);
  EXPECT_EQ(bucket.Tokens(kStart + absl::Milliseconds(299)), 2);
  EXPECT_EQ(bucket.Tokens(kStart + absl::Milliseconds(300)), 3);
  EXPECT_EQ(bucket.Tokens(kStart + absl::Hours(1000)), 3);
}

// Rounding never adds up: a million tokens later the time is exact.
TEST(TokenBucket, KeepsItsRateForEver) {
  TokenBucket bucket;
  bucket.SetRate(Rate(1000, 1), kStart);
  absl::Time now = kStart;
  for (int i = 0; i < 1000000; ++i) {
    ASSERT_EQ(bucket.Tokens(now), 1);
    bucket.Take(now);
    ASSERT_EQ(bucket.Tokens(now), 0);
    now = bucket.next();
  }
  EXPECT_EQ(now, kStart + absl::Seconds(1000));
}

TEST(TokenBucket, ATokenMayBePutBack) {
  TokenBucket bucket;
  bucket.SetRate(Rate(1, 2), kStart);
  bucket.Take(kStart);
  bucket.Take(kStart);
  bucket.PutBack();
  EXPECT_EQ(bucket.Tokens(kStart), 1);
  EXPECT_EQ(bucket.Tokens(kStart + absl::Seconds(1)), 2);
}

TEST(TokenBucket, TokensTakenAreMissingAfterTheRateHasChanged) {
  TokenBucket bucket;
  bucket.SetRate(Rate(1e-6, 2), kStart);
  bucket.Take(kStart);
  bucket.Take(kStart);
  EXPECT_GT(bucket.next(), kStart + absl::Hours(24));
  // The long wait for a token of the slow rate is over.
  bucket.SetRate(Rate(1, 5), kStart);
  EXPECT_EQ(bucket.Tokens(kStart), 3);
  EXPECT_EQ(bucket.Tokens(kStart + absl::Seconds(2)), 5);
  bucket.SetRate(Rate(1, 1), kStart);
  EXPECT_EQ(bucket.Tokens(kStart), 0);
  EXPECT_EQ(bucket.next(), kStart + absl::Seconds(1));
  // A rate that is set again changes nothing.
  bucket.SetRate(Rate(1, 1), kStart + absl::Milliseconds(900));
  EXPECT_EQ(bucket.next(), kStart + absl::Seconds(1));
}

TEST(TokenBucket, WithoutARateThereIsAlwaysAToken) {
  TokenBucket bucket;
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(bucket.limited());
    EXPECT_EQ(bucket.Tokens(kStart), std::numeric_limits<int>::max());
    bucket.Take(kStart);
    bucket.SetRate(Rate(1, 1), kStart);
    EXPECT_TRUE(bucket.limited());
    EXPECT_EQ(bucket.Tokens(kStart), 1);
    bucket.Take(kStart);
    bucket.SetRate(RateLimit(), kStart);
  }
}

// The limits of CheckTask.
TEST(TokenBucket, TheSlowestRateWithTheLargestBurst) {
  TokenBucket bucket;
  bucket.SetRate(Rate(1e-6, 1000000), kStart);
  for (int i = 0; i < 1000000; ++i) bucket.Take(kStart);
  EXPECT_EQ(bucket.Tokens(kStart), 0);
  EXPECT_EQ(bucket.next(), kStart + absl::Seconds(1000000));
  EXPECT_EQ(bucket.Tokens(bucket.next()), 1);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
