#include "gearman/tools/gearctl/flags.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {
namespace gearctl {

bool ParseFlagTime(absl::string_view text, int64_t least, int64_t most,
                   bool forever, int64_t* nanoseconds, std::string* error) {
  if (forever && text == "inf") {
    *nanoseconds = std::numeric_limits<int64_t>::max();
    return true;
  }
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) &&
      duration >= absl::Milliseconds(least) &&
      duration <= absl::Milliseconds(most)) {
    *nanoseconds = absl::ToInt64Nanoseconds(duration);
    return true;
  }
  int64_t number;
  if (absl::SimpleAtoi(text, &number) && number > 0) {
    *error = absl::StrCat("it has no unit: ", number, "s or ", number, "ms");
    return false;
  }
  *error = absl::StrCat("expected a time such as 500ms, 10s or 1h30m, from ",
                        absl::FormatDuration(absl::Milliseconds(least)), " to ",
                        absl::FormatDuration(absl::Milliseconds(most)),
                        forever ? ", or inf for no limit" : "");
  return false;
}

bool ParseFlagNumber(absl::string_view text, int64_t least, int64_t most,
                     int64_t* number, std::string* error) {
  int64_t parsed;
  if (absl::SimpleAtoi(text, &parsed) && parsed >= least && parsed <= most) {
    *number = parsed;
    return true;
  }
  *error = absl::StrCat("expected a whole number from ", least, " to ", most);
  return false;
}

absl::Duration FlagDuration(int64_t nanoseconds) {
  return nanoseconds == std::numeric_limits<int64_t>::max()
             ? absl::InfiniteDuration()
             : absl::Nanoseconds(nanoseconds);
}

}  // namespace gearctl
}  // namespace gearman

using gearman::gearctl::FlagConcurrency;
using gearman::gearctl::FlagCount;
using gearman::gearctl::FlagInFlight;
using gearman::gearctl::FlagInterval;
using gearman::gearctl::FlagLead;
using gearman::gearctl::FlagMargin;
using gearman::gearctl::FlagRetries;
using gearman::gearctl::FlagSize;
using gearman::gearctl::FlagSpan;
using gearman::gearctl::FlagTimeout;
using gearman::gearctl::FlagTimes;
using gearman::gearctl::FlagWorkers;

ABSL_FLAG(std::vector<std::string>, server, {},
          "ADDRESS of a server (host, host:port, tls://host), or several, "
          "separated by commas; may be repeated");
ABSL_FLAG(std::string, config, "",
          "FILE with a config (.textproto or .json): servers, TLS, retries");
ABSL_FLAG(bool, json, false, "prints JSON, an object a line");
ABSL_FLAG(FlagTimeout, timeout, FlagTimeout(),
          "TIME after which it gives up, such as 500ms, 10s or 1h (inf: "
          "never); of a job: by default never, of a question: 10s");
ABSL_FLAG(bool, verbose, false, "tells of connections on standard error");

ABSL_FLAG(std::string, data, "",
          "TEXT that is the job's payload; '': an empty one");
ABSL_FLAG(std::string, file, "",
          "FILE that holds the job's payload; -: standard input");
ABSL_FLAG(bool, background, false, "does not wait for results");
ABSL_FLAG(std::string, priority, "normal", "LEVEL: high, normal or low");
ABSL_FLAG(std::string, unique, "",
          "KEY of the job: equal ones of a task are joined; with several "
          "servers it chooses the server, unless the config has a "
          "server_selection");
ABSL_FLAG(std::string, epoch, "",
          "TIME before which the job does not run: seconds since 1970, "
          "2026-12-24T18:00:00Z, or +5m from now; implies --background");
ABSL_FLAG(
    std::string, reducer, "",
    "TASK that the parts of the job go to, as a reduce job: the worker of "
    "the job splits it");
ABSL_FLAG(FlagRetries, retries, FlagRetries(0),
          "N attempts after the first; says that running the job twice harms "
          "nobody");
ABSL_FLAG(bool, lines, false,
          "a job for each line of the input; results in the order of lines");
ABSL_FLAG(bool, null, false,
          "with --lines: payloads and results end with a NUL instead of a line "
          "feed, so that they may have line feeds");

ABSL_FLAG(FlagConcurrency, concurrency, FlagConcurrency(0),
          "N jobs run at once; by default the config's number, else one");
ABSL_FLAG(bool, stream, false,
          "sends output on as the command writes it, as data of the job");
ABSL_FLAG(std::string, control, "",
          "TASK over which this worker takes the orders of pause and resume; "
          "each worker needs a name of its own, and every client of the "
          "servers may give orders");
ABSL_FLAG(FlagCount, count, FlagCount(0),
          "N jobs or pings, then it ends; by default work goes on and ping "
          "asks once");

ABSL_FLAG(
    FlagTimes, next, FlagTimes(0),
    "N of the next times of each line are printed, and no job is submitted");
ABSL_FLAG(FlagLead, lead, FlagLead(absl::Minutes(1)),
          "TIME by which a job is submitted before it is due (1m)");
ABSL_FLAG(FlagMargin, margin, FlagMargin(absl::Seconds(10)),
          "TIME before it is due from which on a job is missed (10s): more "
          "than clocks of machines differ, and less than --lead");

ABSL_FLAG(bool, watch, false, "asks again and again");
ABSL_FLAG(FlagInterval, interval, FlagInterval(absl::Seconds(1)),
          "TIME between two looks");
ABSL_FLAG(bool, priorities, false, "queued jobs by priority");
ABSL_FLAG(bool, uniques, false, "the jobs' uniques");
ABSL_FLAG(bool, graceful, false, "lets queued and running jobs end first");
ABSL_FLAG(std::vector<std::string>, listen, {},
          "ADDRESS to listen on (host:port; port 0: a free one), or several, "
          "separated by commas; may be repeated");

ABSL_FLAG(FlagCount, jobs, FlagCount(10000), "N jobs to submit");
ABSL_FLAG(FlagSpan, duration, FlagSpan(),
          "TIME during which jobs are submitted, instead of --jobs");
ABSL_FLAG(FlagInFlight, in_flight, FlagInFlight(100),
          "N jobs are submitted and not finished at any time; with --rate at "
          "most so many");
ABSL_FLAG(double, rate, 0, "N jobs are submitted each second");
ABSL_FLAG(FlagSize, size, FlagSize(16), "N bytes of payload");
ABSL_FLAG(FlagWorkers, workers, FlagWorkers(1),
          "N threads of workers of its own, that give each payload back");
ABSL_FLAG(std::string, svg, "", "FILE for a plot of the latencies");
