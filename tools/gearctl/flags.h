// The flags of gearctl. Each Subcommand says which flags it takes.
//
// The help of a flag begins with a word in capitals if that word describes the
// flag's value (subcommand.h: FlagValue). The type of a flag has the range of
// its values, so no subcommand gets a value out of range.
#ifndef GEARMAN_TOOLS_GEARCTL_FLAGS_H_
#define GEARMAN_TOOLS_GEARCTL_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {
namespace gearctl {

// Reads a time as in a config: "500ms", "10s", "1h30m", from `least` to `most`
// milliseconds, or "inf" if `forever` allows it. A number without a unit is
// refused, because it might mean seconds or milliseconds. Returns false and
// sets `*error` if the text is wrong. For "inf" `*nanoseconds` is the greatest
// number.
bool ParseFlagTime(absl::string_view text, int64_t least, int64_t most,
                   bool forever, int64_t* nanoseconds, std::string* error);
// Reads a whole number from `least` to `most`.
bool ParseFlagNumber(absl::string_view text, int64_t least, int64_t most,
                     int64_t* number, std::string* error);
absl::Duration FlagDuration(int64_t nanoseconds);

// A time as the value of a flag. It is one word, so that such a flag is read
// without a lock. A default may be out of range: it then means that the flag
// was not given.
template <int64_t kLeast, int64_t kMost, bool kForever = false>
class FlagTime {
 public:
  FlagTime() = default;
  explicit FlagTime(absl::Duration time)
      : nanoseconds_(absl::ToInt64Nanoseconds(time)) {}

  absl::Duration duration() const { return FlagDuration(nanoseconds_); }

  friend bool AbslParseFlag(absl::string_view text, FlagTime* time,
                            std::string* error) {
    return ParseFlagTime(text, kLeast, kMost, kForever, &time->nanoseconds_,
                         error);
  }
  friend std::string AbslUnparseFlag(FlagTime time) {
    return absl::FormatDuration(time.duration());
  }

 private:
  int64_t nanoseconds_ = 0;
};

// A whole number as the value of a flag. Its default may be out of range, too.
template <int64_t kLeast, int64_t kMost>
class FlagNumber {
 public:
  FlagNumber() = default;
  explicit FlagNumber(int64_t number) : number_(number) {}

  int64_t value() const { return number_; }

  friend bool AbslParseFlag(absl::string_view text, FlagNumber* number,
                            std::string* error) {
    return ParseFlagNumber(text, kLeast, kMost, &number->number_, error);
  }
  friend std::string AbslUnparseFlag(FlagNumber number) {
    return std::to_string(number.value());
  }

 private:
  int64_t number_ = 0;
};

// If a config has such a value, the range is that of the config.
constexpr int64_t kYearMilliseconds = int64_t{365} * 24 * 3600 * 1000;
// 0: not given.
using FlagTimeout = FlagTime<1, kYearMilliseconds, /*kForever=*/true>;
using FlagInterval = FlagTime<10, kYearMilliseconds>;
using FlagSpan = FlagTime<1, kYearMilliseconds>;
// Attempts after the first one.
using FlagRetries = FlagNumber<0, 999>;
// 0: not given.
using FlagConcurrency = FlagNumber<1, 10'000>;
using FlagCount = FlagNumber<1, 1'000'000'000'000>;
using FlagInFlight = FlagNumber<1, 1'000'000>;
using FlagWorkers = FlagNumber<1, 1000>;
// 0: not given.
using FlagTimes = FlagNumber<1, 1'000'000>;
// The range of SchedulerOptions.
using FlagLead = FlagTime<1, int64_t{24} * 3600 * 1000>;
using FlagMargin = FlagTime<0, int64_t{24} * 3600 * 1000>;
// Bytes.
using FlagSize = FlagNumber<0, 1 << 30>;

}  // namespace gearctl
}  // namespace gearman

// Flags of every subcommand.
ABSL_DECLARE_FLAG(std::vector<std::string>, server);
ABSL_DECLARE_FLAG(std::string, config);
ABSL_DECLARE_FLAG(bool, json);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagTimeout, timeout);
ABSL_DECLARE_FLAG(bool, verbose);

// Flags of submit. `background` is also a flag of bench, and `unique` of job.
ABSL_DECLARE_FLAG(std::string, data);
ABSL_DECLARE_FLAG(std::string, file);
ABSL_DECLARE_FLAG(bool, background);
ABSL_DECLARE_FLAG(std::string, priority);
ABSL_DECLARE_FLAG(std::string, unique);
ABSL_DECLARE_FLAG(std::string, epoch);
ABSL_DECLARE_FLAG(std::string, reducer);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagRetries, retries);
ABSL_DECLARE_FLAG(bool, lines);
ABSL_DECLARE_FLAG(bool, null);

// Flags of work. `count` is also a flag of ping.
ABSL_DECLARE_FLAG(gearman::gearctl::FlagConcurrency, concurrency);
ABSL_DECLARE_FLAG(bool, stream);
ABSL_DECLARE_FLAG(std::string, control);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagCount, count);

// Flags of schedule.
ABSL_DECLARE_FLAG(gearman::gearctl::FlagTimes, next);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagLead, lead);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagMargin, margin);

// Flags of subcommands that watch, ask, steer and serve.
ABSL_DECLARE_FLAG(bool, watch);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagInterval, interval);
ABSL_DECLARE_FLAG(bool, priorities);
ABSL_DECLARE_FLAG(bool, uniques);
ABSL_DECLARE_FLAG(bool, graceful);
ABSL_DECLARE_FLAG(std::vector<std::string>, listen);

// Flags of bench.
ABSL_DECLARE_FLAG(gearman::gearctl::FlagCount, jobs);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagSpan, duration);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagInFlight, in_flight);
ABSL_DECLARE_FLAG(double, rate);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagSize, size);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagWorkers, workers);
ABSL_DECLARE_FLAG(std::string, svg);

#endif  // GEARMAN_TOOLS_GEARCTL_FLAGS_H_
