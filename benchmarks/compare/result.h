// Result: what one round of one case measured, and what several rounds say.
#ifndef GEARMAN_BENCHMARKS_COMPARE_RESULT_H_
#define GEARMAN_BENCHMARKS_COMPARE_RESULT_H_

#include <string>
#include <vector>

namespace gearman {
namespace benchmarks {

struct Result {
  double jobs_per_second = 0;
  // CPU time per job, of all threads, and of all workers together.
  double client_us = 0;
  double worker_us = 0;
  double server_us = 0;
  double total_us = 0;
  // CPU seconds per second, and of the server's busiest thread.
  double client_cores = 0;
  double worker_cores = 0;
  double server_cores = 0;
  double server_thread_cores = 0;
  // By which the client's memory grew, for each job. Mode::kHold.
  double bytes_per_job = 0;
  // Of the time of a job; 0 where it was not measured.
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  // Of those that are not slow, where some are.
  double fast_p99_us = 0;
  // System calls per job, and those of them that write to a socket.
  double client_calls = 0;
  double client_writes = 0;
  double worker_calls = 0;
  double worker_writes = 0;
};

// One of its numbers.
using NumberOfResult = double Result::*;

// All of them, with the names that they have in the CSV file.
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

// Of `field` in several rounds.
double Median(const std::vector<Result>& rounds, NumberOfResult field);
// Half the distance between the best and the worst round's rate, in percent.
double Spread(const std::vector<Result>& rounds);

// Who was the limit, and the cores that it used: "gearmand" when its busiest
// thread was (it handles all packets in one), "client" or "worker" when it used
// one core almost fully, the busiest of them; "cores" when all together used
// almost all there are; else "waiting", for each other, for a timer, for a
// handler that sleeps, and in brackets who had most to do.
std::string Limit(const std::vector<Result>& rounds, int cores,
                  bool client_has_one_thread);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_RESULT_H_
