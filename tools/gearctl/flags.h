// The flags of gearctl. Which subcommand takes which, its Subcommand says.
//
// A flag's help begins with a word in capitals where that says what its value
// is (subcommand.h: FlagValue).
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

// A time as the value of a flag: "500ms", "10s", "1h30m", "inf", or a number of
// seconds. One word, so that a flag of it is read without a lock.
class FlagTime {
 public:
  FlagTime() = default;
  explicit FlagTime(absl::Duration time)
      : nanoseconds_(absl::ToInt64Nanoseconds(time)) {}

  absl::Duration duration() const;

 private:
  int64_t nanoseconds_ = 0;  // the greatest: for ever
};
bool AbslParseFlag(absl::string_view text, FlagTime* time, std::string* error);
std::string AbslUnparseFlag(FlagTime time);

}  // namespace gearctl
}  // namespace gearman

// Every subcommand's.
ABSL_DECLARE_FLAG(std::vector<std::string>, server);
ABSL_DECLARE_FLAG(std::string, config);
ABSL_DECLARE_FLAG(bool, json);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagTime, timeout);
ABSL_DECLARE_FLAG(bool, verbose);

// Of submit (background: of bench, too; unique: of job, too).
ABSL_DECLARE_FLAG(std::string, data);
ABSL_DECLARE_FLAG(std::string, file);
ABSL_DECLARE_FLAG(bool, background);
ABSL_DECLARE_FLAG(std::string, priority);
ABSL_DECLARE_FLAG(std::string, unique);
ABSL_DECLARE_FLAG(std::string, epoch);
ABSL_DECLARE_FLAG(int32_t, retries);
ABSL_DECLARE_FLAG(bool, lines);

// Of work (count: of ping, too).
ABSL_DECLARE_FLAG(int32_t, concurrency);
ABSL_DECLARE_FLAG(bool, stream);
ABSL_DECLARE_FLAG(int64_t, count);

// Of what watches, asks and steers.
ABSL_DECLARE_FLAG(bool, watch);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagTime, interval);
ABSL_DECLARE_FLAG(bool, priorities);
ABSL_DECLARE_FLAG(bool, uniques);
ABSL_DECLARE_FLAG(bool, graceful);
ABSL_DECLARE_FLAG(std::vector<std::string>, listen);

// Of bench.
ABSL_DECLARE_FLAG(int64_t, jobs);
ABSL_DECLARE_FLAG(gearman::gearctl::FlagTime, duration);
ABSL_DECLARE_FLAG(int64_t, in_flight);
ABSL_DECLARE_FLAG(double, rate);
ABSL_DECLARE_FLAG(int64_t, size);
ABSL_DECLARE_FLAG(int32_t, workers);
ABSL_DECLARE_FLAG(std::string, svg);

#endif  // GEARMAN_TOOLS_GEARCTL_FLAGS_H_
