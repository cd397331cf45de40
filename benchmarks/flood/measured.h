// What the rounds of a flood measured, and the table of all of them.
#ifndef GEARMAN_BENCHMARKS_FLOOD_MEASURED_H_
#define GEARMAN_BENCHMARKS_FLOOD_MEASURED_H_

#include <string>
#include <vector>

#include "gearman/benchmarks/flood/floods.h"
#include "gearman/benchmarks/flood/neighbour.h"

namespace gearman {
namespace benchmarks {

// One server under one flood in one round.
struct FloodResult {
  // Why there is no number; empty: there is.
  std::string reason;
  // Of the neighbour's echoes. Milliseconds.
  double p50 = 0;
  double p99 = 0;
  double max = 0;
  // Echoes without an answer: they count as long as was waited for them.
  double unanswered = 0;
  // Flooding connections that the server closed.
  double closed = 0;
  // Commands of the flood, answered in a second.
  double answers_per_second = 0;
  // CPU seconds of the server in a second.
  double cores = 0;
};

// Of the echoes that were due while the flood went on.
FloodResult ResultOf(std::vector<Echo> echoes, bool neighbour_closed,
                     const FloodReport& report, double cores);
// Of each number. A round without numbers makes the whole one of that reason.
FloodResult MedianOf(const std::vector<FloodResult>& rounds);

struct FloodRow {
  std::string kind;
  int connections = 1;
  std::vector<FloodResult> embedded;  // one for each round
  std::vector<FloodResult> gearmand;  // empty: there is nothing to compare
};

// The embedded server's goal: the 99th percentile is at most 20 ms with one
// flooding connection and 100 ms with more, and at most half of gearmand's
// where that exceeds 10 ms. "met", or what is missed.
std::string GoalOf(int connections, const FloodResult& embedded,
                   const FloodResult* gearmand);
std::string FloodTable(const std::vector<FloodRow>& rows);

// Jobs a second of a worker, with and without jobs that it can't take.
struct PoisonResult {
  std::string reason;
  double plain = 0;
  double mixed = 0;
};
struct PoisonRow {
  std::string server;
  std::vector<PoisonResult> rounds;
};
std::string PoisonTable(const std::vector<PoisonRow>& rows);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_MEASURED_H_
