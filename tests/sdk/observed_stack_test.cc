// Tests of metrics and logs of a working client and worker: several metrics
// sinks at once, and a logger.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/log_metrics.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/metrics/prometheus_metrics.h"
#include "gearman/plugins/metrics/statsd_metrics.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gearman/tests/support/udp_receiver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kPackets[] = "gearman_protocol_packets_total";

class ObservedStackTest : public ::testing::Test {
 protected:
  ObservedStackTest() { stack_.StartServer("jobs"); }

  // A worker whose task "resize" answers with a secret.
  void StartWorker(std::vector<std::shared_ptr<MetricsSink>> sinks,
                   Logger logger = {}) {
    WorkerOptions options = stack_.WorkerDefaults("worker", {"inproc://jobs"});
    options.metrics_sinks = std::move(sinks);
    options.logger = std::move(logger);
    Worker& worker = stack_.StartWorker("worker", std::move(options));
    EXPECT_TRUE(worker
                    .Register("resize",
                              [](JobContext&) -> absl::StatusOr<std::string> {
                                return "secret answer";
                              })
                    .ok());
  }
  std::unique_ptr<Client> MakeClient(
      std::vector<std::shared_ptr<MetricsSink>> sinks, Logger logger = {}) {
    ClientOptions options = stack_.ClientDefaults("client", {"inproc://jobs"});
    options.metrics_sinks = std::move(sinks);
    options.logger = std::move(logger);
    return stack_.MakeClient(std::move(options));
  }
  Logger Debug(std::vector<std::string>* lines) {
    return Logger(LogLevel::kDebug,
                  [lines](LogLevel level, absl::string_view line) {
                    if (level == LogLevel::kDebug) lines->emplace_back(line);
                  });
  }

  testing::SimulatedStack stack_{/*seed=*/7};
};

TEST_F(ObservedStackTest, EverySinkTellsTheSame) {
  support::UdpReceiver agent;
  auto in_memory = std::make_shared<InMemoryMetrics>();
  auto created = PrometheusMetrics::Create();
  ASSERT_TRUE(created.ok()) << created.status();
  const std::shared_ptr<PrometheusMetrics> prometheus = *std::move(created);
  std::vector<std::string> logged;
  LogMetricsOptions log_options;
  log_options.write = [&logged](absl::string_view line) {
    logged.emplace_back(line);
  };
  auto log = std::make_shared<LogMetrics>(std::move(log_options));
  StatsdMetricsOptions statsd_options;
  statsd_options.address = agent.address();
  auto statsd = StatsdMetrics::Create(std::move(statsd_options));
  ASSERT_TRUE(statsd.ok()) << statsd.status();
  const std::vector<std::shared_ptr<MetricsSink>> sinks = {
      in_memory, prometheus, log,
      std::shared_ptr<MetricsSink>(*std::move(statsd))};

  StartWorker(sinks);
  auto client = MakeClient(sinks);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client->Run("resize", "").ok());
  }
  client = nullptr;  // those with an interval get what is left
  stack_.KillWorker("worker");

  EXPECT_EQ(in_memory->Value("gearman_client_jobs_finished_total",
                             {{"task", "resize"}, {"outcome", "complete"}}),
            3);
  EXPECT_THAT(prometheus->Text(),
              AllOf(HasSubstr("gearman_client_jobs_finished_total{task="
                              "\"resize\",outcome=\"complete\"} 3"),
                    HasSubstr("gearman_worker_jobs_processed_total{task="
                              "\"resize\",outcome=\"complete\"} 3")));
  EXPECT_THAT(logged, AllOf(Contains("gearman_client_jobs_finished_total{task="
                                     "\"resize\",outcome=\"complete\"} 3"),
                            Contains("gearman_worker_jobs_processed_total{task="
                                     "\"resize\",outcome=\"complete\"} 3")));
  EXPECT_THAT(
      agent.Lines(),
      AllOf(Contains("gearman_client_jobs_finished_total:3|c|#task:resize,"
                     "outcome:complete"),
            Contains("gearman_client_job_duration_seconds_count:3|c|#task:"
                     "resize,outcome:complete"),
            Contains("gearman_worker_jobs_processed_total:3|c|#task:resize,"
                     "outcome:complete")));
}

TEST_F(ObservedStackTest, EveryPacketIsCounted) {
  auto of_client = std::make_shared<InMemoryMetrics>();
  auto of_worker = std::make_shared<InMemoryMetrics>();
  StartWorker({of_worker});
  const auto client = MakeClient({of_client});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client->Run("resize", "").ok());
  }
  const auto packets = [](InMemoryMetrics& metrics, absl::string_view direction,
                          absl::string_view type) {
    return metrics.Value(kPackets, {{"direction", direction}, {"type", type}});
  };
  EXPECT_EQ(packets(*of_client, "sent", "SUBMIT_JOB"), 3);
  EXPECT_EQ(packets(*of_client, "received", "JOB_CREATED"), 3);
  EXPECT_EQ(packets(*of_client, "received", "WORK_COMPLETE"), 3);
  EXPECT_EQ(packets(*of_worker, "sent", "CAN_DO"), 1);
  EXPECT_EQ(packets(*of_worker, "received", "JOB_ASSIGN_UNIQ"), 3);
  EXPECT_EQ(packets(*of_worker, "sent", "WORK_COMPLETE"), 3);
}

TEST_F(ObservedStackTest, AServersRefusalIsCountedByItsCode) {
  JobServerOptions full;
  full.max_jobs = 1;
  stack_.StartServer("full", std::move(full));
  auto metrics = std::make_shared<InMemoryMetrics>();
  ClientOptions options = stack_.ClientDefaults("other", {"inproc://full"});
  options.metrics_sinks = {metrics};
  const auto client = stack_.MakeClient(std::move(options));
  std::vector<JobRequest> jobs = {client->SubmitBackgroundJob("a", "1"),
                                  client->SubmitBackgroundJob("a", "2")};
  EXPECT_FALSE(client->WaitUntilJobsAccepted(jobs).ok());
  EXPECT_EQ(metrics->Value("gearman_protocol_errors_total"), 1);
  const MetricsSnapshot snapshot = metrics->Snapshot();
  const MetricFamily* const errors =
      snapshot.Find("gearman_protocol_errors_total");
  ASSERT_NE(errors, nullptr);
  EXPECT_THAT(errors->samples[0].label_values[0], HasSubstr("QUEUE"));
}

TEST_F(ObservedStackTest, DebugShowsEveryPacketAndNoPayload) {
  std::vector<std::string> of_client;
  std::vector<std::string> of_worker;
  StartWorker({}, Debug(&of_worker));
  const auto client = MakeClient({}, Debug(&of_client));
  EXPECT_TRUE(client->Run("resize", "secret question").ok());
  EXPECT_THAT(
      of_client,
      AllOf(Contains(AllOf(HasSubstr("sent SUBMIT_JOB to inproc://jobs: "
                                     "function \"resize\", unique \""),
                           HasSubstr(" bytes"))),
            Contains(HasSubstr("received JOB_CREATED from "
                               "inproc://jobs: handle \"H:jobs.1:1\"")),
            Contains(HasSubstr("received WORK_COMPLETE from "))));
  EXPECT_THAT(of_worker,
              AllOf(Contains("sent CAN_DO to inproc://jobs: function "
                             "\"resize\", 18 bytes"),
                    Contains(HasSubstr("received JOB_ASSIGN_UNIQ from "
                                       "inproc://jobs: handle \"H:jobs.1:1\", "
                                       "function \"resize\", unique \"")),
                    Contains(HasSubstr("sent WORK_COMPLETE to inproc://jobs: "
                                       "handle \"H:jobs.1:1\""))));
  EXPECT_THAT(of_client, Each(Not(HasSubstr("secret"))));
  EXPECT_THAT(of_worker, Each(Not(HasSubstr("secret"))));
}

TEST_F(ObservedStackTest, PayloadsAreShownOnlyWhenAskedFor) {
  std::vector<std::string> lines;
  StartWorker({});
  const auto client = MakeClient({}, Debug(&lines).WithPayloads(6));
  EXPECT_TRUE(client->Run("resize", "secret question").ok());
  EXPECT_THAT(lines, Contains(HasSubstr("data \"secret\"..., ")));
  EXPECT_THAT(lines, Each(Not(HasSubstr("question"))));
}

TEST_F(ObservedStackTest, NoPacketIsLoggedAboveDebug) {
  std::vector<std::string> lines;
  const Logger info(LogLevel::kInfo,
                    [&lines](LogLevel, absl::string_view line) {
                      if (absl::StrContains(line, " bytes")) {
                        lines.emplace_back(line);
                      }
                    });
  StartWorker({}, info);
  const auto client = MakeClient({}, info);
  EXPECT_TRUE(client->Run("resize", "").ok());
  EXPECT_THAT(lines, IsEmpty());
}

}  // namespace
}  // namespace gearman
