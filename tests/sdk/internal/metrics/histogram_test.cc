#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "gearman/sdk/internal/metrics/instruments.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

TEST(Histogram, PutsABoundIntoTheBucketItEnds) {
  Histogram histogram;
  histogram.Observe(absl::Microseconds(100));
  histogram.Observe(absl::Microseconds(100) + absl::Nanoseconds(1));
  histogram.Observe(absl::Minutes(30));
  histogram.Observe(absl::InfiniteDuration());
  histogram.Observe(-absl::Seconds(1));
  EXPECT_EQ(histogram.bucket(0), 2u);
  EXPECT_EQ(histogram.bucket(1), 1u);
  EXPECT_EQ(histogram.bucket(Histogram::kBuckets - 2), 1u);
  EXPECT_EQ(histogram.bucket(Histogram::kBuckets - 1), 1u);
  EXPECT_EQ(histogram.count(), 5u);
}

TEST(Histogram, PutsEachDurationBetweenTheBoundsOfItsBucket) {
  for (uint64_t ns = 1; ns < uint64_t{1} << 62; ns += ns / 7 + 1) {
    Histogram histogram;
    histogram.Observe(absl::Nanoseconds(ns));
    size_t expected = 0;
    while (expected < Histogram::kBounds.size() &&
           ns > static_cast<uint64_t>(Histogram::kBounds[expected])) {
      ++expected;
    }
    EXPECT_EQ(histogram.bucket(expected), 1u) << ns;
    EXPECT_EQ(histogram.sum(), ns);
  }
}

TEST(Histogram, HasAscendingBounds) {
  for (size_t i = 1; i < Histogram::kBounds.size(); ++i) {
    EXPECT_LT(Histogram::kBounds[i - 1], Histogram::kBounds[i]);
  }
}

}  // namespace
}  // namespace internal
}  // namespace gearman
