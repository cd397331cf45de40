#include "gearman/tools/gearctl/schedule_lines.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/scheduler.h"
#include "gearman/sdk/scheduler/ticks.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/text/safe_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using internal::Ticks;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<Ticks> Parse(const std::string& text) {
  absl::StatusOr<std::vector<Ticks>> schedules =
      ParseScheduleLines(text, "jobs.cron");
  EXPECT_TRUE(schedules.ok()) << schedules.status();
  return schedules.ok() ? *schedules : std::vector<Ticks>();
}

std::string Error(const std::string& text) {
  const absl::Status status = ParseScheduleLines(text, "jobs.cron").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << text << status;
  return std::string(status.message());
}

// The first tick of a schedule after a time in UTC.
std::string FirstAfter(Ticks ticks, const std::string& time) {
  absl::Time after;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_sec, time, &after, &error));
  ticks.MoveBehind(after);
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", ticks.next(),
                          absl::UTCTimeZone());
}

TEST(ScheduleLinesTest, FiveFieldsAreFollowedByTaskAndData) {
  const std::vector<Ticks> schedules =
      Parse("nightly 30 2 * * 1-5 report all of it\n");
  ASSERT_THAT(schedules, SizeIs(1));
  const Schedule& schedule = schedules[0].schedule();
  EXPECT_EQ(schedule.name, "nightly");
  EXPECT_EQ(schedule.cron, "30 2 * * 1-5");
  EXPECT_EQ(schedule.every, absl::ZeroDuration());
  EXPECT_EQ(schedule.task, "report");
  EXPECT_EQ(schedule.data, "all of it");
  // The next day is a Saturday.
  EXPECT_EQ(FirstAfter(schedules[0], "2026-11-27T02:30:00Z"),
            "2026-11-30T02:30:00Z");
}

TEST(ScheduleLinesTest, AWordOrADistanceMayTakeTheirPlace) {
  const std::vector<Ticks> schedules =
      Parse("a @hourly t\nb @every 1h30m t some data\n");
  ASSERT_THAT(schedules, SizeIs(2));
  EXPECT_EQ(FirstAfter(schedules[0], "2026-11-27T02:30:00Z"),
            "2026-11-27T03:00:00Z");
  EXPECT_EQ(schedules[0].schedule().data, "");
  EXPECT_EQ(schedules[1].schedule().every, absl::Minutes(90));
  EXPECT_EQ(schedules[1].schedule().cron, "");
  EXPECT_EQ(schedules[1].schedule().data, "some data");
}

TEST(ScheduleLinesTest, DataIsTheRestOfTheLineAsItIs) {
  // Blanks between words separate them, and blanks in data are data.
  const std::string data("a  \t\"b\" # %s \\n \0 \xff\r $HOME  ", 28);
  const std::vector<Ticks> schedules =
      Parse(absl::StrCat("\t a\t@hourly \t t   ", data, "\n"));
  ASSERT_THAT(schedules, SizeIs(1));
  EXPECT_EQ(schedules[0].schedule().task, "t");
  EXPECT_EQ(schedules[0].schedule().data, data);
}

TEST(ScheduleLinesTest, AnyLineEndIsNoPartOfTheData) {
  for (const char* const text :
       {"a @hourly t x", "a @hourly t x\n", "a @hourly t x\r\n"}) {
    const std::vector<Ticks> schedules = Parse(text);
    ASSERT_THAT(schedules, SizeIs(1));
    EXPECT_EQ(schedules[0].schedule().data, "x");
  }
  EXPECT_EQ(Parse("a @hourly t\r\n")[0].schedule().task, "t");
}

TEST(ScheduleLinesTest, CommentsAndEmptyLinesAreLeftOut) {
  EXPECT_THAT(Parse("# b @hourly t\n\n  \t\n  # c\na @hourly t # data\n"),
              SizeIs(1));
}

TEST(ScheduleLinesTest, ATimeZoneCountsForTheLinesBelowIt) {
  const std::vector<Ticks> schedules = Parse(
      "a 0 12 * * * t\n"
      "CRON_TZ=Europe/Berlin\n"
      "b 0 12 * * * t\n"
      " CRON_TZ = UTC \n"
      "c 0 12 * * * t\n");
  ASSERT_THAT(schedules, SizeIs(3));
  const std::string morning = "2026-11-27T00:00:00Z";
  EXPECT_EQ(FirstAfter(schedules[0], morning), "2026-11-27T12:00:00Z");
  EXPECT_EQ(FirstAfter(schedules[1], morning), "2026-11-27T11:00:00Z");
  EXPECT_EQ(FirstAfter(schedules[2], morning), "2026-11-27T12:00:00Z");
  EXPECT_EQ(schedules[1].schedule().time_zone.name(), "Europe/Berlin");
}

TEST(ScheduleLinesTest, AnUnknownTimeZoneIsAnErrorWithItsLine) {
  for (const char* const zone :
       {"", "Europe/Atlantis", "/etc/passwd", "../zoneinfo/UTC", "file:x"}) {
    const std::string error =
        Error(absl::StrCat("a @hourly t\nCRON_TZ=", zone, "\n"));
    EXPECT_THAT(error, StartsWith("jobs.cron:2: "));
    EXPECT_THAT(error, HasSubstr(absl::StrCat("time zone \"", zone, "\"")));
  }
}

TEST(ScheduleLinesTest, AMistakeIsNamedWithItsLine) {
  struct Case {
    const char* line;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"a", "schedule \"a\": the line ends too early: expected NAME"},
           {"a 30 2 * *", "schedule \"a\": the line ends too early"},
           {"a 30 2 * * *", "schedule \"a\": the line ends too early"},
           {"a 61 2 * * * t", "schedule \"a\": cron: minute \"61\""},
           {"a 30 2 * * t data", "day of the week \"t\""},
           {"a 0 0 30 2 * t", "schedule \"a\": cron: "},
           {"a @reboot t", "schedule \"a\": cron: "},
           {"a @hourly", "schedule \"a\": it needs a task"},
           {"a @every", "schedule \"a\": @every \"\": expected whole seconds"},
           {"a @every 5 t", "schedule \"a\": @every \"5\": expected whole"},
           {"a @every 0s t", "@every \"0s\""},
           {"a @every -5m t", "@every \"-5m\""},
           {"a @every 1500ms t", "every must be whole seconds"},
           {"a @every inf t", "every must be whole seconds"},
           {"a @every 5m", "schedule \"a\": it needs a task"},
           {"a\x01 @hourly t", "schedule \"a\\x01\": its name has"},
           {"a @hourly t\x01", "the task"},
       }) {
    const std::string error = Error(absl::StrCat("\n# x\n", c.line, "\n"));
    EXPECT_THAT(error, StartsWith("jobs.cron:3: ")) << c.line;
    EXPECT_THAT(error, HasSubstr(c.error)) << c.line;
  }
}

TEST(ScheduleLinesTest, ANameThatIsTooLongForAUniqueIsAnError) {
  const std::string longest(Scheduler::kMaxNameBytes, 'a');
  EXPECT_THAT(Parse(longest + " @hourly t"), SizeIs(1));
  EXPECT_THAT(Error(longest + "a @hourly t"),
              HasSubstr("its name has 41 bytes"));
}

TEST(ScheduleLinesTest, WhateverALineHoldsAMessageIsOneSafeLine) {
  for (const support::HostileName& hostile : support::HostileNames()) {
    const std::string& name = hostile.name;
    for (const std::string& text : std::vector<std::string>{
             absl::StrCat(name, " @nope t"), absl::StrCat("a @", name, " t"),
             absl::StrCat("a ", name, " 2 * * * t"),
             absl::StrCat("a 1 2 * * ", name, " t"),
             absl::StrCat("a @every ", name, " t"),
             absl::StrCat("CRON_TZ=", name, "\n")}) {
      const absl::Status status = ParseScheduleLines(text, name).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << hostile.safe;
      EXPECT_TRUE(IsSafeLine(status.message())) << status.message();
    }
  }
}

TEST(ScheduleLinesTest, ANameOfTwoLinesIsAnErrorThatNamesBoth) {
  EXPECT_EQ(Error("a @hourly t\n\na @daily t\n"),
            "jobs.cron:3: schedule \"a\": line 1 has one of this name");
}

TEST(ScheduleLinesTest, AFileWithoutAScheduleIsAnError) {
  for (const char* const text : {"", "\n", "# a @hourly t", "CRON_TZ=UTC\n"}) {
    EXPECT_EQ(Error(text), "jobs.cron: there is no schedule in it");
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
