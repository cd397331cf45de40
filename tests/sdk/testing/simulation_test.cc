// The whole stack in one thread on a virtual clock.
#include "gearman/sdk/testing/simulation.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::string> Reverse(JobContext& context) {
  const absl::string_view data = context.job().data();
  return std::string(data.rbegin(), data.rend());
}

TEST(SimulationTest, AClientThatWaitsLetsTheOthersGoOn) {
  SimulatedStack stack(1);
  stack.StartServer("jobs");
  ASSERT_TRUE(stack.StartWorker("worker", {"inproc://jobs"})
                  .Register("reverse", Reverse)
                  .ok());
  const auto client = stack.MakeClient("client", {"inproc://jobs"});
  const absl::StatusOr<std::string> result = client->Run("reverse", "hello");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "olleh");
  EXPECT_EQ(stack.simulation.failure(), "");
}

TEST(SimulationTest, ManyJobsOfManyClientsTakeNoTimeAtAll) {
  SimulatedStack stack(2);
  stack.StartServer("jobs");
  for (const char* name : {"w1", "w2", "w3"}) {
    ASSERT_TRUE(stack.StartWorker(name, {"inproc://jobs"})
                    .Register("reverse", Reverse)
                    .ok());
  }
  const absl::Time begin = stack.simulation.now();
  for (int c = 0; c < 5; ++c) {
    const auto client =
        stack.MakeClient(absl::StrCat("c", c), {"inproc://jobs"});
    std::vector<JobSpec> specs;
    for (int i = 0; i < 200; ++i) {
      JobSpec spec;
      spec.task = "reverse";
      spec.data = absl::StrCat(i);
      specs.push_back(std::move(spec));
    }
    const auto requests = client->SubmitMultipleJobs(std::move(specs));
    EXPECT_TRUE(client->WaitUntilJobsCompleted(requests).ok());
    for (const JobRequest& request : requests) {
      EXPECT_EQ(request.state(), JobState::kComplete) << request.status();
    }
  }
  EXPECT_EQ(stack.simulation.now(), begin);
}

// A run is made by its seed.
uint64_t Fingerprint(uint64_t seed) {
  SimulatedStack stack(seed);
  stack.plan = [&stack](const Address&) {
    FaultPlan plan;
    plan.max_piece = 7;
    plan.read_delay = absl::Milliseconds(1);
    plan.seed = stack.simulation.NewSeed();
    return plan;
  };
  stack.StartServer("jobs");
  for (const char* name : {"w1", "w2"}) {
    EXPECT_TRUE(stack.StartWorker(name, {"faulty://jobs"})
                    .Register("reverse", Reverse)
                    .ok());
  }
  const auto client = stack.MakeClient("client", {"faulty://jobs"});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(*client->Run("reverse", "abc"), "cba");
  }
  return stack.simulation.fingerprint();
}

TEST(SimulationTest, OneSeedMakesOneRun) {
  EXPECT_EQ(Fingerprint(7), Fingerprint(7));
  EXPECT_NE(Fingerprint(7), Fingerprint(8));
}

TEST(SimulationTest, TimeoutsOfHoursPassAtOnce) {
  SimulatedStack stack(3);
  stack.StartServer("jobs");
  const auto client = stack.MakeClient("client", {"inproc://jobs"});
  const absl::Time begin = stack.simulation.now();
  CallOptions options;
  options.timeout = absl::Hours(5);
  const absl::StatusOr<std::string> result =
      client->Run("nobody does this", "", options);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded)
      << result.status();
  EXPECT_EQ(stack.simulation.now() - begin, absl::Hours(5));
}

TEST(SimulationTest, NamesAParticipantThatGoesRoundInCircles) {
  Simulation simulation(4);
  simulation.Drive("spinner", [] { return absl::InfinitePast(); });
  EXPECT_FALSE(simulation.RunUntil([] { return false; }));
  EXPECT_THAT(simulation.failure(), HasSubstr("'spinner'"));
}

TEST(SimulationTest, CallsAParticipantWhenItWantsToBeCalled) {
  Simulation simulation(5);
  const absl::Time begin = simulation.now();
  std::vector<absl::Duration> calls;
  simulation.Drive("clockwork", [&] {
    calls.push_back(simulation.now() - begin);
    return simulation.now() + absl::Minutes(1);
  });
  simulation.RunFor(absl::Minutes(3));
  EXPECT_THAT(calls,
              ::testing::ElementsAre(absl::ZeroDuration(), absl::Minutes(1),
                                     absl::Minutes(2), absl::Minutes(3)));
}

}  // namespace
}  // namespace testing
}  // namespace gearman
