// Queue sizes of the embedded job server, and of servers that can't be asked.
// With a real gearmand: tests/integration/queue_metrics_gearmand_test.cc.
#include "gearman/sdk/queue_metrics.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/internal/metrics/catalogue.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
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

// Any number of names that nobody works for take no label from tasks that have
// workers, whichever came first.
TEST_F(QueueMetricsTest, TasksWithWorkersHaveLabelsBeforeOthers) {
  for (int i = 0; i < 5; ++i) SubmitBackground(absl::StrCat("junk", i));
  QueueMetricsOptions options = Options({"inproc://jobs"});
  options.max_tasks = 2;
  const auto queues = Make(std::move(options));
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_EQ(Value(kJobs, {{"task", "other"}}), 3);

  WorkerOptions worker_options;
  worker_options.servers = {"inproc://jobs"};
  worker_options.transports = transports_;
  auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  const auto check = [&] {
    for (const char* const task : {"real", "true"}) {
      EXPECT_EQ(Value(kWorkers, {{"task", task}}), 1) << task;
    }
    EXPECT_EQ(Value(kWorkers, {{"task", "other"}}), 0);
    // The jobs of the tasks without a label are still counted.
    EXPECT_EQ(Value(kJobs, {{"task", "other"}}), 5);
  };
  const auto handler = [&](JobContext&) -> absl::StatusOr<std::string> {
    // Twice: what has a label keeps it.
    EXPECT_TRUE(queues->AskNow().ok());
    check();
    EXPECT_TRUE(queues->AskNow().ok());
    check();
    (*worker)->Stop();
    return "";
  };
  ASSERT_TRUE((*worker)->Register("real", handler).ok());
  ASSERT_TRUE((*worker)->Register("true", handler).ok());
  SubmitBackground("real");
  EXPECT_TRUE((*worker)->Run().ok());
}

TEST_F(QueueMetricsTest, ATaskThatIsGoneMakesRoomForAnother) {
  SubmitBackground("first");
  SubmitBackground("second");
  QueueMetricsOptions options = Options({"inproc://jobs"});
  options.max_tasks = 1;
  const auto queues = Make(std::move(options));
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_EQ(Value(kJobs, {{"task", "first"}}), 1);
  EXPECT_EQ(Value(kJobs, {{"task", "other"}}), 1);
  AdminClientOptions admin_options;
  admin_options.server = "inproc://jobs";
  admin_options.transports = transports_;
  auto admin = AdminClient::Create(std::move(admin_options));
  ASSERT_TRUE(admin.ok()) << admin.status();
  const auto jobs = (*admin)->GetJobs();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  for (const ServerJob& job : *jobs) {
    ASSERT_TRUE((*admin)->CancelJob(job.handle).ok());
  }
  ASSERT_TRUE((*admin)->DropFunction("first").ok());
  SubmitBackground("second");
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_GE(Value(kJobs, {{"task", "second"}}), 1);
  const MetricsSnapshot snapshot = queues->metrics();
  EXPECT_EQ(snapshot.Find(kJobs)->Find({"first", "inproc://jobs"}), nullptr);
  EXPECT_EQ(snapshot.Find(kJobs)->Find({"other", "inproc://jobs"}), nullptr);
}

// A server that lists names as they are, as gearmand does.
TEST_F(QueueMetricsTest, AServerWhoseNamesSpoilItsListIsUp) {
  support::RawListener listener;
  std::vector<std::string> logged;
  QueueMetricsOptions options = Options({listener.address()});
  options.logger = Logger(
      LogLevel::kInfo, [&logged](LogLevel level, absl::string_view line) {
        logged.push_back(absl::StrCat(LogLevelName(level), " ", line));
      });
  const auto queues = Make(std::move(options));
  auto server = listener.Accept();
  ASSERT_TRUE(server.ok()) << server.status();
  std::string list;
  for (const support::HostileName& name : support::HostileNames()) {
    absl::StrAppend(&list, name.name, "\t1\t0\t0\n");
  }
  list += ".\n";
  // QueueMetrics asks once by itself, and once because of AskNow.
  ASSERT_TRUE(server->ReceiveLine().ok());
  ASSERT_TRUE(server->Send(list).ok());
  std::thread answer([&] {
    EXPECT_TRUE(server->ReceiveLine().ok());
    EXPECT_TRUE(server->Send(list).ok());
  });
  EXPECT_TRUE(queues->AskNow().ok());
  answer.join();

  EXPECT_EQ(Value(kUp, {}), 1);
  const MetricsSnapshot snapshot = queues->metrics();
  std::set<std::vector<std::string>> labels;
  for (const MetricSample& sample : snapshot.Find(kJobs)->samples) {
    EXPECT_TRUE(IsSafeLine(sample.label_values[0])) << sample.label_values[0];
    EXPECT_TRUE(labels.insert(sample.label_values).second)
        << sample.label_values[0];
  }
  for (const support::HostileName& name : support::HostileNames()) {
    if (absl::StrContains(name.name, "\n")) continue;
    EXPECT_NE(snapshot.Find(kJobs)->Find({name.safe, listener.address()}),
              nullptr)
        << name.safe;
  }
  // Once, though it was asked twice.
  EXPECT_THAT(logged, ElementsAre(AllOf(HasSubstr("warning "),
                                        HasSubstr(listener.address()),
                                        HasSubstr("can't be read"))));
}

// Tells when it has been given a sample with these labels and, if it is given,
// this value.
class Told : public MetricsSink {
 public:
  Told(absl::string_view metric, std::vector<absl::string_view> labels,
       std::optional<double> value = std::nullopt)
      : metric_(metric), labels_(std::move(labels)), value_(value) {}
  void Export(const MetricsSnapshot& snapshot) override {
    const MetricFamily* const family = snapshot.Find(metric_);
    if (family == nullptr || told.HasBeenNotified()) return;
    const MetricSample* const sample = family->Find(labels_);
    if (sample == nullptr) return;
    if (!value_.has_value() || sample->value == *value_) told.Notify();
  }
  absl::Duration interval() const override { return absl::Milliseconds(1); }
  absl::string_view name() const override { return "told"; }

  absl::Notification told;

 private:
  const std::string metric_;
  const std::vector<absl::string_view> labels_;  // literals
  const std::optional<double> value_;
};

TEST_F(QueueMetricsTest, AsksAgainByItself) {
  auto told = std::make_shared<Told>(
      kJobs, std::vector<absl::string_view>{"later", "inproc://jobs"});
  QueueMetricsOptions options = Options({"inproc://jobs"});
  options.interval = absl::Milliseconds(1);
  options.metrics_sinks = {told};
  const auto queues = Make(std::move(options));
  ASSERT_TRUE(queues->AskNow().ok());
  SubmitBackground("later");
  EXPECT_TRUE(told->told.WaitForNotificationWithTimeout(support::kBound));
}

// Silent servers, each of which would be waited for for ever, stand before and
// behind the one that answers.
TEST_F(QueueMetricsTest, AServerThatDoesNotAnswerDelaysOnlyItsOwnValues) {
  support::RawListener first;
  support::RawListener last;
  auto later = std::make_shared<Told>(
      kJobs, std::vector<absl::string_view>{"later", "inproc://jobs"});
  auto gone = std::make_shared<Told>(
      kUp, std::vector<absl::string_view>{"inproc://jobs"}, 0.0);
  QueueMetricsOptions options =
      Options({first.address(), "inproc://jobs", last.address()});
  options.interval = absl::Milliseconds(1);
  options.timeout = absl::InfiniteDuration();
  options.metrics_sinks = {metrics_, later, gone};
  const auto queues = Make(std::move(options));
  // Questions go to both at once.
  for (support::RawListener* const silent : {&last, &first}) {
    auto connection = silent->Accept();
    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_TRUE(connection->ReceiveLine().ok());
  }
  SubmitBackground("later");
  EXPECT_TRUE(later->told.WaitForNotificationWithTimeout(support::kBound));
  client_ = nullptr;
  server_ = nullptr;
  EXPECT_TRUE(gone->told.WaitForNotificationWithTimeout(support::kBound));
}

// The thread that is in AskNow asks the other servers, too, when they are due.
TEST_F(QueueMetricsTest, AServerThatDoesNotAnswerAskNowDelaysNoOther) {
  support::RawListener silent;
  auto later = std::make_shared<Told>(
      kJobs, std::vector<absl::string_view>{"later", "inproc://jobs"});
  QueueMetricsOptions options = Options({silent.address(), "inproc://jobs"});
  options.interval = absl::Milliseconds(1);
  options.timeout = absl::InfiniteDuration();
  options.metrics_sinks = {later};
  auto queues = Make(std::move(options));
  auto server = silent.Accept();
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE(server->ReceiveLine().ok());
  std::thread asks([&] { EXPECT_TRUE(queues->AskNow().ok()); });
  SubmitBackground("later");
  EXPECT_TRUE(later->told.WaitForNotificationWithTimeout(support::kBound));
  std::thread answers([&] {
    do {
      EXPECT_TRUE(server->Send("now\t1\t0\t0\n.\n").ok());
    } while (server->ReceiveLine().ok());
  });
  asks.join();
  EXPECT_NE(queues->metrics().Find(kJobs)->Find({"now", silent.address()}),
            nullptr);
  queues = nullptr;
  answers.join();
}

// Waited for ever.
TEST_F(QueueMetricsTest, EndsThoughAServerNeverAnswers) {
  support::RawListener silent;
  QueueMetricsOptions options = Options({silent.address()});
  options.timeout = absl::InfiniteDuration();
  auto queues = Make(std::move(options));
  // QueueMetrics has asked when its line is here, and waits.
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
