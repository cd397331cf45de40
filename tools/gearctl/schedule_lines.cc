#include "gearman/tools/gearctl/schedule_lines.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gearman/sdk/scheduler.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace gearctl {
namespace {

constexpr absl::string_view kBlanks = " \t";
constexpr absl::string_view kZoneVariable = "CRON_TZ";
constexpr int kCronFields = 5;

void SkipBlanks(absl::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// Takes the next word and the blanks behind it. Empty: there is none.
absl::string_view TakeWord(absl::string_view& rest) {
  const absl::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(word.size());
  SkipBlanks(rest);
  return word;
}

// Returns the text behind "CRON_TZ =". nullopt: the line is no such line.
std::optional<absl::string_view> ZoneOf(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, kZoneVariable)) return std::nullopt;
  SkipBlanks(line);
  if (!absl::ConsumePrefix(&line, "=")) return std::nullopt;
  return absl::StripAsciiWhitespace(line);
}

// Other names lead to other files than those of the time zones.
bool IsZoneName(absl::string_view name) {
  return !name.empty() && absl::ascii_isalpha(name[0]) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '/' || c == '_' || c == '-' ||
                  c == '+';
         });
}

absl::Status Wrong(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

absl::Status LoadZone(absl::string_view name, absl::TimeZone* zone) {
  if (IsZoneName(name) && absl::LoadTimeZone(std::string(name), zone)) {
    return absl::OkStatus();
  }
  return Wrong(absl::StrCat(
      "this system knows no time zone \"", SafeText(name),
      "\": expected a name such as UTC or Europe/Berlin (Debian: tzdata)"));
}

absl::Status TakeDistance(absl::string_view& rest, Schedule& schedule) {
  const absl::string_view word = TakeWord(rest);
  if (absl::ParseDuration(word, &schedule.every) &&
      schedule.every > absl::ZeroDuration()) {
    return absl::OkStatus();
  }
  return Wrong(absl::StrCat("schedule \"", SafeText(schedule.name),
                            "\": @every \"", SafeText(word),
                            "\": expected whole seconds such as 30s, 5m or "
                            "1h30m"));
}

absl::Status TakeTimes(absl::string_view& rest, Schedule& schedule) {
  absl::string_view word = TakeWord(rest);
  if (word == "@every") return TakeDistance(rest, schedule);
  schedule.cron = std::string(word);
  if (absl::StartsWith(word, "@")) return absl::OkStatus();
  for (int field = 1; field < kCronFields && !rest.empty(); ++field) {
    word = TakeWord(rest);
    absl::StrAppend(&schedule.cron, " ", word);
  }
  if (!rest.empty()) return absl::OkStatus();
  return Wrong(absl::StrCat("schedule \"", SafeText(schedule.name),
                            "\": the line ends too early: expected NAME TIMES "
                            "TASK [DATA], where TIMES is five fields, @hourly "
                            "or the like, or @every 5m"));
}

absl::StatusOr<internal::Ticks> ParseLine(absl::string_view line,
                                          absl::TimeZone zone) {
  Schedule schedule;
  schedule.time_zone = zone;
  schedule.name = std::string(TakeWord(line));
  absl::Status status = TakeTimes(line, schedule);
  if (!status.ok()) return status;
  schedule.task = std::string(TakeWord(line));
  status = CheckListable("the task", schedule.task);
  if (!status.ok()) return status;
  schedule.data = std::string(line);
  return internal::Ticks::Of(std::move(schedule));
}

}  // namespace

absl::StatusOr<std::vector<internal::Ticks>> ParseScheduleLines(
    absl::string_view text, absl::string_view file) {
  std::vector<internal::Ticks> schedules;
  std::map<std::string, int64_t> line_of;  // by the schedule's name
  absl::TimeZone zone = absl::UTCTimeZone();
  int64_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const auto at_line = [&](const absl::Status& status) {
      return absl::Status(
          status.code(),
          absl::StrCat(SafeText(file), ":", number, ": ", status.message()));
    };
    absl::ConsumeSuffix(&line, "\r");
    SkipBlanks(line);
    if (line.empty() || line[0] == '#') continue;
    if (const std::optional<absl::string_view> name = ZoneOf(line)) {
      const absl::Status loaded = LoadZone(*name, &zone);
      if (!loaded.ok()) return at_line(loaded);
      continue;
    }
    absl::StatusOr<internal::Ticks> ticks = ParseLine(line, zone);
    if (!ticks.ok()) return at_line(ticks.status());
    const std::string& name = ticks->schedule().name;
    const auto [other, added] = line_of.emplace(name, number);
    if (!added) {
      return at_line(
          Wrong(absl::StrCat("schedule \"", SafeText(name), "\": line ",
                             other->second, " has one of this name")));
    }
    schedules.push_back(*std::move(ticks));
  }
  if (schedules.empty()) {
    return Wrong(absl::StrCat(SafeText(file), ": there is no schedule in it"));
  }
  return schedules;
}

}  // namespace gearctl
}  // namespace gearman
