// One client used by several threads at once, on the machine's clock, with a
// server and a worker of the same process.
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/counting_transport.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

constexpr absl::Duration kLong = absl::Seconds(50);

class ClientThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto network = std::make_shared<InprocNetwork>();
    const auto transports = std::make_shared<TransportRegistry>();
    ASSERT_TRUE(
        transports
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network))
            .ok());
    ASSERT_TRUE(
        transports
            ->Register("counted", std::make_shared<testing::CountingFactory>(
                                      network, &counts_))
            .ok());
    JobServerOptions server_options;
    server_options.network = network;
    auto server = JobServer::Create(server_options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ASSERT_TRUE(server_->Listen("inproc://jobs").ok());

    WorkerOptions worker_options;
    worker_options.servers = {"inproc://jobs"};
    worker_options.transports = transports;
    auto worker = Worker::Create(std::move(worker_options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    ASSERT_TRUE(
        worker_
            ->Register("echo",
                       [](JobContext& context) -> absl::StatusOr<std::string> {
                         const absl::string_view data = context.job().data();
                         return std::string(data.data(), data.size());
                       })
            .ok());
    worker_thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });

    ClientOptions client_options;
    client_options.servers = {"counted://jobs"};
    client_options.transports = transports;
    auto client = Client::Create(client_options);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    client_options.servers = {"counted://nobody"};
    client = Client::Create(std::move(client_options));
    ASSERT_TRUE(client.ok()) << client.status();
    lonely_client_ = *std::move(client);
  }
  void TearDown() override {
    if (worker_ != nullptr) worker_->Stop();
    if (worker_thread_.joinable()) worker_thread_.join();
  }

  testing::IoCounts counts_;
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Worker> worker_;
  std::thread worker_thread_;
  std::unique_ptr<Client> client_;
  // The server of this client does not exist.
  std::unique_ptr<Client> lonely_client_;
};

// A callback keeps the leader busy until eight threads have submitted a job
// each.
TEST_F(ClientThreadsTest, JobsOfEightThreadsLeaveInOneWriteOfTheBusyLeader) {
  constexpr int kThreads = 8;
  absl::Mutex mutex;
  int submitted = 0;
  uint64_t writes_before = 0;
  absl::Notification leader_is_busy;
  JobSpec first("echo", "first");
  first.options.callbacks.on_complete = [&](const JobRequest&) {
    writes_before = counts_.writes;
    leader_is_busy.Notify();
    absl::MutexLock lock(&mutex);
    EXPECT_TRUE(mutex.AwaitWithTimeout(
        absl::Condition(
            +[](int* count) { return *count == kThreads; }, &submitted),
        kLong));
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ASSERT_TRUE(leader_is_busy.WaitForNotificationWithTimeout(kLong));
      const std::string data = absl::StrCat("of thread ", i);
      const JobRequest request = client_->SubmitJob("echo", data);
      {
        absl::MutexLock lock(&mutex);
        ++submitted;
      }
      EXPECT_TRUE(client_->Wait(request, kLong).ok());
      EXPECT_EQ(request.result_view(), data);
    });
  }
  const JobRequest request = client_->SubmitJob(std::move(first));
  EXPECT_TRUE(client_->Wait(request, kLong).ok());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counts_.writes - writes_before, 1u);
}

TEST_F(ClientThreadsTest, CallsOfEightThreadsGetTheirOwnResults) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 200;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int call = 0; call < kCalls; ++call) {
        const std::string data = absl::StrCat(thread, "/", call);
        const absl::StatusOr<std::string> result = client_->Run("echo", data);
        ASSERT_TRUE(result.ok()) << result.status();
        EXPECT_EQ(*result, data);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// The server runs on the threads that write to it: who asks must not fall
// asleep before it has.
TEST_F(ClientThreadsTest, AQuestionIsAnsweredThoughAnotherThreadLeads) {
  const JobRequest request = client_->SubmitJob("nobody", "");
  std::thread leader([this, &request] {
    EXPECT_TRUE(absl::IsCancelled(client_->Wait(request)));
  });
  for (int i = 0; i < 100; ++i) {
    const absl::Status status = client_->Echo("ping", "", kLong).status();
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) break;
  }
  request.Cancel();
  leader.join();
}

// ThreadSanitizer sees whether the data is read beside an attempt that fails.
TEST_F(ClientThreadsTest, DataCanBeReadWhileAttemptsFail) {
  const std::string large(100'000, 'x');
  for (const std::string& data : {std::string("small"), large}) {
    JobSpec spec("echo", data);
    spec.options.callbacks.on_complete = [](const JobRequest&) {};
    const JobRequest request = lonely_client_->SubmitJob(std::move(spec));
    do {
      ASSERT_EQ(request.data(), data);
    } while (request.attempts().empty());
    request.Cancel();
    EXPECT_EQ(request.data(), data);
  }
}

// ThreadSanitizer sees whether a submission looks at the request beside another
// one of it. Large data gives the request extras.
TEST_F(ClientThreadsTest, ThreadsMaySubmitOneRequest) {
  const std::string large(100'000, 'x');
  for (int i = 0; i < 50; ++i) {
    const JobRequest request(JobSpec("echo", large));
    const auto submit = [&] {
      const absl::Status status =
          client_->SubmitMultipleRequests({&request, 1});
      EXPECT_TRUE(status.ok()) << status;
    };
    std::thread other(submit);
    submit();
    other.join();
    EXPECT_TRUE(client_->Wait(request, kLong).ok());
  }
}

}  // namespace
}  // namespace gearman
