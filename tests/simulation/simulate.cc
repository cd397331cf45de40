// Runs scenarios for many seeds and says what they found: tools/simulate.
#include <cstdint>
#include <cstdio>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/tests/simulation/scenario.h"

ABSL_FLAG(uint64_t, first_seed, 1, "the first seed");
ABSL_FLAG(uint64_t, seeds, 1000, "how many seeds");

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "lives through minutes of a bad network, each run made by one seed");
  absl::ParseCommandLine(argc, argv);
  const uint64_t first = absl::GetFlag(FLAGS_first_seed);
  const uint64_t count = absl::GetFlag(FLAGS_seeds);
  gearman::simulation::ScenarioReport sum;
  uint64_t broken = 0;
  const absl::Time begin = absl::Now();
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const auto report = gearman::simulation::RunScenario(seed);
    for (const std::string& what : report.broken) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                  what.c_str());
    }
    broken += report.broken.empty() ? 0 : 1;
    sum.virtual_time += report.virtual_time;
    sum.steps += report.steps;
    sum.jobs += report.jobs;
    sum.complete += report.complete;
    sum.accepted += report.accepted;
    sum.unknown += report.unknown;
    sum.timed_out += report.timed_out;
    sum.repeated += report.repeated;
    sum.server_deaths += report.server_deaths;
    sum.worker_deaths += report.worker_deaths;
    sum.faulty_connections += report.faulty_connections;
  }
  const absl::Duration took = absl::Now() - begin;
  std::printf(
      "%llu seeds, %.1f simulated hours in %.1f s (%.0f hours a minute), %llu "
      "steps\n%d jobs: %d complete, %d accepted in the background, %d unknown "
      "(%d by time limit), %d accepted again as allowed\n%d deaths of servers, "
      "%d of workers, %d faulty connections\n%llu seeds broke a promise\n",
      static_cast<unsigned long long>(count),
      absl::ToDoubleHours(sum.virtual_time), absl::ToDoubleSeconds(took),
      absl::ToDoubleHours(sum.virtual_time) / absl::ToDoubleMinutes(took),
      static_cast<unsigned long long>(sum.steps), sum.jobs, sum.complete,
      sum.accepted, sum.unknown, sum.timed_out, sum.repeated, sum.server_deaths,
      sum.worker_deaths, sum.faulty_connections,
      static_cast<unsigned long long>(broken));
  return broken == 0 ? 0 : 1;
}
