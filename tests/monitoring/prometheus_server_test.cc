// The exposition, the alert rules and the dashboard with Debian's Prometheus:
// its promtool, and a server of it that scrapes a running client and worker.
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/plugins/metrics/prometheus_metrics.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/internal/metrics/catalogue.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/monitoring/dashboard.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/tests/support/http_get.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::HttpGet;
using support::UrlEncode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kInstall[] =
    "is Debian's package prometheus installed? tools/install_packages test";

// Runs promtool, which must find nothing to complain of.
void Promtool(std::vector<std::string> arguments, std::string input = "") {
  support::SubprocessOptions options;
  options.argv = std::move(arguments);
  options.argv.insert(options.argv.begin(), "promtool");
  options.input = std::move(input);
  const auto run = support::RunProgram(std::move(options));
  ASSERT_TRUE(run.ok()) << run.status() << "; " << kInstall;
  EXPECT_TRUE(run->status.ok()) << run->status.ToString() << "\n"
                                << run->output << run->error_output;
}

// Every metric of the catalogue.
class Everything : public MetricsSource {
 public:
  MetricsSnapshot Snapshot() override {
    MetricsSnapshot snapshot;
    for (const internal::MetricDescription& row :
         internal::MetricsCatalogue()) {
      MetricFamily& family =
          snapshot.families.emplace_back(internal::MakeFamily(row));
      // A user's own source may have such values.
      std::vector<std::string> values = {"one", "an \"other\"\n\\one"};
      for (const support::HostileName& name : support::HostileNames()) {
        values.push_back("hostile " + name.name);
      }
      std::set<std::string> shown;
      for (const std::string& value : values) {
        // Some names look alike once they are safe. They would be one series.
        if (!shown.insert(SafeLine(value)).second) continue;
        MetricSample& sample = family.samples.emplace_back();
        sample.label_values.assign(family.label_names.size(), value);
        sample.value = 2.5;
        if (row.type == MetricType::kHistogram) {
          sample.bucket_counts.assign(family.bucket_bounds.size() + 1, 1);
          sample.count = sample.bucket_counts.size();
          sample.sum = 1.5;
        }
        if (family.label_names.empty()) break;
      }
    }
    return snapshot;
  }
};

TEST(Promtool, FindsNothingWrongWithAnyMetric) {
  auto metrics = PrometheusMetrics::Create();
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  const auto source = std::make_shared<Everything>();
  (*metrics)->Attach(source);
  const std::string text = (*metrics)->Text();
  for (const internal::MetricDescription& row : internal::MetricsCatalogue()) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("# TYPE ", row.name, " ",
                                             MetricTypeName(row.type), "\n")));
  }
  Promtool({"check", "metrics"}, text);
}

TEST(Promtool, FindsNothingWrongWithTheAlertRules) {
  Promtool({"check", "rules", "docs/monitoring/alerts.yml"});
}

TEST(Promtool, SeesEachAlertFireWhenItShould) {
  Promtool({"test", "rules", "tests/monitoring/alerts_test.yml"});
}

// A worker and a client with endpoints of their own, and QueueMetrics at the
// client's.
class Application {
 public:
  Application()
      : of_client_(MakeSink()),
        of_worker_(MakeSink()),
        network_(std::make_shared<InprocNetwork>()),
        transports_(std::make_shared<TransportRegistry>()) {
    EXPECT_TRUE(
        transports_
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network_))
            .ok());
    JobServerOptions server;
    server.network = network_;
    server.transports = transports_;
    server_ = *JobServer::Create(std::move(server));
    EXPECT_TRUE(server_->Listen("inproc://jobs").ok());
    WorkerOptions worker;
    worker.servers = {"inproc://jobs"};
    worker.transports = transports_;
    worker.metrics_sinks = {of_worker_};
    worker_ = *Worker::Create(std::move(worker));
    EXPECT_TRUE(worker_
                    ->Register("resize",
                               [](JobContext&) -> absl::StatusOr<std::string> {
                                 return "done";
                               })
                    .ok());
    thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
    ClientOptions client;
    client.servers = {"inproc://jobs"};
    client.transports = transports_;
    client.metrics_sinks = {of_client_};
    client_ = *Client::Create(std::move(client));
    QueueMetricsOptions queues;
    queues.servers = {"inproc://jobs"};
    queues.transports = transports_;
    queues.metrics_sinks = {of_client_};
    queues_ = *QueueMetrics::Create(std::move(queues));
  }
  ~Application() {
    worker_->Stop();
    thread_.join();
    queues_ = nullptr;
    client_ = nullptr;
    worker_ = nullptr;
    // Each endpoint takes two seconds to close.
    std::thread other([this] { of_worker_ = nullptr; });
    of_client_ = nullptr;
    other.join();
  }
  Client& client() { return *client_; }
  QueueMetrics& queues() { return *queues_; }
  int client_port() const { return of_client_->port(); }
  int worker_port() const { return of_worker_->port(); }

 private:
  static std::shared_ptr<PrometheusMetrics> MakeSink() {
    PrometheusMetricsOptions options;
    options.listen = "127.0.0.1:0";
    auto sink = PrometheusMetrics::Create(options);
    EXPECT_TRUE(sink.ok()) << sink.status();
    return *std::move(sink);
  }

  std::shared_ptr<PrometheusMetrics> of_client_;
  std::shared_ptr<PrometheusMetrics> of_worker_;
  const std::shared_ptr<InprocNetwork> network_;
  const std::shared_ptr<TransportRegistry> transports_;
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<QueueMetrics> queues_;
};

std::string Body(int port, const std::string& path) {
  const auto answer = HttpGet(static_cast<uint16_t>(port), path);
  return answer.ok() ? answer->body : std::string(answer.status().message());
}

TEST(PrometheusServer, ScrapesARunningClientAndWorker) {
  Application application;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(application.client().Run("resize", "").ok());
  }
  // Another client's tasks, too, whose names are no UTF-8 or odd otherwise.
  std::vector<JobRequest> odd;
  for (const support::HostileName& name : support::HostileNames()) {
    if (!name.listable) continue;
    odd.push_back(application.client().SubmitBackgroundJob(name.name, ""));
  }
  ASSERT_TRUE(application.client().WaitUntilJobsAccepted(odd).ok());
  ASSERT_TRUE(application.queues().AskNow().ok());
  Promtool({"check", "metrics"}, Body(application.client_port(), "/metrics"));
  Promtool({"check", "metrics"}, Body(application.worker_port(), "/metrics"));

  const support::TestDirectory directory;
  const support::ReservedPort port;
  directory.Write("alerts.yml", ReadWholeFile("docs/monitoring/alerts.yml"));
  const std::string config = directory.Write(
      "prometheus.yml",
      absl::StrCat("global: {scrape_interval: 100ms, evaluation_interval: "
                   "100ms}\nrule_files: [alerts.yml]\n"
                   "scrape_configs:\n- job_name: gearman\n"
                   "  static_configs: [{targets: ['127.0.0.1:",
                   application.client_port(),
                   "', '127.0.0.1:", application.worker_port(), "']}]\n"));
  support::SubprocessOptions options;
  options.argv = {"prometheus", absl::StrCat("--config.file=", config),
                  absl::StrCat("--storage.tsdb.path=", directory.File("data")),
                  absl::StrCat("--web.listen-address=127.0.0.1:", port.port())};
  options.directory = directory.path();
  auto prometheus = support::Subprocess::Start(std::move(options));
  ASSERT_TRUE(prometheus.ok()) << prometheus.status() << "; " << kInstall;
  const absl::Status ready =
      (*prometheus)->WaitForErrorOutput("Server is ready to receive web");
  ASSERT_TRUE(ready.ok()) << ready;

  // No event tells that it has scraped, for the first time after five seconds:
  // ask until it has.
  const auto query = [&port](const std::string& expression) {
    return Body(port.port(), "/api/v1/query?query=" + UrlEncode(expression));
  };
  const auto has_value = [&query](const std::string& expression,
                                  const std::string& value) {
    return support::WaitFor([&] {
      return absl::StrContains(query(expression),
                               absl::StrCat(",\"", value, "\"]"));
    });
  };
  EXPECT_TRUE(
      has_value("gearman_client_jobs_finished_total{task=\"resize\","
                "outcome=\"complete\"}",
                "3"));
  EXPECT_TRUE(
      has_value("gearman_worker_jobs_processed_total{task=\"resize\","
                "outcome=\"complete\"}",
                "3"));
  EXPECT_TRUE(
      has_value("gearman_workers{task=\"resize\","
                "server=\"inproc://jobs\"}",
                "1"));
  EXPECT_TRUE(
      has_value("gearman_client_job_duration_seconds_bucket{"
                "le=\"+Inf\"}",
                "3"));
  EXPECT_TRUE(has_value("count(gearman_sdk_info)", "2"));
  // No name has cost a target its metrics.
  EXPECT_TRUE(has_value("sum(up)", "2"));
  for (const support::HostileName& name : support::HostileNames()) {
    if (!name.listable) continue;
    const std::string quoted =
        absl::StrReplaceAll(name.safe, {{"\\", "\\\\"}, {"\"", "\\\""}});
    EXPECT_TRUE(
        has_value(absl::StrCat("gearman_jobs{task=\"", quoted, "\"}"), "1"))
        << name.safe;
    EXPECT_TRUE(
        has_value(absl::StrCat("gearman_client_jobs_submitted_total{task=\"",
                               quoted, "\"}"),
                  "1"))
        << name.safe;
  }

  // Prometheus understands every panel of the dashboard,
  for (const std::string& panel : DashboardExpressions()) {
    const std::string expression =
        absl::StrReplaceAll(panel, {{"$__rate_interval", "1m"},
                                    {"$instance", ".*"},
                                    {"$task", ".*"},
                                    {"$server", ".*"}});
    EXPECT_THAT(query(expression), HasSubstr("\"status\":\"success\""))
        << panel;
  }
  // and has evaluated every alert.
  std::string rules;
  EXPECT_TRUE(support::WaitFor([&] {
    rules = Body(port.port(), "/api/v1/rules");
    return !absl::StrContains(rules, "\"health\":\"unknown\"");
  })) << rules;
  EXPECT_THAT(rules, AllOf(HasSubstr("GearmanJobsFail"),
                           Not(HasSubstr("\"health\":\"err\""))));
}

}  // namespace
}  // namespace gearman
