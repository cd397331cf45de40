// Scenario: some minutes in the life of clients, workers and job servers on a
// bad network, made by one seed: servers and workers are killed and come back,
// connections are refused, delayed, cut and swallowed. At its end everything
// that was promised must have been kept.
//
// In one thread, on a virtual clock; a seed makes the same run each time.
#ifndef GEARMAN_TESTS_SIMULATION_SCENARIO_H_
#define GEARMAN_TESTS_SIMULATION_SCENARIO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace gearman {
namespace simulation {

struct ScenarioReport {
  // The promises that were broken, each with the job. Empty: none was.
  std::vector<std::string> broken;
  uint64_t fingerprint = 0;
  uint64_t steps = 0;
  absl::Duration virtual_time;
  int jobs = 0;
  int complete = 0;
  int accepted = 0;  // in the background
  int unknown = 0;   // honestly
  int timed_out = 0;
  // Jobs that servers accepted more than once, as they were allowed to.
  int repeated = 0;
  int server_deaths = 0;
  int worker_deaths = 0;
  int faulty_connections = 0;
};

ScenarioReport RunScenario(uint64_t seed);

}  // namespace simulation
}  // namespace gearman

#endif  // GEARMAN_TESTS_SIMULATION_SCENARIO_H_
