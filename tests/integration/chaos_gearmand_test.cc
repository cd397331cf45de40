// Three real gearmands, of which one after the other is killed and started
// again, while jobs are on their way: 10,000 over TCP, and 2,000 over TLS.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/tests/support/tls_terminator.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;

constexpr int kServers = 3;
constexpr int kWorkers = 4;
constexpr int kInFlight = 200;

// How often a handler ran for each job.
class Runs {
 public:
  void Add(const std::string& unique) {
    absl::MutexLock lock(&mutex_);
    ++runs_[unique];
  }
  int Of(const std::string& unique) {
    absl::MutexLock lock(&mutex_);
    const auto it = runs_.find(unique);
    return it == runs_.end() ? 0 : it->second;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, int> runs_ ABSL_GUARDED_BY(mutex_);
};

class ChaosGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kServers; ++i) {
      servers_.push_back(std::make_unique<GearmandProcess>());
      ASSERT_TRUE(servers_.back()->ok());
    }
  }
  // Has so many jobs done by servers that are reached at these addresses, and
  // kills one server after each 500: what is slow is slow.
  void Run(int jobs, const std::vector<std::string>& addresses,
           const std::shared_ptr<TransportRegistry>& transports);

  std::vector<std::unique_ptr<GearmandProcess>> servers_;
};

void ChaosGearmandTest::Run(
    int jobs, const std::vector<std::string>& addresses,
    const std::shared_ptr<TransportRegistry>& transports) {
  Runs runs;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorkers; ++i) {
    WorkerOptions options;
    options.servers = addresses;
    options.transports = transports;
    options.reconnect.first_delay = absl::Milliseconds(10);
    options.reconnect.initial_delay = absl::Milliseconds(20);
    options.reconnect.max_delay = absl::Milliseconds(100);
    absl::StatusOr<std::unique_ptr<Worker>> worker =
        Worker::Create(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    workers.push_back(*std::move(worker));
    ASSERT_TRUE(
        workers.back()
            ->Register(
                "name",
                [&runs](JobContext& context) -> absl::StatusOr<std::string> {
                  runs.Add(context.job().unique());
                  return absl::StrCat("done: ", context.job().unique());
                })
            .ok());
    Worker* const raw = workers.back().get();
    threads.emplace_back([raw] { EXPECT_TRUE(raw->Run().ok()); });
  }

  ClientOptions options;
  options.servers = addresses;
  options.transports = transports;
  ExponentialBackoffRetryOptions retry;
  retry.max_attempts = 20;
  retry.backoff.initial_delay = absl::Milliseconds(5);
  retry.backoff.max_delay = absl::Milliseconds(100);
  options.retry_policy = std::make_shared<ExponentialBackoffRetryPolicy>(retry);
  // The server that comes back under the same address has forgotten its jobs,
  // and a worker may have done them: nothing runs twice here but what may.
  options.idempotency_policy = std::make_shared<StrictIdempotencyPolicy>();
  options.reconnect.initial_delay = absl::Milliseconds(50);
  options.reconnect.max_delay = absl::Milliseconds(200);
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(std::move(options));
  ASSERT_TRUE(client.ok()) << client.status();

  constexpr int kJobsBetweenKills = 500;
  int kills = 0;
  int complete = 0;
  int unknown = 0;
  int repeated = 0;
  std::vector<JobRequest> requests;
  for (int job = 0; job < jobs; job += kInFlight) {
    std::vector<JobSpec> specs;
    for (int i = job; i < job + kInFlight; ++i) {
      JobSpec spec;
      spec.task = "name";
      spec.options.unique = absl::StrCat("job-", i);
      spec.options.idempotent = i % 2 == 0;
      spec.options.timeout = kLong;
      specs.push_back(std::move(spec));
    }
    const std::vector<JobRequest> batch =
        (*client)->SubmitMultipleJobs(std::move(specs));
    if (job % kJobsBetweenKills < kInFlight) {
      GearmandProcess& victim = *servers_[kills++ % kServers];
      victim.Kill();
      ASSERT_TRUE(victim.Restart().ok());
    }
    (*client)->WaitUntilJobsCompleted(batch, kLong).IgnoreError();
    for (const JobRequest& request : batch) {
      const std::string unique(request.unique());
      ASSERT_TRUE(request.finished()) << unique;
      const int times = runs.Of(unique);
      const bool idempotent = requests.size() % 2 == 0;
      if (request.state() == JobState::kComplete) {
        ++complete;
        EXPECT_EQ(request.result(), absl::StrCat("done: ", unique));
        EXPECT_GE(times, 1) << unique;
      } else {
        ++unknown;
        EXPECT_EQ(request.state(), JobState::kUnknown) << request.status();
        // With so many attempts what may be repeated gets through.
        EXPECT_FALSE(idempotent) << request.status();
      }
      if (times > 1) {
        ++repeated;
        EXPECT_TRUE(idempotent) << unique << " ran " << times << " times";
      }
      requests.push_back(request);
    }
  }
  for (const auto& worker : workers) worker->Stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(requests.size(), static_cast<size_t>(jobs));
  EXPECT_GE(complete, jobs / 2);
  RecordProperty("kills", kills);
  RecordProperty("complete", complete);
  RecordProperty("unknown", unknown);
  RecordProperty("repeated", repeated);
  std::printf("%d kills: %d complete, %d unknown, %d ran more than once\n",
              kills, complete, unknown, repeated);
}

TEST_F(ChaosGearmandTest, EveryRequestEndsInADefiniteStateWithTheRightResult) {
  std::vector<std::string> addresses;
  for (const auto& server : servers_) addresses.push_back(server->address());
  Run(10000, addresses, TcpOnly());
}

TEST_F(ChaosGearmandTest, TheSameHoldsOverTls) {
  support::TestCertificates certificates;
  std::vector<std::unique_ptr<support::TlsTerminator>> terminators;
  std::vector<std::string> addresses;
  for (const auto& server : servers_) {
    terminators.push_back(std::make_unique<support::TlsTerminator>(
        server->port(), certificates.Make("terminator"),
        certificates.ca_file()));
    ASSERT_TRUE(terminators.back()->ok());
    addresses.push_back(terminators.back()->address());
  }
  TlsOptions options;
  options.ca_file = certificates.ca_file();
  const support::CertificateFiles files = certificates.Make("client");
  options.identity.certificate_file = files.certificate;
  options.identity.key_file = files.key;
  auto transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(transports
                  ->Register("tls", std::make_shared<TlsTransportFactory>(
                                        options, TlsServerOptions()))
                  .ok());
  Run(2000, addresses, transports);
}

}  // namespace
}  // namespace gearman
