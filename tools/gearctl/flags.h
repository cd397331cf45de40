// The flags of gearctl. Which subcommand takes which, its Subcommand says.
//
// A flag's help begins with a word in capitals where that says what its value
// is (subcommand.h: FlagValue). The type of a flag has the range of its values,
// so that no subcommand gets one that makes no sense.
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

// Reads a time as a config has it: "500ms", "10s", "1h30m", from `least` to
// `most` milliseconds, or, where `forever` allows it, "inf". A number without a
// unit is refused: it would be seconds to some and milliseconds to others.
// False: `*error` says what is wrong. (`*nanoseconds` of "inf" is the greatest
// number.)
bool ParseFlagTime(absl::string_view text, int64_t least, int64_t most,
                   bool forever, int64_t* nanoseconds, std::string* error);
// Reads a whole number from `least` to `most`.
bool ParseFlagNumber(absl::string_view text, int64_t least, int64_t most,
                     int64_t* number, std::string* error);
absl::Duration FlagDuration(int64_t nanoseconds);

// A time as the value of a flag. One word, so that a flag of it is read without
// a lock. A default may lie outside of the range: it stands for a flag that was
// not given.
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

// A whole number as the value of a flag. The default is as a time's.
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

// The ranges are those of a config where it has such a value.
constexpr int64_t kYearMilliseconds = int64_t{365} * 24 * 3600 * 1000;
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
// Bytes.
using FlagSize = FlagNumber<0, 1 << 30>;

}  // namespace gearctl
}  // namespace gearman

// Every subcommand's.
ABSL_DECLARE_FLAG(std::vector<std::string>, server);
ABSL_DECLARE_FLAG(std::string, config);
ABSL_DECLARE_FLAG(bool, json);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagTimeout, timeout);
ABSL_DECLARE_FLAG(bool, verbose);

// Of submit (background: of bench, too; unique: of job, too).
ABSL_DECLARE_FLAG(std::string, data);
ABSL_DECLARE_FLAG(std::string, file);
ABSL_DECLARE_FLAG(bool, background);
ABSL_DECLARE_FLAG(std::string, priority);
ABSL_DECLARE_FLAG(std::string, unique);
ABSL_DECLARE_FLAG(std::string, epoch);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagRetries, retries);
ABSL_DECLARE_FLAG(bool, lines);
ABSL_DECLARE_FLAG(bool, null);

// Of work (count: of ping, too).
ABSL_DECLARE_FLAG(gearman::gearctl::FlagConcurrency, concurrency);
ABSL_DECLARE_FLAG(bool, stream);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagCount, count);

// Of what watches, asks and steers.
ABSL_DECLARE_FLAG(bool, watch);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagInterval, interval);
ABSL_DECLARE_FLAG(bool, priorities);
ABSL_DECLARE_FLAG(bool, uniques);
ABSL_DECLARE_FLAG(bool, graceful);
ABSL_DECLARE_FLAG(std::vector<std::string>, listen);

// Of bench.
ABSL_DECLARE_FLAG(gearman::gearctl::FlagCount, jobs);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagSpan, duration);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagInFlight, in_flight);
ABSL_DECLARE_FLAG(double, rate);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagSize, size);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagWorkers, workers);
ABSL_DECLARE_FLAG(std::string, svg);

#endif  // GEARMAN_TOOLS_GEARCTL_FLAGS_H_
