// Result is the measurement of one round of one case, and the summary of
// several rounds.
#ifndef GEARMAN_BENCHMARKS_COMPARE_RESULT_H_
#define GEARMAN_BENCHMARKS_COMPARE_RESULT_H_

#include <string>
#include <vector>

namespace gearman {
namespace benchmarks {

struct Result {
  double jobs_per_second = 0;
  // CPU time per job: of all the client's threads, and of all workers together.
  double client_us = 0;
  double worker_us = 0;
  double server_us = 0;
  double total_us = 0;
  // CPU seconds per second; also for the server's busiest thread.
  double client_cores = 0;
  double worker_cores = 0;
  double server_cores = 0;
  double server_thread_cores = 0;
  // The growth of memory for each job: the client's in Mode::kHold, and the
  // server's for jobs that were queued before.
  double bytes_per_job = 0;
  // The times of jobs; 0 if they were not measured.
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  // The time of jobs that are not slow, if some are slow.
  double fast_p99_us = 0;
  // System calls per job, and those of them that write to a socket.
  double client_calls = 0;
  double client_writes = 0;
  double worker_calls = 0;
  double worker_writes = 0;
};

// One number of a Result.
using NumberOfResult = double Result::*;

// All numbers, with their names in the CSV file.
struct ResultField {
  const char* name;
  NumberOfResult field;
};
const std::vector<ResultField>& ResultFields();

// Returns the median of at least one number, in any order.
double Median(std::vector<double> values);
// Returns the value below which `part` (0 to 1) of the values are; 0: there are
// none. Sorts the values.
double Percentile(std::vector<double>* values, double part);

// Returns the median of `field` over several rounds.
double Median(const std::vector<Result>& rounds, NumberOfResult field);
// Half the distance between the best and the worst round's rate, in percent.
double Spread(const std::vector<Result>& rounds);

// Names the limit, and the cores that it used. "server": its busiest thread,
// which handles all packets. "client" or "worker": it used one core almost
// fully, and was the busiest of them. "cores": all together used almost all
// cores. Else "waiting": they waited for each other, a timer or a sleeping
// handler; the busiest is in brackets.
std::string Limit(const std::vector<Result>& rounds, int cores,
                  bool client_has_one_thread);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_RESULT_H_
