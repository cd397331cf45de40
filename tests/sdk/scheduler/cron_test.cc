#include "gearman/sdk/scheduler/cron.h"

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

// The next `count` times after `after`, as "2026-03-29T03:00:00+02:00".
std::vector<std::string> Times(absl::string_view expression,
                               absl::string_view after, int count,
                               absl::TimeZone zone = absl::UTCTimeZone()) {
  const auto cron = CronExpression::Parse(expression);
  EXPECT_TRUE(cron.ok()) << cron.status();
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, after, zone, &time, &error))
      << error;
  std::vector<std::string> times;
  for (int i = 0; cron.ok() && i < count; ++i) {
    time = cron->Next(time, zone);
    times.push_back(absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, zone));
  }
  return times;
}

TEST(CronTest, NamesTheTimesOfItsFields) {
  EXPECT_THAT(
      Times("*/20 * * * *", "2026-11-30T01:20:00Z", 3),
      ElementsAre("2026-11-30T01:40:00+00:00", "2026-11-30T02:00:00+00:00",
                  "2026-11-30T02:20:00+00:00"));
  EXPECT_THAT(
      Times("30 2 * * *", "2026-12-31T02:30:00Z", 2),
      ElementsAre("2027-01-01T02:30:00+00:00", "2027-01-02T02:30:00+00:00"));
  EXPECT_THAT(
      Times("0 9-17/4 * * mon-fri", "2026-11-27T16:00:00Z", 4),
      ElementsAre("2026-11-27T17:00:00+00:00", "2026-11-30T09:00:00+00:00",
                  "2026-11-30T13:00:00+00:00", "2026-11-30T17:00:00+00:00"));
  EXPECT_THAT(
      Times("0 0 29 FEB *", "2026-01-01T00:00:00Z", 2),
      ElementsAre("2028-02-29T00:00:00+00:00", "2032-02-29T00:00:00+00:00"));
  EXPECT_THAT(
      Times("5,10,50-52 0 1 1,7 *", "2026-02-01T00:00:00Z", 6),
      ElementsAre("2026-07-01T00:05:00+00:00", "2026-07-01T00:10:00+00:00",
                  "2026-07-01T00:50:00+00:00", "2026-07-01T00:51:00+00:00",
                  "2026-07-01T00:52:00+00:00", "2027-01-01T00:05:00+00:00"));
}

TEST(CronTest, ATimeBetweenMinutesIsBeforeTheNextOne) {
  EXPECT_THAT(Times("* * * * *", "2026-11-30T01:20:59.999Z", 1),
              ElementsAre("2026-11-30T01:21:00+00:00"));
  EXPECT_THAT(Times("21 * * * *", "2026-11-30T01:21:00.5Z", 1),
              ElementsAre("2026-11-30T02:21:00+00:00"));
}

TEST(CronTest, EitherDayFitsIfBothAreRestricted) {
  // The 13th, and every Friday.
  EXPECT_THAT(
      Times("0 0 13 * 5", "2026-11-10T00:00:00Z", 4),
      ElementsAre("2026-11-13T00:00:00+00:00", "2026-11-20T00:00:00+00:00",
                  "2026-11-27T00:00:00+00:00", "2026-12-04T00:00:00+00:00"));
  // "*/2" begins with "*": both must fit.
  EXPECT_THAT(
      Times("0 0 */2 * 5", "2026-11-10T00:00:00Z", 2),
      ElementsAre("2026-11-13T00:00:00+00:00", "2026-11-27T00:00:00+00:00"));
}

TEST(CronTest, SundayIsZeroAndSeven) {
  for (const char* const sunday : {"0", "7", "sun", "6-7"}) {
    EXPECT_THAT(
        Times(absl::StrCat("0 0 * * ", sunday), "2026-11-28T12:00:00Z", 1),
        ElementsAre("2026-11-29T00:00:00+00:00"))
        << sunday;
  }
}

TEST(CronTest, ShortNamesStandForLines) {
  EXPECT_THAT(Times("@hourly", "2026-11-30T01:20:00Z", 1),
              ElementsAre("2026-11-30T02:00:00+00:00"));
  EXPECT_THAT(Times("@daily", "2026-11-30T01:20:00Z", 1),
              ElementsAre("2026-12-01T00:00:00+00:00"));
  EXPECT_THAT(Times("@weekly", "2026-11-30T01:20:00Z", 1),
              ElementsAre("2026-12-06T00:00:00+00:00"));
  EXPECT_THAT(Times("@monthly", "2026-11-30T01:20:00Z", 1),
              ElementsAre("2026-12-01T00:00:00+00:00"));
  EXPECT_THAT(Times(" @yearly ", "2026-11-30T01:20:00Z", 1),
              ElementsAre("2027-01-01T00:00:00+00:00"));
}

TEST(CronTest, ATimeThatIsLeftOutHappensAtTheChange) {
  // 02:00 becomes 03:00 on 2026-03-29.
  EXPECT_THAT(
      Times("30 2 * * *", "2026-03-28T00:00:00Z", 3, Zone("Europe/Berlin")),
      ElementsAre("2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00",
                  "2026-03-30T02:30:00+02:00"));
  EXPECT_THAT(
      Times("30 * * * *", "2026-03-29T00:00:00Z", 2, Zone("Europe/Berlin")),
      ElementsAre("2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"));
}

TEST(CronTest, ATimeThatComesTwiceHappensOnceUnlessTheHourIsAny) {
  // 03:00 becomes 02:00 on 2026-10-25.
  EXPECT_THAT(
      Times("30 2 * * *", "2026-10-24T12:00:00Z", 2, Zone("Europe/Berlin")),
      ElementsAre("2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"));
  EXPECT_THAT(
      Times("*/30 * * * *", "2026-10-24T23:30:00Z", 5, Zone("Europe/Berlin")),
      ElementsAre("2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00",
                  "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00",
                  "2026-10-25T03:00:00+01:00"));
}

TEST(CronTest, NoTimeIsAfterTheEnd) {
  EXPECT_EQ(CronExpression::Parse("@daily")->Next(absl::InfiniteFuture(),
                                                  absl::UTCTimeZone()),
            absl::InfiniteFuture());
}

TEST(CronTest, SaysWhatIsWrong) {
  const struct {
    const char* expression;
    const char* why;
  } kWrong[] = {
      {"", "has 0 fields instead of five"},
      {"* * * *", "has 4 fields instead of five"},
      {"* * * * * *", "has 6 fields instead of five"},
      {"@reboot", "\"@reboot\" is not known"},
      {"60 * * * *", "minute \"60\": not a number from 0 to 59"},
      {"* 24 * * *", "hour \"24\": not a number from 0 to 23"},
      {"* * 0 * *", "day of the month \"0\": not a number from 1 to 31"},
      {"* * * 13 *", "month \"13\": not a number from 1 to 12 and not a name"},
      {"* * * * 8", "day of the week \"8\": not a number from 0 to 7"},
      {"* * * * jan", "day of the week \"jan\": not a number"},
      {"-1 * * * *", "minute \"\": not a number"},
      {"+1 * * * *", "minute \"+1\": not a number"},
      {"1, * * * *", "minute \"\": not a number"},
      {"5-1 * * * *", "minute \"5-1\": the range is backwards"},
      {"5/2 * * * *", "minute \"5/2\": a step needs a range"},
      {"*/0 * * * *", "minute \"*/0\": a step is a number of at least 1"},
      {"*/x * * * *", "minute \"*/x\": a step is a number of at least 1"},
      {"1-2-3 * * * *", "minute \"2-3\": not a number"},
      {"0 0 30 2 *", "names a day that no year has"},
      {"0 0 31 4,6,9,11 *", "names a day that no year has"},
  };
  for (const auto& wrong : kWrong) {
    const absl::Status status =
        CronExpression::Parse(wrong.expression).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong.expression;
    EXPECT_THAT(std::string(status.message()), HasSubstr(wrong.why));
  }
}

// A field of random form, and the numbers that it holds.
struct Drawn {
  std::string text;
  std::set<int> numbers;
};
Drawn Draw(std::mt19937* random, int least, int most) {
  const auto upto = [random](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(*random);
  };
  std::vector<std::string> parts;
  std::set<int> numbers;
  for (int part = upto(1, 3); part > 0; --part) {
    const bool all = upto(0, 5) == 0;
    const int begin = all ? least : upto(least, most);
    const int end = all ? most : upto(begin, most);
    const int step = upto(1, most);
    const bool stepped = upto(0, 2) == 0;
    parts.push_back(
        absl::StrCat(all ? std::string("*") : absl::StrCat(begin, "-", end),
                     stepped ? absl::StrCat("/", step) : ""));
    for (int n = begin; n <= end; n += stepped ? step : 1) numbers.insert(n);
  }
  return {absl::StrJoin(parts, ","), numbers};
}

// Looks at every minute of a month.
TEST(CronTest, NamesEachMinuteThatFitsAndNoOther) {
  std::mt19937 random(1);
  const absl::TimeZone utc = absl::UTCTimeZone();
  int times = 0;
  for (int i = 0; i < 30; ++i) {
    const Drawn minute = Draw(&random, 0, 59);
    const Drawn hour = Draw(&random, 0, 23);
    const Drawn day = Draw(&random, 1, 31);
    const Drawn month = Draw(&random, 1, 12);
    const Drawn weekday = Draw(&random, 0, 6);
    const std::string expression = absl::StrJoin(
        {minute.text, hour.text, day.text, month.text, weekday.text}, " ");
    const auto cron = CronExpression::Parse(expression);
    // Only days that no year has are refused.
    if (!cron.ok()) continue;
    const bool either = day.text[0] != '*' && weekday.text[0] != '*';
    const absl::Time begin = absl::FromCivil(absl::CivilDay(2028, 2, 10), utc);
    const absl::Time end = begin + absl::Hours(24 * 31);
    absl::Time next = cron->Next(begin - absl::Nanoseconds(1), utc);
    for (absl::Time time = begin; time < end; time += absl::Minutes(1)) {
      const absl::CivilMinute civil = absl::ToCivilMinute(time, utc);
      const bool in_day = day.numbers.count(civil.day()) > 0;
      const int of_week = (static_cast<int>(absl::GetWeekday(civil)) + 1) % 7;
      const bool in_week = weekday.numbers.count(of_week) > 0;
      const bool fits = minute.numbers.count(civil.minute()) > 0 &&
                        hour.numbers.count(civil.hour()) > 0 &&
                        month.numbers.count(civil.month()) > 0 &&
                        (either ? in_day || in_week : in_day && in_week);
      ASSERT_EQ(fits, next == time) << expression << " at " << time;
      if (!fits) continue;
      ++times;
      next = cron->Next(next, utc);
    }
  }
  EXPECT_GT(times, 300);
}

}  // namespace
}  // namespace gearman
