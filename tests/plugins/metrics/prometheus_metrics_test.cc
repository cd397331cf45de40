// The Prometheus sink, read as a scraper reads it.
#include "gearman/plugins/metrics/prometheus_metrics.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/forked_child.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/http_get.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Scrape(int port, const std::string& path) {
  const auto answer = support::HttpGet(static_cast<uint16_t>(port), path);
  EXPECT_TRUE(answer.ok()) << answer.status();
  if (!answer.ok()) return "";
  EXPECT_EQ(answer->code, 200);
  return answer->body;
}

TEST(PrometheusMetrics, AChildMadeByForkMayDestroyItsCopyAndHasItNot) {
  PrometheusMetricsOptions options;
  options.listen = "127.0.0.1:0";
  auto created = PrometheusMetrics::Create(options);
  ASSERT_TRUE(created.ok()) << created.status();
  std::unique_ptr<PrometheusMetrics> metrics = *std::move(created);
  ASSERT_TRUE(support::WaitFor(support::OtherThreadsSleep));
  EXPECT_EQ(support::RunInChild([&metrics]() -> std::string {
              if (metrics->port() != 0) return "a port";
              if (!metrics->Text().empty()) return "text";
              // The web server's threads are not here to be waited for.
              metrics = nullptr;
              return "";
            }),
            "");
  Scrape(metrics->port(), "/metrics");
}

TEST(PrometheusMetrics, AScrapeShowsWhatClientsAndWorkersHaveCounted) {
  PrometheusMetricsOptions options;
  options.listen = "127.0.0.1:0";
  auto created = PrometheusMetrics::Create(options);
  ASSERT_TRUE(created.ok()) << created.status();
  const std::shared_ptr<PrometheusMetrics> metrics = *std::move(created);
  ASSERT_GT(metrics->port(), 0);

  auto config = Config::FromText("embedded_server { listen: \"inproc://p\" }");
  ASSERT_TRUE(config.ok()) << config.status();
  auto server = CreateJobServer(*config);
  ASSERT_TRUE(server.ok()) << server.status();
  WorkerOptions worker_options;
  worker_options.servers = {"inproc://p"};
  worker_options.metrics_sinks = {metrics};
  auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE((*worker)
                  ->Register("resize",
                             [](JobContext&) -> absl::StatusOr<std::string> {
                               return "done";
                             })
                  .ok());
  std::thread thread([&worker] { EXPECT_TRUE((*worker)->Run().ok()); });
  ClientOptions client_options;
  client_options.servers = {"inproc://p"};
  client_options.metrics_sinks = {metrics};
  auto client = Client::Create(std::move(client_options));
  ASSERT_TRUE(client.ok()) << client.status();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE((*client)->Run("resize", "").ok());
  }
  const std::string text = Scrape(metrics->port(), "/metrics");
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("# TYPE gearman_client_jobs_finished_total counter\n"),
            HasSubstr("gearman_client_jobs_finished_total{task=\"resize\","
                      "outcome=\"complete\"} 3"),
            HasSubstr("# TYPE gearman_client_job_duration_seconds histogram\n"),
            HasSubstr("gearman_client_job_duration_seconds_count{"
                      "task=\"resize\",outcome=\"complete\"} 3"),
            HasSubstr("le=\"+Inf\"} 3"),
            HasSubstr("gearman_worker_jobs_processed_total{task=\"resize\","
                      "outcome=\"complete\"} 3")));
  (*worker)->Stop();
  thread.join();
  // Counters don't fall when their client goes.
  *client = nullptr;
  EXPECT_THAT(metrics->Text(),
              HasSubstr("gearman_client_jobs_finished_total{task=\"resize\","
                        "outcome=\"complete\"} 3"));
}

// A source of somebody else's making.
class MalformedSource : public MetricsSource {
 public:
  MetricsSnapshot Snapshot() override {
    MetricsSnapshot snapshot;
    MetricFamily& family = snapshot.families.emplace_back();
    family.name = "jobs_total";
    family.label_names = {"task"};
    family.samples.resize(2);
    family.samples[0].label_values = {"resize", "complete"};
    family.samples[1].label_values = {"resize"};
    family.samples[1].value = 3;
    return snapshot;
  }
};

TEST(PrometheusMetrics, LeavesOutWhatDoesNotFitItsMetricAndSaysSo) {
  auto metrics = PrometheusMetrics::Create({});
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  (*metrics)->Attach(std::make_shared<MalformedSource>());
  const std::string text = (*metrics)->Text();
  EXPECT_THAT(text,
              HasSubstr("gearman_malformed_samples{metric=\"jobs_total\","
                        "problem=\"2 label values for 1 label names\"} 1"));
  EXPECT_THAT(text, HasSubstr("jobs_total{task=\"resize\"} 3"));
}

class ThrowingSource : public MetricsSource {
 public:
  MetricsSnapshot Snapshot() override { throw std::runtime_error("no way"); }
};

// The thread of the web server must not end the program.
TEST(PrometheusMetrics, LeavesOutASourceThatThrowsAndSaysSo) {
  PrometheusMetricsOptions options;
  options.listen = "127.0.0.1:0";
  auto metrics = PrometheusMetrics::Create(options);
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  const auto throwing = std::make_shared<ThrowingSource>();
  (*metrics)->Attach(throwing);
  (*metrics)->Attach(std::make_shared<MalformedSource>());
  const std::string text = Scrape((*metrics)->port(), "/metrics");
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("jobs_total{task=\"resize\"} 3"),
            HasSubstr("gearman_malformed_samples{metric=\"*\",problem="
                      "\"the source has thrown\"} 1"),
            HasSubstr("gearman_malformed_samples{metric=\"jobs_total\"")));
  // Prometheus refuses a page that has a metric twice.
  const std::string type = "# TYPE gearman_malformed_samples";
  EXPECT_EQ(text.find(type), text.rfind(type)) << text;
  (*metrics)->Detach(throwing.get());
  EXPECT_THAT((*metrics)->Text(), Not(HasSubstr("the source has thrown")));
}

TEST(PrometheusMetrics, ScrapesWhileOthersAreConnectedAndSayNothing) {
  PrometheusMetricsOptions options;
  options.listen = "127.0.0.1:0";
  auto metrics = PrometheusMetrics::Create(options);
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  std::vector<support::RawConnection> silent;
  for (int i = 0; i < 4; ++i) {
    auto connection = support::RawConnection::Connect(
        static_cast<uint16_t>((*metrics)->port()));
    ASSERT_TRUE(connection.ok()) << connection.status();
    silent.push_back(*std::move(connection));
  }
  Scrape((*metrics)->port(), "/metrics");
  // The web server has not waited until it closed one of them.
  for (support::RawConnection& connection : silent) {
    EXPECT_FALSE(connection.Readable(absl::ZeroDuration()));
  }
}

TEST(PrometheusMetrics, AnAddressThatIsTakenIsAnErrorAndNoException) {
  const support::RawListener taken;
  PrometheusMetricsOptions options;
  options.listen = absl::StrCat("127.0.0.1:", taken.port());
  const absl::Status status = PrometheusMetrics::Create(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(options.listen));
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process"));
}

TEST(PrometheusMetrics, WhatIsNoAddressIsToldSoAndNotThatThePortIsTaken) {
  const auto error = [](const std::string& listen) {
    PrometheusMetricsOptions options;
    options.listen = listen;
    const absl::Status status = PrometheusMetrics::Create(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  for (const char* const listen :
       {"nonsense", "127.0.0.1", "127.0.0.1:", ":9464", "127.0.0.1:http",
        "127.0.0.1:65536", "127.0.0.1:-1", "::1:9464x", "[::1]",
        "[127.0.0.1]:1", "a b:9464", "http://127.0.0.1:9464",
        "127.0.0.1:0,127.0.0.2:0", " :0"}) {
    EXPECT_THAT(
        error(listen),
        AllOf(HasSubstr(absl::StrCat("listen: \"", listen, "\" is not valid")),
              HasSubstr("127.0.0.1:9464")));
  }
  // An address for documents.
  EXPECT_THAT(error("192.0.2.1:9464"),
              HasSubstr("it is no address of this machine"));
  EXPECT_THAT(error("no-such-host.invalid:9464"),
              HasSubstr("the host is not known"));
}

TEST(PrometheusMetrics, APathNeedsASlash) {
  PrometheusMetricsOptions options;
  options.path = "metrics";
  const absl::Status status = PrometheusMetrics::Create(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("path: \"metrics\""));
}

// One config for all that a process has.
TEST(PrometheusMetrics, SinksOfOneConfigShareThePort) {
  const support::ReservedPort port;
  auto config = Config::FromText(absl::StrCat(
      "servers: \"inproc://shared\" embedded_server { listen: "
      "\"inproc://shared\" } metrics { prometheus { listen: \"127.0.0.1:",
      port.port(), "\" } }"));
  ASSERT_TRUE(config.ok()) << config.status();
  auto server = CreateJobServer(*config);
  ASSERT_TRUE(server.ok()) << server.status();
  auto worker = CreateWorker(*config);
  ASSERT_TRUE(worker.ok()) << worker.status();
  auto client = CreateClient(*config);
  ASSERT_TRUE(client.ok()) << client.status();
  auto options = config->ToClientOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  QueueMetricsOptions queue_options;
  queue_options.servers = options->servers;
  queue_options.metrics_sinks = options->metrics_sinks;
  queue_options.transports = options->transports;
  options = absl::CancelledError("its sinks are passed on");
  auto queues = QueueMetrics::Create(std::move(queue_options));
  ASSERT_TRUE(queues.ok()) << queues.status();
  ASSERT_TRUE((*queues)->AskNow().ok());
  const std::string text = Scrape(port.port(), "/metrics");
  for (const char* const metric :
       {"gearman_sdk_info", "gearman_worker_slots_available",
        "gearman_server_up"}) {
    const std::string type = absl::StrCat("# TYPE ", metric, " ");
    const size_t at = text.find(type);
    ASSERT_NE(at, std::string::npos) << metric;
    // Prometheus takes no metric twice.
    EXPECT_EQ(text.find(type, at + 1), std::string::npos) << metric;
  }
  // Each owner of a sink keeps the port open; the last one closes it.
  *client = nullptr;
  *queues = nullptr;
  EXPECT_THAT(Scrape(port.port(), "/metrics"),
              HasSubstr("gearman_worker_slots_available"));
  *worker = nullptr;
  EXPECT_FALSE(
      support::HttpGet(static_cast<uint16_t>(port.port()), "/metrics").ok());
  // The port can be had again at once.
  client = CreateClient(*config);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_THAT(Scrape(port.port(), "/metrics"),
              Not(HasSubstr("gearman_worker_slots_available")));
}

TEST(PrometheusMetrics, TwoPathsAtOneAddressAreTwo) {
  const support::ReservedPort port;
  PrometheusMetricsOptions options;
  options.listen = absl::StrCat("127.0.0.1:", port.port());
  options.path = "/one";
  auto one = PrometheusMetrics::Create(options);
  ASSERT_TRUE(one.ok()) << one.status();
  options.path = "/other";
  auto other = PrometheusMetrics::Create(options);
  ASSERT_TRUE(other.ok()) << other.status();
  (*one)->Attach(std::make_shared<MalformedSource>());
  EXPECT_THAT(Scrape(port.port(), "/one"), HasSubstr("jobs_total{"));
  EXPECT_THAT(Scrape(port.port(), "/other"), Not(HasSubstr("jobs_total{")));
}

TEST(PrometheusMetrics, ASourceThatHasASharedPageTwiceCountsOnce) {
  const support::ReservedPort port;
  PrometheusMetricsOptions options;
  options.listen = absl::StrCat("127.0.0.1:", port.port());
  auto one = PrometheusMetrics::Create(options);
  ASSERT_TRUE(one.ok()) << one.status();
  auto other = PrometheusMetrics::Create(options);
  ASSERT_TRUE(other.ok()) << other.status();
  const auto source = std::make_shared<MalformedSource>();
  (*one)->Attach(source);
  (*other)->Attach(source);
  EXPECT_THAT((*one)->Text(), HasSubstr("jobs_total{task=\"resize\"} 3"));
  (*one)->Detach(source.get());
  EXPECT_THAT((*one)->Text(), HasSubstr("jobs_total{task=\"resize\"} 3"));
}

TEST(PrometheusMetrics, EachSinkAtPort0HasAPortOfItsOwn) {
  PrometheusMetricsOptions options;
  options.listen = "127.0.0.1:0";
  auto one = PrometheusMetrics::Create(options);
  auto other = PrometheusMetrics::Create(options);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE((*one)->port(), (*other)->port());
}

TEST(PrometheusMetrics, AnotherProcessDoesNotShareAndIsToldSo) {
  const support::ReservedPort port;
  PrometheusMetricsOptions options;
  options.listen = absl::StrCat("127.0.0.1:", port.port());
  auto metrics = PrometheusMetrics::Create(options);
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  ASSERT_TRUE(support::WaitFor(support::OtherThreadsSleep));
  EXPECT_EQ(support::RunInChild([&options]() -> std::string {
              const absl::Status status =
                  PrometheusMetrics::Create(options).status();
              return absl::IsUnavailable(status) &&
                             absl::StrContains(status.message(),
                                               "another process listens there")
                         ? ""
                         : status.ToString();
            }),
            "");
  Scrape((*metrics)->port(), "/metrics");
}

TEST(PrometheusMetrics, IsChosenInAConfig) {
  auto config = Config::FromText(
      "metrics { prometheus { listen: \"127.0.0.1:0\" path: \"/m\" } }");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto options = config->ToClientOptions();
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_EQ(options->metrics_sinks.size(), 1u);
  auto* const metrics =
      static_cast<PrometheusMetrics*>(options->metrics_sinks.front().get());
  Scrape(metrics->port(), "/m");
  const auto error = [](const std::string& sink) {
    const auto bad = Config::FromText(
        absl::StrCat("metrics {\n prometheus { ", sink, " } }"), "f");
    EXPECT_TRUE(bad.ok()) << bad.status();
    const absl::Status status = bad->ToWorkerOptions().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(error("path: \"m\""), StartsWith("f:2:21: "));
  EXPECT_THAT(error("listen: \"nonsense\""), StartsWith("f:2:23: "));
}

}  // namespace
}  // namespace gearman
