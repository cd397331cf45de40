#include "gearman/tools/gearctl/flags.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {
namespace gearctl {

absl::Duration FlagTime::duration() const {
  return nanoseconds_ == std::numeric_limits<int64_t>::max()
             ? absl::InfiniteDuration()
             : absl::Nanoseconds(nanoseconds_);
}

bool AbslParseFlag(absl::string_view text, FlagTime* time, std::string* error) {
  double seconds;
  absl::Duration duration;
  if (absl::SimpleAtod(text, &seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(text, &duration)) {
    *error = "no time such as 500ms, 10s or 1h30m";
    return false;
  }
  *time = FlagTime(duration);
  return true;
}

std::string AbslUnparseFlag(FlagTime time) {
  return absl::FormatDuration(time.duration());
}

}  // namespace gearctl
}  // namespace gearman

using gearman::gearctl::FlagTime;

ABSL_FLAG(std::vector<std::string>, server, {},
          "ADDRESS of a server (host, host:port, tls://host), or several, "
          "separated by commas; may be repeated");
ABSL_FLAG(std::string, config, "",
          "FILE with a config (.textproto or .json): servers, TLS, retries");
ABSL_FLAG(bool, json, false, "prints JSON, an object a line");
ABSL_FLAG(FlagTime, timeout, FlagTime(absl::InfiniteDuration()),
          "TIME after which it gives up, such as 500ms, 10s or 1h; of a job: "
          "by default never, of a question: 10s");
ABSL_FLAG(bool, verbose, false, "tells of connections on standard error");

ABSL_FLAG(std::string, data, "", "TEXT that is the job's payload");
ABSL_FLAG(std::string, file, "",
          "FILE that holds the job's payload; -: standard input");
ABSL_FLAG(bool, background, false, "does not wait for results");
ABSL_FLAG(std::string, priority, "normal", "LEVEL: high, normal or low");
ABSL_FLAG(std::string, unique, "",
          "KEY of the job: equal ones of a task are joined");
ABSL_FLAG(std::string, epoch, "",
          "TIME before which the job does not run: seconds since 1970, "
          "2026-12-24T18:00:00Z, or +5m from now; implies --background");
ABSL_FLAG(int32_t, retries, 0,
          "N attempts after the first; says that running the job twice harms "
          "nobody");
ABSL_FLAG(bool, lines, false,
          "a job for each line of the input; results in the order of lines");

ABSL_FLAG(int32_t, concurrency, 1, "N jobs run at once");
ABSL_FLAG(bool, stream, false,
          "sends output on as the command writes it, as data of the job");
ABSL_FLAG(int64_t, count, 0,
          "N jobs or pings, then it ends; by default work goes on and ping "
          "asks once");

ABSL_FLAG(bool, watch, false, "asks again and again");
ABSL_FLAG(FlagTime, interval, FlagTime(absl::Seconds(1)),
          "TIME between two looks");
ABSL_FLAG(bool, priorities, false, "queued jobs by priority");
ABSL_FLAG(bool, uniques, false, "the jobs' uniques");
ABSL_FLAG(bool, graceful, false, "lets queued and running jobs end first");
ABSL_FLAG(std::vector<std::string>, listen, {},
          "ADDRESS to listen on (host:port; port 0: a free one), or several, "
          "separated by commas; may be repeated");

ABSL_FLAG(int64_t, jobs, 10000, "N jobs to submit");
ABSL_FLAG(FlagTime, duration, FlagTime(),
          "TIME during which jobs are submitted, instead of --jobs");
ABSL_FLAG(int64_t, in_flight, 100,
          "N jobs are submitted and not finished at any time; with --rate at "
          "most so many");
ABSL_FLAG(double, rate, 0, "N jobs are submitted each second");
ABSL_FLAG(int64_t, size, 16, "N bytes of payload");
ABSL_FLAG(int32_t, workers, 1,
          "N threads of workers of its own, that give each payload back");
ABSL_FLAG(std::string, svg, "", "FILE for a plot of the latencies");
