#include "gearman/sdk/scheduler/cron.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

struct Field {
  const char* name;
  int least;
  int most;
  // Names of the numbers from `least` on.
  absl::Span<const absl::string_view> names;
};

constexpr absl::string_view kMonths[] = {"jan", "feb", "mar", "apr",
                                         "may", "jun", "jul", "aug",
                                         "sep", "oct", "nov", "dec"};
constexpr absl::string_view kWeekdays[] = {"sun", "mon", "tue", "wed",
                                           "thu", "fri", "sat"};
constexpr Field kMinute = {"minute", 0, 59, {}};
constexpr Field kHour = {"hour", 0, 23, {}};
constexpr Field kDay = {"day of the month", 1, 31, {}};
const Field kMonth = {"month", 1, 12, kMonths};
const Field kWeekday = {"day of the week", 0, 7, kWeekdays};

// Days and weekdays repeat after this many years, so that a minute that fits is
// found in them or never.
constexpr int kYears = 400;

// Clocks are never set back by more.
constexpr absl::Duration kLongestFold = absl::Hours(3);

absl::Status Wrong(const Field& field, absl::string_view text,
                   absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("cron: ", field.name, " \"", SafeText(text), "\": ", why));
}

absl::StatusOr<int> ParseNumber(const Field& field, absl::string_view text) {
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (absl::EqualsIgnoreCase(text, field.names[i])) {
      return field.least + static_cast<int>(i);
    }
  }
  int number = 0;
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!digits || !absl::SimpleAtoi(text, &number) || number < field.least ||
      number > field.most) {
    return Wrong(
        field, text,
        absl::StrCat("not a number from ", field.least, " to ", field.most,
                     field.names.empty() ? "" : " and not a name"));
  }
  return number;
}

// The numbers of one field, as bits.
absl::StatusOr<uint64_t> ParseField(const Field& field,
                                    absl::string_view text) {
  uint64_t bits = 0;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> range_and_step =
        absl::StrSplit(part, absl::MaxSplits('/', 1));
    const absl::string_view range = range_and_step[0];
    int first = field.least;
    int last = field.most;
    if (range != "*") {
      const std::vector<absl::string_view> ends =
          absl::StrSplit(range, absl::MaxSplits('-', 1));
      const absl::StatusOr<int> begin = ParseNumber(field, ends[0]);
      if (!begin.ok()) return begin.status();
      const absl::StatusOr<int> end = ParseNumber(field, ends.back());
      if (!end.ok()) return end.status();
      if (*end < *begin) return Wrong(field, range, "the range is backwards");
      first = *begin;
      last = *end;
    }
    int step = 1;
    if (range_and_step.size() > 1) {
      if (range != "*" && !absl::StrContains(range, '-')) {
        return Wrong(field, part, "a step needs a range or \"*\" before it");
      }
      if (!absl::SimpleAtoi(range_and_step[1], &step) || step < 1) {
        return Wrong(field, part, "a step is a number of at least 1");
      }
    }
    // Written so that a huge step can't overflow.
    for (int n = first; n <= last; n += std::min(step, field.most + 1)) {
      bits |= uint64_t{1} << n;
    }
  }
  return bits;
}

absl::string_view LineOf(absl::string_view text) {
  if (text == "@hourly") return "0 * * * *";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  return text;
}

bool Has(uint64_t bits, int n) { return (bits >> n & 1) != 0; }

}  // namespace

absl::StatusOr<CronExpression> CronExpression::Parse(absl::string_view text) {
  const absl::string_view line = LineOf(absl::StripAsciiWhitespace(text));
  if (absl::StartsWith(line, "@")) {
    return absl::InvalidArgumentError(
        absl::StrCat("cron: \"", SafeText(line),
                     "\" is not known; there are @hourly, @daily, ",
                     "@weekly, @monthly and @yearly"));
  }
  const std::vector<absl::string_view> fields =
      absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (fields.size() != 5) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cron: \"", SafeText(line), "\" has ", fields.size(),
        " fields instead of five (minute, hour, day of the month, month, day "
        "of the week)"));
  }
  CronExpression cron;
  using Bits = decltype(&CronExpression::minutes_);
  const struct {
    const Field& field;
    Bits bits;
  } kFields[] = {{kMinute, &CronExpression::minutes_},
                 {kHour, &CronExpression::hours_},
                 {kDay, &CronExpression::days_},
                 {kMonth, &CronExpression::months_},
                 {kWeekday, &CronExpression::weekdays_}};
  for (size_t i = 0; i < fields.size(); ++i) {
    const absl::StatusOr<uint64_t> bits =
        ParseField(kFields[i].field, fields[i]);
    if (!bits.ok()) return bits.status();
    cron.*kFields[i].bits = *bits;
  }
  if (Has(cron.weekdays_, 7)) cron.weekdays_ |= 1;
  cron.any_hour_ = fields[1] == "*";
  cron.either_day_ =
      !absl::StartsWith(fields[2], "*") && !absl::StartsWith(fields[4], "*");
  const absl::CivilMinute begin(2000, 1, 1);
  if (cron.FirstFrom(begin).year() >= begin.year() + kYears) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cron: \"", SafeText(line), "\" names a day that no year has"));
  }
  return cron;
}

bool CronExpression::FitsDay(absl::CivilDay day) const {
  // absl::Weekday begins with Monday.
  const int weekday = (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;
  const bool fits_day = Has(days_, day.day());
  const bool fits_weekday = Has(weekdays_, weekday);
  return Has(months_, day.month()) &&
         (either_day_ ? fits_day || fits_weekday : fits_day && fits_weekday);
}

bool CronExpression::Fits(absl::CivilMinute minute) const {
  return FitsDay(absl::CivilDay(minute)) && Has(hours_, minute.hour()) &&
         Has(minutes_, minute.minute());
}

absl::CivilMinute CronExpression::FirstFrom(absl::CivilMinute minute) const {
  const absl::civil_year_t end = minute.year() + kYears;
  while (minute.year() < end) {
    if (!Has(months_, minute.month())) {
      minute = absl::CivilMinute(absl::CivilMonth(minute) + 1);
    } else if (!FitsDay(absl::CivilDay(minute))) {
      minute = absl::CivilMinute(absl::CivilDay(minute) + 1);
    } else if (!Has(hours_, minute.hour())) {
      minute = absl::CivilMinute(absl::CivilHour(minute) + 1);
    } else if (!Has(minutes_, minute.minute())) {
      ++minute;
    } else {
      return minute;
    }
  }
  return minute;
}

absl::Time CronExpression::Next(absl::Time after, absl::TimeZone zone) const {
  if (after == absl::InfiniteFuture()) return after;
  absl::CivilMinute minute(zone.At(after).cs);
  if (any_hour_) {
    // Real minutes, so that an hour that comes twice has its times twice.
    const absl::Time begin = zone.At(absl::CivilSecond(minute)).pre;
    for (absl::Time time = begin; time <= after + kLongestFold;
         time += absl::Minutes(1)) {
      const absl::CivilSecond civil = zone.At(time).cs;
      if (time > after && civil.second() == 0 && Fits(absl::CivilMinute(civil)))
        return time;
    }
  }
  for (;;) {
    minute = FirstFrom(minute);
    const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(minute));
    const absl::Time time =
        info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
    if (time > after) return time;
    ++minute;
  }
}

}  // namespace gearman
