// A job server, a worker and a client in one line.
#include "gearman/sdk/testing/harness.h"

#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/testing/matchers.h"
#include "gearman/sdk/testing/simulated_fleet.h"
#include "gearman/sdk/worker.h"
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

TEST(HarnessTest, OneLineMakesAServerAWorkerAndAClient) {
  const auto harness = Harness::Create().value();
  ASSERT_TRUE(harness->worker().Register("reverse", Reverse).ok());
  EXPECT_THAT(harness->client().Run("reverse", "hello"), IsComplete("olleh"));
}

TEST(HarnessTest, HoursPassAtOnce) {
  const auto harness = Harness::Create().value();
  const absl::Time begin = harness->clock().Now();
  const auto slow = [](JobContext& context) -> absl::StatusOr<std::string> {
    context.stop_token().WaitFor(absl::Hours(3));
    return std::string("done");
  };
  ASSERT_TRUE(harness->worker().Register("slow", slow).ok());
  EXPECT_THAT(harness->client().Run("slow", ""), IsComplete("done"));
  EXPECT_EQ(harness->clock().Now() - begin, absl::Hours(3));
}

TEST(HarnessTest, TimePassesWhenTheWorkerHasEnded) {
  const auto harness = Harness::Create().value();
  ASSERT_TRUE(harness->worker().Register("reverse", Reverse).ok());
  EXPECT_THAT(harness->client().Run("reverse", "hello"), IsComplete("olleh"));
  for (int i = 0; i < 2; ++i) {
    harness->worker().Drain();
    const absl::Time begin = harness->clock().Now();
    harness->RunFor(absl::Hours(1));
    EXPECT_TRUE(harness->worker().stopped());
    EXPECT_EQ(harness->clock().Now() - begin, absl::Hours(1));
  }
  EXPECT_EQ(harness->fleet().simulation().failure(), "");
}

TEST(HarnessTest, BackgroundJobsAreFinished) {
  const auto harness = Harness::Create().value();
  int done = 0;
  const auto count = [&done](JobContext&) -> absl::StatusOr<std::string> {
    ++done;
    return std::string();
  };
  ASSERT_TRUE(harness->worker().Register("count", count).ok());
  const JobRequest first = harness->client().SubmitBackgroundJob("count", "1");
  const JobRequest second = harness->client().SubmitBackgroundJob("count", "2");
  ASSERT_TRUE(harness->client().WaitUntilJobsAccepted({first, second}).ok());
  EXPECT_THAT(first, IsAccepted());
  EXPECT_TRUE(harness->FinishJobs().ok());
  EXPECT_EQ(done, 2);
}

TEST(HarnessTest, JobsThatNobodyDoesAreCounted) {
  const auto harness = Harness::Create().value();
  const JobRequest job = harness->client().SubmitBackgroundJob("nobody", "");
  ASSERT_TRUE(harness->client().WaitUntilJobsAccepted({job}).ok());
  const absl::Status status = harness->FinishJobs(absl::Minutes(1));
  EXPECT_THAT(status, FailedWith(absl::StatusCode::kDeadlineExceeded,
                                 HasSubstr("still holds 1 jobs after 1m")));
}

TEST(HarnessTest, OptionsOfTheCallerCount) {
  HarnessOptions options;
  options.worker.task_prefix = "w.";
  options.client.task_prefix = "w.";
  options.server.job_retries = 1;
  const auto harness = Harness::Create(std::move(options)).value();
  ASSERT_TRUE(harness->worker().Register("reverse", Reverse).ok());
  EXPECT_THAT(harness->client().Run("reverse", "ab"), IsComplete("ba"));
}

TEST(HarnessTest, OptionsThatMakeNoSenseAreRefused) {
  HarnessOptions threads;
  threads.worker.concurrency = 2;
  EXPECT_THAT(Harness::Create(std::move(threads)).status(),
              FailedWith(absl::StatusCode::kInvalidArgument,
                         HasSubstr("concurrency 2")));
  HarnessOptions name;
  name.server.packet_timeout = -absl::Seconds(1);
  EXPECT_THAT(Harness::Create(std::move(name)).status(),
              FailedWith(absl::StatusCode::kInvalidArgument));
}

TEST(HarnessTest, EqualSeedsMakeEqualRuns) {
  const auto run = [](uint64_t seed) {
    HarnessOptions options;
    options.seed = seed;
    const auto harness = Harness::Create(std::move(options)).value();
    EXPECT_TRUE(harness->worker().Register("reverse", Reverse).ok());
    for (int i = 0; i < 5; ++i) {
      EXPECT_THAT(harness->client().Run("reverse", "abc"), IsComplete("cba"));
    }
    harness->RunFor(absl::Minutes(5));
    return harness->fleet().simulation().fingerprint();
  };
  EXPECT_EQ(run(1), run(1));
}

TEST(HarnessTest, AnotherWorkerTakesThePlaceOfOneThatIsLost) {
  const auto harness = Harness::Create().value();
  SimulatedFleet& fleet = harness->fleet();
  ASSERT_TRUE(harness->worker().Register("reverse", Reverse).ok());
  harness->RunFor(absl::Seconds(1));
  fleet.KillWorker(Harness::kWorker);
  const JobRequest request = harness->client().SubmitJob("reverse", "hello");
  ASSERT_TRUE(harness->client().WaitUntilJobsAccepted({request}).ok());
  harness->RunFor(absl::Minutes(1));
  EXPECT_EQ(harness->server().jobs(), 1);
  Worker* const second =
      fleet.StartWorker("second", {Harness::kAddress}).value();
  ASSERT_TRUE(second->Register("reverse", Reverse).ok());
  EXPECT_THAT(harness->client().Result(request), IsComplete("olleh"));
}

TEST(SimulatedFleetTest, ConnectionsHaveTheFaultsThatTheTestGives) {
  SimulatedFleet fleet(1);
  ASSERT_TRUE(fleet.StartServer("jobs").ok());
  EXPECT_THAT(fleet.StartServer("jobs").status(),
              FailedWith(absl::StatusCode::kAlreadyExists));
  int connections = 0;
  fleet.SetFaults([&connections](const Address&) {
    FaultPlan plan;
    plan.refuse = ++connections == 1;
    return plan;
  });
  const auto worker = fleet.StartWorker("worker", {"inproc://jobs"});
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE((*worker)->Register("reverse", Reverse).ok());
  const auto client = fleet.MakeClient("client", {"faulty://jobs"});
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_THAT((*client)->Run("reverse", "hello"), IsComplete("olleh"));
  EXPECT_GT(connections, 1);
}

TEST(LiveHarnessTest, RunsHandlersAndCallbacksOnThreads) {
  HarnessOptions options;
  options.worker.concurrency = 2;
  const auto harness = LiveHarness::Create(std::move(options)).value();
  EXPECT_THAT(harness->address(), ::testing::StartsWith("tcp://127.0.0.1:"));
  const std::thread::id test_thread = std::this_thread::get_id();
  ASSERT_TRUE(harness->worker()
                  .Register("reverse",
                            [test_thread](JobContext& context) {
                              EXPECT_NE(std::this_thread::get_id(),
                                        test_thread);
                              return Reverse(context);
                            })
                  .ok());
  absl::Notification complete;
  CallOptions call;
  call.callbacks.on_complete = [&complete](const JobRequest& request) {
    EXPECT_THAT(request, IsComplete("olleh"));
    complete.Notify();
  };
  const JobRequest request =
      harness->client().SubmitJob("reverse", "hello", std::move(call));
  complete.WaitForNotification();
  EXPECT_THAT(harness->client().Run("reverse", "ab"), IsComplete("ba"));
}

}  // namespace
}  // namespace testing
}  // namespace gearman
