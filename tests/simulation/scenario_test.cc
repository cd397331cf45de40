#include "gearman/tests/simulation/scenario.h"

#include <cstdint>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace gearman {
namespace simulation {
namespace {

// Each way of building it has a thousand seeds of its own.
#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kFirstSeed = 1001;
#elif defined(__SANITIZE_THREAD__)
constexpr uint64_t kFirstSeed = 2001;
#elif defined(__clang__)
constexpr uint64_t kFirstSeed = 3001;
#else
constexpr uint64_t kFirstSeed = 1;
#endif

TEST(ScenarioTest, KeepsWhatWasPromisedWhateverHappens) {
  ScenarioReport sum;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 1000; ++seed) {
    const ScenarioReport report = RunScenario(seed);
    EXPECT_EQ(absl::StrJoin(report.broken, "\n"), "") << "seed " << seed;
    sum.jobs += report.jobs;
    sum.complete += report.complete;
    sum.unknown += report.unknown;
    sum.repeated += report.repeated;
    sum.server_deaths += report.server_deaths;
    sum.faulty_connections += report.faulty_connections;
  }
  // The network was no fair weather.
  EXPECT_GT(sum.complete, sum.jobs / 4);
  EXPECT_GT(sum.unknown, 1000);
  EXPECT_GT(sum.repeated, 30);
  EXPECT_GT(sum.server_deaths, 1000);
  EXPECT_GT(sum.faulty_connections, 10000);
}

TEST(ScenarioTest, IsTheSameForTheSameSeed) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_EQ(RunScenario(seed).fingerprint, RunScenario(seed).fingerprint);
  }
  EXPECT_NE(RunScenario(1).fingerprint, RunScenario(2).fingerprint);
}

}  // namespace
}  // namespace simulation
}  // namespace gearman
