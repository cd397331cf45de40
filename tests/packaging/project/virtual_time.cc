// The test kit: an hour passes on its clock.
#include <iostream>

#include "absl/time/time.h"
#include "gearman/sdk/testing/simulation.h"

int main() {
  gearman::testing::Simulation simulation(/*seed=*/42);
  const absl::Time start = simulation.now();
  simulation.RunFor(absl::Hours(1));
  std::cout << simulation.now() - start << "\n";
  return simulation.now() - start == absl::Hours(1) ? 0 : 1;
}
