#include "gearman/tools/gearctl/latencies.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// `is` is `wanted`, but for the step that it is counted in.
void ExpectNear(absl::Duration is, absl::Duration wanted) {
  EXPECT_GE(is, wanted);
  EXPECT_LE(is, wanted * 1.01);
}

TEST(LatenciesTest, PercentilesAreRightToOnePercent) {
  Latencies latencies;
  for (int i = 1; i <= 10000; ++i) latencies.Add(absl::Microseconds(i));
  EXPECT_EQ(latencies.count(), 10000);
  EXPECT_EQ(latencies.min(), absl::Microseconds(1));
  EXPECT_EQ(latencies.max(), absl::Microseconds(10000));
  EXPECT_EQ(latencies.mean(), absl::Microseconds(5000.5));
  ExpectNear(latencies.Percentile(0.5), absl::Microseconds(5000));
  ExpectNear(latencies.Percentile(0.99), absl::Microseconds(9900));
  ExpectNear(latencies.Percentile(0.999), absl::Microseconds(9990));
  EXPECT_EQ(latencies.Percentile(1), latencies.max());
  ExpectNear(latencies.Percentile(0), latencies.min());
}

TEST(LatenciesTest, OneIsAllPercentiles) {
  Latencies latencies;
  latencies.Add(absl::Milliseconds(3));
  EXPECT_EQ(latencies.Percentile(0.001), absl::Milliseconds(3));
  EXPECT_EQ(latencies.Percentile(0.5), absl::Milliseconds(3));
  EXPECT_EQ(latencies.mean(), absl::Milliseconds(3));
}

TEST(LatenciesTest, NoneAreZero) {
  const Latencies latencies;
  EXPECT_EQ(latencies.Percentile(0.5), absl::ZeroDuration());
  EXPECT_EQ(latencies.mean(), absl::ZeroDuration());
  EXPECT_TRUE(latencies.Bars(20).empty());
  EXPECT_EQ(TextPlot(latencies, 80), "");
}

TEST(LatenciesTest, ExtremesAreCounted) {
  Latencies latencies;
  latencies.Add(-absl::Seconds(1));
  latencies.Add(absl::Nanoseconds(1));
  latencies.Add(absl::InfiniteDuration());
  EXPECT_EQ(latencies.count(), 3);
  EXPECT_EQ(latencies.min(), absl::ZeroDuration());
  EXPECT_EQ(latencies.max(), absl::InfiniteDuration());
}

TEST(LatenciesTest, BarsHoldEverythingOnce) {
  for (const int64_t spread : {1, 3, 100, 1000000}) {
    Latencies latencies;
    for (int64_t i = 0; i < 1000; ++i) {
      latencies.Add(absl::Nanoseconds(1000 + i * spread));
    }
    const std::vector<Latencies::Bar> bars = latencies.Bars(20);
    ASSERT_FALSE(bars.empty());
    EXPECT_LE(bars.size(), 22u);
    int64_t sum = 0;
    absl::Duration last = absl::ZeroDuration();
    for (const Latencies::Bar& bar : bars) {
      EXPECT_GT(bar.limit, last);
      last = bar.limit;
      sum += bar.count;
    }
    EXPECT_EQ(sum, 1000) << spread;
    EXPECT_GT(bars.front().count, 0);
    EXPECT_GT(bars.back().count, 0);
    EXPECT_GE(bars.back().limit * 1.01, latencies.max());
  }
}

TEST(LatenciesTest, DurationsAreWrittenInThreeDigits) {
  EXPECT_EQ(ShortDuration(absl::Nanoseconds(85)), "85ns");
  EXPECT_EQ(ShortDuration(absl::Nanoseconds(1234)), "1.23us");
  EXPECT_EQ(ShortDuration(absl::Nanoseconds(85340)), "85.3us");
  EXPECT_EQ(ShortDuration(absl::Nanoseconds(999600)), "1.00ms");
  EXPECT_EQ(ShortDuration(absl::Microseconds(123456)), "123ms");
  EXPECT_EQ(ShortDuration(absl::Seconds(12)), "12.0s");
  EXPECT_EQ(ShortDuration(absl::ZeroDuration()), "0ns");
}

TEST(LatenciesTest, ATextPlotShowsTheMostFrequentWidest) {
  Latencies latencies;
  for (int i = 0; i < 99; ++i) latencies.Add(absl::Milliseconds(1));
  latencies.Add(absl::Milliseconds(9.9));
  const std::string plot = TextPlot(latencies, 42);
  EXPECT_THAT(plot, HasSubstr("|##########        99  99.0%"));
  EXPECT_THAT(plot, HasSubstr("|#                  1   1.0%"));
}

TEST(LatenciesTest, AnSvgPlotHasABarForEachAndItsTitleEscaped) {
  Latencies latencies;
  latencies.Add(absl::Milliseconds(1));
  const std::string svg = SvgPlot(latencies, "a <task> & more");
  EXPECT_THAT(svg, HasSubstr("a &lt;task&gt; &amp; more"));
  EXPECT_THAT(svg, HasSubstr("at most 1."));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(SvgPlot(Latencies(), ""), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
