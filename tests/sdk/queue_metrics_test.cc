// Queue sizes of the embedded job server, and of servers that can't be asked.
// With a real gearmand: tests/integration/queue_metrics_gearmand_test.cc.
#include "gearman/sdk/queue_metrics.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/internal/metrics/catalogue.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kJobs[] = "gearman_jobs";
constexpr char kRunning[] = "gearman_jobs_running";
constexpr char kWorkers[] = "gearman_workers";
constexpr char kUp[] = "gearman_server_up";

class QueueMetricsTest : public ::testing::Test {
 protected:
  QueueMetricsTest() {
    EXPECT_TRUE(
        transports_
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network_))
            .ok());
    EXPECT_TRUE(
        transports_->Register("tcp", std::make_shared<TcpTransportFactory>())
            .ok());
    JobServerOptions options;
    options.network = network_;
    options.transports = transports_;
    auto server = JobServer::Create(std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    EXPECT_TRUE(server_->Listen("inproc://jobs").ok());
    ClientOptions client_options;
    client_options.servers = {"inproc://jobs"};
    client_options.transports = transports_;
    auto client = Client::Create(std::move(client_options));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void SubmitBackground(const std::string& task) {
    EXPECT_TRUE(
        client_->WaitUntilJobsAccepted({client_->SubmitBackgroundJob(task, "")})
            .ok());
  }
  // Asks by itself once, and when told to.
  QueueMetricsOptions Options(std::vector<std::string> servers) {
    QueueMetricsOptions options;
    options.servers = std::move(servers);
    options.interval = absl::Hours(1);
    options.transports = transports_;
    options.metrics_sinks = {metrics_};
    return options;
  }
  static std::unique_ptr<QueueMetrics> Make(QueueMetricsOptions options) {
    auto queues = QueueMetrics::Create(std::move(options));
    EXPECT_TRUE(queues.ok()) << queues.status();
    return *std::move(queues);
  }
  double Value(absl::string_view metric, InMemoryMetrics::Labels labels) {
    return metrics_->Value(metric, labels);
  }

  const std::shared_ptr<InprocNetwork> network_ =
      std::make_shared<InprocNetwork>();
  const std::shared_ptr<TransportRegistry> transports_ =
      std::make_shared<TransportRegistry>();
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Client> client_;
  const std::shared_ptr<InMemoryMetrics> metrics_ =
      std::make_shared<InMemoryMetrics>();
};

TEST_F(QueueMetricsTest, TellsJobsAndWorkersOfEachTask) {
  SubmitBackground("mail");
  SubmitBackground("resize");
  SubmitBackground("resize");
  WorkerOptions worker_options;
  worker_options.servers = {"inproc://jobs"};
  worker_options.transports = transports_;
  auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  const auto queues = Make(Options({"inproc://jobs"}));
  // While a job runs: the first question of its own may come late.
  const auto check = [&] {
    EXPECT_EQ(Value(kJobs, {{"task", "mail"}, {"server", "inproc://jobs"}}), 1);
    EXPECT_EQ(Value(kRunning, {{"task", "mail"}}), 0);
    EXPECT_EQ(Value(kWorkers, {{"task", "mail"}}), 0);
    EXPECT_EQ(Value(kJobs, {{"task", "resize"}}), 2);
    EXPECT_GE(Value(kRunning, {{"task", "resize"}}), 1);
    EXPECT_EQ(Value(kWorkers, {{"task", "resize"}}), 1);
    EXPECT_EQ(Value(kUp, {{"server", "inproc://jobs"}}), 1);
    EXPECT_NE(queues->metrics().Find(kJobs), nullptr);
  };
  ASSERT_TRUE((*worker)
                  ->Register("resize",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               EXPECT_TRUE(queues->AskNow().ok());
                               check();
                               (*worker)->Stop();
                               return "";
                             })
                  .ok());
  EXPECT_TRUE((*worker)->Run().ok());
}

TEST_F(QueueMetricsTest, HasTheCataloguesMetricsOfQueuesAndNoOthers) {
  SubmitBackground("mail");
  const auto queues = Make(Options({"inproc://jobs"}));
  ASSERT_TRUE(queues->AskNow().ok());
  const MetricsSnapshot snapshot = queues->metrics();
  size_t rows = 0;
  for (const internal::MetricDescription& row : internal::MetricsCatalogue()) {
    const bool ours = row.owner == internal::MetricOwner::kQueues;
    EXPECT_EQ(snapshot.Find(row.name) != nullptr, ours) << row.name;
    if (ours) ++rows;
  }
  EXPECT_EQ(rows, snapshot.families.size());
}

TEST_F(QueueMetricsTest, AServerThatCantBeAskedHidesNoOther) {
  support::RawListener gone;
  const std::string away = gone.address();
  gone.Close();
  SubmitBackground("mail");
  const auto queues = Make(Options({away, "inproc://jobs"}));
  const absl::Status status = queues->AskNow();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(away));
  EXPECT_EQ(Value(kUp, {{"server", away}}), 0);
  EXPECT_EQ(Value(kUp, {{"server", "inproc://jobs"}}), 1);
  EXPECT_EQ(Value(kJobs, {{"task", "mail"}}), 1);
}

TEST_F(QueueMetricsTest, AServerThatDoesNotAnswerIsDown) {
  const support::RawListener silent;
  QueueMetricsOptions options = Options({silent.address(), "inproc://jobs"});
  options.timeout = absl::Milliseconds(20);
  const auto queues = Make(std::move(options));
  EXPECT_EQ(queues->AskNow().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Value(kUp, {{"server", silent.address()}}), 0);
  EXPECT_EQ(Value(kUp, {{"server", "inproc://jobs"}}), 1);
}

TEST_F(QueueMetricsTest, ForgetsTheQueuesOfAServerThatHasGone) {
  SubmitBackground("mail");
  std::vector<std::string> logged;
  QueueMetricsOptions options = Options({"inproc://jobs"});
  options.logger = Logger(
      LogLevel::kInfo, [&logged](LogLevel level, absl::string_view line) {
        logged.push_back(absl::StrCat(LogLevelName(level), " ", line));
      });
  const auto queues = Make(std::move(options));
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_EQ(Value(kJobs, {}), 1);
  client_ = nullptr;
  server_ = nullptr;
  EXPECT_FALSE(queues->AskNow().ok());
  EXPECT_FALSE(queues->AskNow().ok());
  EXPECT_EQ(queues->metrics().Find(kJobs), nullptr);
  EXPECT_EQ(Value(kUp, {{"server", "inproc://jobs"}}), 0);
  // Once, not at each round.
  EXPECT_THAT(logged, ElementsAre(HasSubstr("warning no queue sizes: ")));
}

TEST_F(QueueMetricsTest, AServerThatIsNamedTwiceCountsOnce) {
  SubmitBackground("mail");
  const auto queues = Make(Options({"inproc://jobs", "inproc://jobs"}));
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_EQ(Value(kJobs, {}), 1);
  EXPECT_EQ(Value(kUp, {}), 1);
}

TEST_F(QueueMetricsTest, TasksBeyondTheLimitAreOther) {
  for (int i = 0; i < 5; ++i) SubmitBackground(absl::StrCat("task", i));
  QueueMetricsOptions options = Options({"inproc://jobs"});
  options.max_tasks = 2;
  const auto queues = Make(std::move(options));
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_EQ(Value(kJobs, {{"task", "other"}}), 3);
  EXPECT_EQ(Value(kJobs, {}), 5);
}

// Tells when it has been given something.
class Told : public MetricsSink {
 public:
  explicit Told(absl::string_view task) : task_(task) {}
  void Export(const MetricsSnapshot& snapshot) override {
    const MetricFamily* const jobs = snapshot.Find(kJobs);
    if (jobs == nullptr || told.HasBeenNotified()) return;
    if (jobs->Find({task_, "inproc://jobs"}) != nullptr) told.Notify();
  }
  absl::Duration interval() const override { return absl::Milliseconds(1); }
  absl::string_view name() const override { return "told"; }

  absl::Notification told;

 private:
  const std::string task_;
};

TEST_F(QueueMetricsTest, AsksAgainByItself) {
  auto told = std::make_shared<Told>("later");
  QueueMetricsOptions options = Options({"inproc://jobs"});
  options.interval = absl::Milliseconds(1);
  options.metrics_sinks = {told};
  const auto queues = Make(std::move(options));
  ASSERT_TRUE(queues->AskNow().ok());
  SubmitBackground("later");
  EXPECT_TRUE(told->told.WaitForNotificationWithTimeout(support::kBound));
}

// Waited for ever.
TEST_F(QueueMetricsTest, EndsThoughAServerNeverAnswers) {
  support::RawListener silent;
  QueueMetricsOptions options = Options({silent.address()});
  options.timeout = absl::InfiniteDuration();
  auto queues = Make(std::move(options));
  // It has asked, and waits.
  auto connection = silent.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(connection->ReceiveLine().ok());
  queues = nullptr;
  // Nothing is said of a server that was not given the time.
  EXPECT_EQ(metrics_->Snapshot().Find(kUp), nullptr);
}

TEST_F(QueueMetricsTest, ItsGaugesEndWithIt) {
  SubmitBackground("mail");
  auto queues = Make(Options({"inproc://jobs"}));
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_EQ(Value(kJobs, {}), 1);
  queues = nullptr;
  EXPECT_EQ(metrics_->Snapshot().Find(kJobs), nullptr);
}

TEST_F(QueueMetricsTest, WrongOptionsAreRefused) {
  QueueMetricsOptions options = Options({"carrier-pigeon://a"});
  EXPECT_THAT(
      QueueMetrics::Create(options).status().code(),
      AnyOf(absl::StatusCode::kNotFound, absl::StatusCode::kInvalidArgument));
  options = Options({"inproc://jobs"});
  options.interval = absl::ZeroDuration();
  EXPECT_EQ(QueueMetrics::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options = Options({"inproc://jobs"});
  options.timeout = absl::ZeroDuration();
  EXPECT_EQ(QueueMetrics::Create(options).status(),
            absl::InvalidArgumentError(
                "QueueMetricsOptions: timeout must be more than zero"));
}

}  // namespace
}  // namespace gearman
