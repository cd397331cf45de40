#include "gearman/benchmarks/flood/measured.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gearman/benchmarks/flood/floods.h"
#include "gearman/benchmarks/flood/neighbour.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace benchmarks {
namespace {

using ::testing::HasSubstr;

FloodResult WithP99(double milliseconds) {
  FloodResult result;
  result.p99 = milliseconds;
  return result;
}

FloodReport TenSeconds() {
  FloodReport report;
  report.began = absl::FromUnixSeconds(100);
  report.ended = absl::FromUnixSeconds(110);
  report.answers = 500;
  return report;
}

TEST(FloodResultTest, CountsOnlyEchoesThatWereDueDuringTheFlood) {
  const std::vector<Echo> echoes = {
      {absl::FromUnixSeconds(99), absl::Seconds(9), true},
      {absl::FromUnixSeconds(101), absl::Milliseconds(3), true},
      {absl::FromUnixSeconds(102), absl::Milliseconds(4), true},
      {absl::FromUnixSeconds(103), absl::Milliseconds(50), false},
      {absl::FromUnixSeconds(111), absl::Seconds(9), false}};
  const FloodResult result = ResultOf(echoes, false, TenSeconds(), 0.5);
  EXPECT_EQ(result.reason, "");
  EXPECT_DOUBLE_EQ(result.p50, 4);
  EXPECT_DOUBLE_EQ(result.max, 50);
  EXPECT_DOUBLE_EQ(result.unanswered, 1);
  EXPECT_DOUBLE_EQ(result.answers_per_second, 50);
  EXPECT_DOUBLE_EQ(result.cores, 0.5);
}

TEST(FloodResultTest, HasAReasonWhereThereIsNoNumber) {
  EXPECT_EQ(ResultOf({}, false, TenSeconds(), 0).reason,
            "the flood was over before the first echo");
  EXPECT_EQ(ResultOf({}, true, TenSeconds(), 0).reason,
            "the neighbour's connection was closed");
  EXPECT_EQ(ResultOf({}, false, ReadReport("not ready: too slow\n"), 0).reason,
            "too slow");
}

TEST(FloodResultTest, OfSeveralRoundsIsTheMedianOrAReason) {
  EXPECT_DOUBLE_EQ(MedianOf({WithP99(1), WithP99(30), WithP99(2)}).p99, 2);
  FloodResult failed;
  failed.reason = "too slow";
  EXPECT_EQ(MedianOf({WithP99(1), failed}).reason, "too slow");
}

TEST(FloodGoalTest, IsAbsoluteAndBesideGearmandWhereThatIsSlow) {
  EXPECT_EQ(GoalOf(1, WithP99(20), nullptr), "met");
  EXPECT_EQ(GoalOf(1, WithP99(21), nullptr), "missed: over 20 ms");
  EXPECT_EQ(GoalOf(20, WithP99(100), nullptr), "met");
  EXPECT_EQ(GoalOf(20, WithP99(101), nullptr), "missed: over 100 ms");
  const FloodResult slow = WithP99(16);
  EXPECT_EQ(GoalOf(1, WithP99(8), &slow), "met");
  EXPECT_EQ(GoalOf(1, WithP99(9), &slow), "missed: over half of gearmand's");
  const FloodResult quick = WithP99(10);
  EXPECT_EQ(GoalOf(1, WithP99(9), &quick), "met");
}

TEST(FloodTableTest, HasAReasonInTheCellOfAServerWithoutNumbers) {
  FloodRow row;
  row.kind = "status";
  row.embedded = {WithP99(3)};
  row.gearmand = {ResultOf({}, false, ReadReport("not ready: too slow"), 0)};
  EXPECT_THAT(FloodTable({row}),
              HasSubstr("| status | 1 | 0.00 / 3.00 / 0.00 | too slow |"));
}

TEST(FloodTableTest, SaysWhatWasNotAnsweredAndWhoWasClosed) {
  FloodRow row;
  row.kind = "status";
  row.embedded = {WithP99(3000)};
  row.embedded[0].unanswered = 7;
  row.embedded[0].closed = 2;
  EXPECT_THAT(FloodTable({row}),
              HasSubstr("0.00 / 3000 / 0.00 at least, 7 unanswered, 2 flooding "
                        "connections closed | - |"));
}

TEST(PoisonTableTest, MeetsTheGoalFromNineTenthsOn) {
  PoisonResult good;
  good.plain = 1000;
  good.mixed = 900;
  PoisonResult bad = good;
  bad.mixed = 899;
  PoisonResult stuck = good;
  stuck.reason = "stuck";
  EXPECT_THAT(PoisonTable({{"s", {good}}}),
              HasSubstr("| s | 1000 | 900 | 0.90 | met |"));
  EXPECT_THAT(PoisonTable({{"s", {bad}}}), HasSubstr("missed: under 0.9"));
  EXPECT_THAT(PoisonTable({{"s", {stuck}}}), HasSubstr("missed: stuck"));
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman
