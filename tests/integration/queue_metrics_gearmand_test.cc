// Queue sizes of real gearmands.
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(QueueMetricsGearmand, TellsTheQueuesOfTheServersThatAreThere) {
  support::GearmandProcess first;
  support::GearmandProcess second;
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());
  ClientOptions client_options;
  client_options.servers = {first.address()};
  client_options.transports = TcpOnly();
  auto client = Client::Create(std::move(client_options));
  ASSERT_TRUE(client.ok()) << client.status();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE((*client)
                    ->WaitUntilJobsAccepted(
                        {(*client)->SubmitBackgroundJob("resize", "")}, kLong)
                    .ok());
  }

  auto metrics = std::make_shared<InMemoryMetrics>();
  QueueMetricsOptions options;
  options.servers = {first.address(), second.address()};
  options.interval = absl::Hours(1);
  options.timeout = absl::Seconds(30);
  options.transports = TcpOnly();
  options.metrics_sinks = {metrics};
  auto queues = QueueMetrics::Create(std::move(options));
  ASSERT_TRUE(queues.ok()) << queues.status();

  WorkerOptions worker_options;
  worker_options.servers = {first.address()};
  worker_options.transports = TcpOnly();
  worker_options.prefetch.max_jobs = 1;
  auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  const auto value = [&metrics](const char* name, const std::string& server) {
    return metrics->Value(name, {{"task", "resize"}, {"server", server}});
  };
  // While a job runs: the first question of its own may come late.
  const auto check = [&] {
    EXPECT_EQ(value("gearman_jobs", first.address()), 3);
    EXPECT_EQ(value("gearman_jobs_running", first.address()), 1);
    EXPECT_EQ(value("gearman_workers", first.address()), 1);
    EXPECT_EQ(value("gearman_jobs", second.address()), 0);
    EXPECT_EQ(metrics->Value("gearman_server_up"), 2);
  };
  ASSERT_TRUE((*worker)
                  ->Register("resize",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               EXPECT_TRUE((*queues)->AskNow().ok());
                               check();
                               (*worker)->Stop();
                               return "";
                             })
                  .ok());
  EXPECT_TRUE((*worker)->Run().ok());

  first.Kill();
  EXPECT_EQ((*queues)->AskNow().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(metrics->Value("gearman_server_up", {{"server", first.address()}}),
            0);
  EXPECT_EQ(metrics->Value("gearman_server_up", {{"server", second.address()}}),
            1);
  ASSERT_TRUE(first.Restart().ok());
  EXPECT_TRUE((*queues)->AskNow().ok());
  EXPECT_EQ(metrics->Value("gearman_server_up"), 2);
}

}  // namespace
}  // namespace gearman
