// The results of floods and of the poison mix, and the tables of all rounds.
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
  // The reason why there are no numbers; empty: there are.
  std::string reason;
  // Latencies of the neighbour's echoes. Milliseconds.
  double p50 = 0;
  double p99 = 0;
  double max = 0;
  // Echoes without an answer. Such an echo's latency is the time waited for it.
  double unanswered = 0;
  // Flooding connections that the server closed.
  double closed = 0;
  // Commands of the flood that the server answered in a second.
  double answers_per_second = 0;
  // CPU seconds that the server used in a second.
  double cores = 0;
};

// Returns the result for the echoes that were due while the flood went on.
FloodResult ResultOf(std::vector<Echo> echoes, bool neighbour_closed,
                     const FloodReport& report, double cores);
// Returns the median of each number. If a round has no numbers, returns that
// round.
FloodResult MedianOf(const std::vector<FloodResult>& rounds);

struct FloodRow {
  std::string kind;
  int connections = 1;
  std::vector<FloodResult> embedded;  // one for each round
  std::vector<FloodResult> gearmand;  // empty: there is nothing to compare
};

// Returns "met", or the goal that the embedded server has missed. Its 99th
// percentile must be at most 20 ms with one flooding connection and 100 ms with
// more. Where gearmand's exceeds 10 ms, it must also be at most half of
// gearmand's.
std::string GoalOf(int connections, const FloodResult& embedded,
                   const FloodResult* gearmand);
std::string FloodTable(const std::vector<FloodRow>& rows);

// Jobs a second of a worker, without and with jobs that it can't take.
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
