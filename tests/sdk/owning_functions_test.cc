// Tests of every place, beside a client's and a worker's options, where a
// program gives the SDK a function to keep. Each of them takes one that can't
// be copied, and can be copied itself. client_arguments_test.cc and
// worker_arguments_test.cc have the others.
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/metrics/log_metrics.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/metrics/statsd_metrics.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gearman/plugins/retry/retry.pb.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/job_update.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/scheduler.h"
#include "gearman/sdk/testing/fake_job_context.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/testing/simulated_fleet.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/transports/address.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tls/tls_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<std::string> Owned() {
  return std::make_unique<std::string>("owned");
}

MetricsSnapshot OneCounter() {
  MetricsSnapshot snapshot;
  MetricFamily jobs;
  jobs.name = "jobs";
  jobs.samples.resize(1);
  jobs.samples[0].value = 3;
  snapshot.families = {jobs};
  return snapshot;
}

TEST(OwningFunctions, OfALogger) {
  std::vector<std::string> lines;
  const Logger logger(LogLevel::kInfo,
                      [&lines, owned = Owned()](LogLevel, StringView) {
                        lines.push_back(*owned);
                      });
  const Logger copy = logger;
  logger.Log(LogLevel::kInfo, "one");
  copy.Log(LogLevel::kInfo, "two");
  EXPECT_THAT(lines, ElementsAre("owned", "owned"));
  EXPECT_FALSE(Logger(LogLevel::kInfo, nullptr).enabled(LogLevel::kError));
}

TEST(OwningFunctions, OfAJobRetryPolicy) {
  static_assert(std::is_copy_constructible_v<JobRetryPolicy>);
  JobRetryPolicy policy;
  EXPECT_FALSE(policy.repeats);
  policy.repeats = [owned = Owned()](const absl::Status& error) {
    return error.message() == *owned;
  };
  EXPECT_TRUE(policy.repeats(absl::InternalError("owned")));
  EXPECT_FALSE(policy.repeats(absl::InternalError("other")));
}

TEST(OwningFunctions, OfASchedule) {
  static_assert(std::is_copy_constructible_v<Schedule>);
  Schedule schedule;
  EXPECT_FALSE(schedule.data_of);
  schedule.data_of = [owned = Owned()](absl::Time) { return *owned; };
  EXPECT_EQ(schedule.data_of(absl::UnixEpoch()), "owned");
}

TEST(OwningFunctions, OfAnEnvironment) {
  std::vector<std::string> asked;
  const EnvironmentLookup lookup =
      [&asked, owned = Owned()](StringView) -> std::optional<std::string> {
    asked.push_back(*owned);
    return std::nullopt;
  };
  Config config;
  EXPECT_TRUE(config.OverlayEnvironment(lookup).ok());
  EXPECT_THAT(asked, ::testing::Contains("owned"));
}

TEST(OwningFunctions, OfMetricsSinks) {
  std::vector<std::string> written;
  LogMetricsOptions log;
  log.write = [&written, owned = Owned()](absl::string_view line) {
    written.push_back(*owned + " " + std::string(line));
  };
  LogMetrics(std::move(log)).Export(OneCounter());
  StatsdMetricsOptions statsd;
  statsd.send = [&written, owned = Owned()](absl::string_view) {
    written.push_back(*owned);
    return absl::UnavailableError("nobody");
  };
  statsd.on_failure = [&written, owned = Owned()](absl::string_view) {
    written.push_back(*owned + " failure");
  };
  auto sink = StatsdMetrics::Create(std::move(statsd));
  ASSERT_TRUE(sink.ok()) << sink.status();
  (*sink)->Export(OneCounter());
  EXPECT_THAT(written, ElementsAre("owned jobs 3", "owned", "owned failure"));
}

TEST(OwningFunctions, OfARegistry) {
  Registry<RetryPolicy> registry("retry policy");
  ASSERT_TRUE(registry
                  .Register<config::NoRetry>(
                      "mine",
                      [owned = Owned()](const config::NoRetry&)
                          -> absl::StatusOr<std::unique_ptr<RetryPolicy>> {
                        if (*owned != "owned") return absl::InternalError("");
                        return std::make_unique<NoRetryPolicy>();
                      })
                  .ok());
  EXPECT_TRUE(registry.CreateByName("mine").ok());
}

TEST(OwningFunctions, OfAnIdentity) {
  static_assert(std::is_copy_constructible_v<TlsIdentity>);
  TlsIdentity identity;
  EXPECT_FALSE(identity.passphrase);
  identity.passphrase = [owned = Owned()] { return *owned; };
  EXPECT_EQ(identity.passphrase(), "owned");
}

TEST(OwningFunctions, OfANetwork) {
  testing::Simulation simulation(1);
  InprocNetwork network;
  network.SetFallback("jobs", [owned = Owned()] {
    return absl::UnavailableError(*owned + " it is");
  });
  EXPECT_THAT(network.Connect("jobs", simulation.MakePoller("client").get(), 1)
                  .status()
                  .message(),
              HasSubstr("owned it is"));
}

TEST(OwningFunctions, OfTheTestKit) {
  std::vector<std::string> updates;
  testing::FakeJobContext fake("data");
  fake.OnUpdate([&updates, owned = Owned()](const JobUpdate&) {
    updates.push_back(*owned);
  });
  const auto result =
      fake.Run([](JobContext& context) -> absl::StatusOr<std::string> {
        EXPECT_TRUE(context.SendData("data").ok());
        return std::string();
      });
  EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(updates, ElementsAre("owned"));

  testing::Simulation simulation(1);
  std::vector<std::string> steps;
  simulation.Drive("one", [&steps, owned = Owned()] {
    steps.push_back(*owned);
    return absl::InfiniteFuture();
  });
  simulation.RunFor(absl::Seconds(1));
  EXPECT_THAT(steps, ::testing::Contains("owned"));

  int plans = 0;
  const auto plan = [&plans](std::unique_ptr<std::string> owned) {
    return [&plans, owned = std::move(owned)](const Address&) {
      ++plans;
      return testing::FaultPlan();
    };
  };
  testing::FaultTransportFactory faulty(
      std::make_shared<InprocTransportFactory>(
          std::make_shared<InprocNetwork>()),
      plan(Owned()));
  const absl::StatusOr<Address> address = ParseAddress("inproc://jobs");
  ASSERT_TRUE(address.ok());
  (void)faulty.Create(*address, simulation.MakePoller("client").get(), 1);
  EXPECT_EQ(plans, 1);
  testing::SimulatedFleet fleet(1);
  fleet.SetFaults(plan(Owned()));
  auto client = fleet.MakeClient("client", {"faulty://jobs"});
  ASSERT_TRUE(client.ok());
  CallOptions call;
  call.timeout = absl::Seconds(1);
  EXPECT_FALSE((*client)->Run("task", "", call).ok());
  EXPECT_GE(plans, 2);
}

}  // namespace
}  // namespace gearman
