// Clients, workers, job servers and QueueMetrics made of a config.
#include <cstddef>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/support/raw_connection.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using config::GearmanConfig;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ClientCreate, TakesTheLinkedTransports) {
  ClientOptions options;
  options.servers = {"tcp://127.0.0.1:4730", "inproc://somewhere"};
  const auto client = Client::Create(options);
  EXPECT_TRUE(client.ok()) << client.status();
}

TEST(ClientCreate, NamesTheSchemesThatThereAre) {
  ClientOptions options;
  options.servers = {"carrier-pigeon://loft"};
  const absl::Status status = Client::Create(options).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("carrier-pigeon"), HasSubstr("tcp://")));
}

TEST(CreateClient, MakesAClientOfAConfig) {
  absl::StatusOr<Config> config = Config::FromText(
      "servers: \"tcp://127.0.0.1:4730\" retry { none {} } metrics { "
      "in_memory {} }");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto client = CreateClient(*config);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_NE((*client)->metrics().Find("gearman_sdk_info"), nullptr);
}

// A client of a server that is not there, with the message of its failure.
std::string HowItFails(ClientOptions options) {
  const auto client = Client::Create(std::move(options));
  EXPECT_TRUE(client.ok()) << client.status();
  const JobRequest request = (*client)->SubmitJob("t", "");
  const absl::Status status = (*client)->Wait(request);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(request.connection_attempts(), 3);
  const std::vector<AttemptRecord> attempts = request.attempts();
  // Three attempts on the only server, one after the other.
  for (size_t i = 1; i < attempts.size(); ++i) {
    EXPECT_GT(attempts[i].time, attempts[i - 1].time);
  }
  return std::string(status.message());
}

TEST(ClientCreate, RetriesInOneWayWhetherOptionsComeFromCodeOrConfig) {
  support::RawListener dead;
  ClientOptions in_code;
  in_code.servers = {dead.address()};
  dead.Close();
  GearmanConfig message;
  message.add_servers(in_code.servers[0]);
  absl::StatusOr<ClientOptions> configured = Config(message).ToClientOptions();
  ASSERT_TRUE(configured.ok()) << configured.status();
  const std::string how = HowItFails(in_code);
  EXPECT_THAT(how, HasSubstr("attempt 3 of 3"));
  EXPECT_EQ(HowItFails(*configured), how);
}

// The server takes the submission and is gone: the job may have run.
TEST(ClientCreate, ByDefaultAJobThatMayHaveRunIsRepeatedOnlyIfItIsIdempotent) {
  for (const bool idempotent : {false, true}) {
    support::RawListener listener;
    ClientOptions options;
    options.servers = {listener.address()};
    options.exceptions = false;
    const auto client = Client::Create(options);
    ASSERT_TRUE(client.ok()) << client.status();
    CallOptions call;
    call.unique = "by-the-caller";
    call.idempotent = idempotent;
    const JobRequest request = (*client)->SubmitJob("t", "", call);
    for (int attempt = 0; attempt < (idempotent ? 3 : 1); ++attempt) {
      auto connection = listener.Accept();
      ASSERT_TRUE(connection.ok()) << connection.status();
      ASSERT_TRUE(connection->ReceivePacket().ok());
    }
    const absl::Status status = (*client)->Wait(request);
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_EQ(request.connection_attempts(), idempotent ? 3 : 1) << status;
  }
}

TEST(CreateClient, ReportsABadConfig) {
  GearmanConfig message;
  message.mutable_timeouts()->set_connect("soon");
  EXPECT_TRUE(absl::IsInvalidArgument(CreateClient(Config(message)).status()));
}

TEST(WorkerCreate, TakesTheLinkedTransports) {
  WorkerOptions options;
  options.servers = {"tcp://127.0.0.1:4730", "inproc://somewhere"};
  const auto worker = Worker::Create(options);
  EXPECT_TRUE(worker.ok()) << worker.status();
}

TEST(WorkerCreate, NamesTheSchemesThatThereAre) {
  WorkerOptions options;
  options.servers = {"carrier-pigeon://loft"};
  const absl::Status status = Worker::Create(options).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("carrier-pigeon"), HasSubstr("tcp://")));
}

// One program, one config: its worker does what its client submits.
TEST(CreateWorker, MakesAWorkerOfAConfigThatDoesTheClientsJob) {
  absl::StatusOr<Config> config = Config::FromText(
      "servers: \"inproc://one-config\" "
      "embedded_server { listen: \"inproc://one-config\" }");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto server = CreateJobServer(*config);
  ASSERT_TRUE(server.ok()) << server.status();
  const auto worker = CreateWorker(*config);
  ASSERT_TRUE(worker.ok()) << worker.status();
  const auto client = CreateClient(*config);
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE(
      (*worker)
          ->Register("twice",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       const std::string data(context.job().data());
                       return data + data;
                     })
          .ok());
  std::thread runs([&] { EXPECT_TRUE((*worker)->Run().ok()); });
  const absl::StatusOr<std::string> result = (*client)->Run("twice", "ab");
  (*worker)->Stop();
  runs.join();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "abab");
}

TEST(CreateWorker, ReportsABadConfig) {
  GearmanConfig message;
  message.mutable_worker()->set_regrab_interval("soon");
  EXPECT_TRUE(absl::IsInvalidArgument(CreateWorker(Config(message)).status()));
}

TEST(JobServerConfig, SetsEveryOption) {
  absl::StatusOr<Config> config = Config::FromText(R"(
    embedded_server {
      job_handle_prefix: "J"
      job_retries: 3
      worker_wakeup: 2
      round_robin: true
      exceptions: true
      max_jobs: 10
      max_job_bytes: 20
      max_functions: 25
      max_functions_of_worker: 26
      max_connections: 30
      max_packet_bytes: 4096
      output_mark: 5000
      max_output_bytes: 6000
      pipe_bytes: 7000
      max_queue_memory: 8000
      max_connection_memory: 9000
      packet_timeout: "10s"
      output_timeout: "inf"
      max_handshakes: 11
    }
  )");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto options = config->ToJobServerOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->job_handle_prefix, "J");
  EXPECT_EQ(options->job_retries, 3u);
  EXPECT_EQ(options->worker_wakeup, 2u);
  EXPECT_TRUE(options->round_robin);
  EXPECT_TRUE(options->exceptions);
  EXPECT_EQ(options->max_jobs, 10u);
  EXPECT_EQ(options->max_job_bytes, 20u);
  EXPECT_EQ(options->max_functions, 25u);
  EXPECT_EQ(options->max_functions_of_worker, 26u);
  EXPECT_EQ(options->max_connections, 30u);
  EXPECT_EQ(options->max_packet_bytes, 4096u);
  EXPECT_EQ(options->output_mark, 5000u);
  EXPECT_EQ(options->max_output_bytes, 6000u);
  EXPECT_EQ(options->pipe_bytes, 7000u);
  EXPECT_EQ(options->max_queue_memory, 8000u);
  EXPECT_EQ(options->max_connection_memory, 9000u);
  EXPECT_EQ(options->packet_timeout, absl::Seconds(10));
  EXPECT_EQ(options->output_timeout, absl::InfiniteDuration());
  EXPECT_EQ(options->max_handshakes, 11u);
}

TEST(JobServerConfig, KeepsTheDefaults) {
  const JobServerOptions defaults;
  const auto options = Config().ToJobServerOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->max_jobs, defaults.max_jobs);
  EXPECT_EQ(options->max_job_bytes, defaults.max_job_bytes);
  EXPECT_EQ(options->max_functions, defaults.max_functions);
  EXPECT_EQ(options->max_functions_of_worker, defaults.max_functions_of_worker);
  EXPECT_EQ(options->max_connections, defaults.max_connections);
  EXPECT_EQ(options->max_packet_bytes, defaults.max_packet_bytes);
  EXPECT_EQ(options->output_mark, defaults.output_mark);
  EXPECT_EQ(options->max_output_bytes, defaults.max_output_bytes);
  EXPECT_EQ(options->pipe_bytes, defaults.pipe_bytes);
  EXPECT_EQ(options->max_queue_memory, defaults.max_queue_memory);
  EXPECT_EQ(options->max_connection_memory, defaults.max_connection_memory);
  EXPECT_EQ(options->packet_timeout, defaults.packet_timeout);
  EXPECT_EQ(options->output_timeout, defaults.output_timeout);
  EXPECT_EQ(options->max_handshakes, defaults.max_handshakes);
}

TEST(CreateJobServer, ListensWhereClientsLookByDefault) {
  auto server = CreateJobServer(Config());
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT((*server)->addresses(), ElementsAre("inproc://default"));
}

TEST(CreateJobServer, SaysWhenAnAddressIsTaken) {
  auto server = CreateJobServer(Config());
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(absl::IsAlreadyExists(CreateJobServer(Config()).status()));
}

TEST(QueueMetricsConfig, SetsEveryOption) {
  const absl::StatusOr<Config> config = Config::FromText(R"(
    servers: ["tcp://a:4730", "b"]
    metrics { in_memory {} }
    queue_metrics { interval: "15s" timeout: "1s" max_tasks: 7 }
  )");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto options = config->ToQueueMetricsOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->servers, ElementsAre("tcp://a:4730", "b"));
  EXPECT_EQ(options->interval, absl::Seconds(15));
  EXPECT_EQ(options->timeout, absl::Seconds(1));
  EXPECT_EQ(options->max_tasks, 7u);
  ASSERT_EQ(options->metrics_sinks.size(), 1u);
  EXPECT_EQ(options->metrics_sinks[0]->name(), "in_memory");
  EXPECT_NE(options->transports, nullptr);
}

TEST(QueueMetricsConfig, KeepsTheDefaults) {
  const QueueMetricsOptions defaults;
  const auto options = Config().ToQueueMetricsOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->interval, defaults.interval);
  EXPECT_EQ(options->timeout, defaults.timeout);
  EXPECT_EQ(options->max_tasks, defaults.max_tasks);
}

TEST(QueueMetricsConfig, CanBeWrittenInJson) {
  const absl::StatusOr<Config> config =
      Config::FromJson(R"({"queueMetrics": {"maxTasks": 7}})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->ToQueueMetricsOptions()->max_tasks, 7u);
}

TEST(CreateQueueMetrics, ReturnsNullUnlessTheConfigSwitchesItOn) {
  const auto none =
      CreateQueueMetrics(*Config::FromText("servers: \"inproc://nobody\""));
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(*none, nullptr);
  const auto one = CreateQueueMetrics(
      *Config::FromText("servers: \"inproc://nobody\" queue_metrics {}"));
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_NE(*one, nullptr);
}

TEST(CreateQueueMetrics, AsksTheServersOfTheConfig) {
  const absl::StatusOr<Config> config = Config::FromText(R"(
    servers: "inproc://queues"
    embedded_server { listen: "inproc://queues" }
    queue_metrics { interval: "1h" }
  )");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto server = CreateJobServer(*config);
  ASSERT_TRUE(server.ok()) << server.status();
  const auto client = CreateClient(*config);
  ASSERT_TRUE(client.ok()) << client.status();
  const absl::Status queued =
      (*client)->Wait((*client)->SubmitBackgroundJob("resize", "x"));
  ASSERT_TRUE(queued.ok()) << queued;
  const auto queues = CreateQueueMetrics(*config);
  ASSERT_TRUE(queues.ok()) << queues.status();
  ASSERT_TRUE((*queues)->AskNow().ok());
  const MetricsSnapshot metrics = (*queues)->metrics();
  const MetricFamily* const jobs = metrics.Find("gearman_jobs");
  ASSERT_NE(jobs, nullptr);
  ASSERT_EQ(jobs->samples.size(), 1u);
  EXPECT_THAT(jobs->samples[0].label_values,
              ElementsAre("resize", "inproc://queues"));
  EXPECT_EQ(jobs->samples[0].value, 1);
}

TEST(CreateQueueMetrics, ReportsABadConfig) {
  GearmanConfig message;
  message.mutable_queue_metrics()->set_interval("soon");
  const absl::Status status =
      CreateQueueMetrics(Config(message, "code")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("code: queue_metrics.interval: \"soon\""));
  const auto scheme = CreateQueueMetrics(
      *Config::FromText("servers: \"carrier-pigeon://loft\" queue_metrics {}"));
  EXPECT_TRUE(absl::IsNotFound(scheme.status())) << scheme.status();
}

}  // namespace
}  // namespace gearman
