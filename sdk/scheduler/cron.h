// CronExpression: the times of a crontab line.
//
//   minute hour day-of-month month day-of-week
//   0-59   0-23 1-31         1-12  0-7, where 0 and 7 are Sunday
//
// A field is "*", a number, a range "a-b", or several of them with commas. "/n"
// after "*" or a range takes each n-th of it. Months and days of the week may
// be named by their first three letters: "jan", "MON". If both days are
// restricted (neither begins with "*"), a day that fits one of them fits, as in
// every cron. "@hourly", "@daily" ("@midnight"), "@weekly", "@monthly" and
// "@yearly" ("@annually") stand for their lines.
//
// Immutable; any thread.
#ifndef GEARMAN_SDK_SCHEDULER_CRON_H_
#define GEARMAN_SDK_SCHEDULER_CRON_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class CronExpression {
 public:
  // Returns INVALID_ARGUMENT with the field and what is wrong with it, also for
  // days that no year has ("0 0 30 2 *").
  static absl::StatusOr<CronExpression> Parse(absl::string_view text);

  // Returns the first time after `after` that the expression names in `zone`.
  // Where clocks are set forward, a time that is left out happens at the moment
  // of the change. Where they are set back, a time that comes twice happens the
  // first time. If the hour is "*", the hours count that really pass: a time
  // that is left out does not happen, and one that comes twice happens twice.
  absl::Time Next(absl::Time after, absl::TimeZone zone) const;

 private:
  CronExpression() = default;

  bool FitsDay(absl::CivilDay day) const;
  bool Fits(absl::CivilMinute minute) const;
  // The first minute that fits, from this one on.
  absl::CivilMinute FirstFrom(absl::CivilMinute minute) const;

  // Bit n: the number n fits.
  uint64_t minutes_ = 0;
  uint64_t hours_ = 0;
  uint64_t days_ = 0;
  uint64_t months_ = 0;
  uint64_t weekdays_ = 0;  // 0: Sunday
  bool any_hour_ = false;
  // Both fields of days are restricted.
  bool either_day_ = false;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_SCHEDULER_CRON_H_
