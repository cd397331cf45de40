// Observers and interceptors against a real gearmand, with threads.
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_interceptor.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/sdk/testing/recording_observer.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using testing::RecordedSpan;
using testing::RecordingObserver;

class TracingGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ok()); }
  ~TracingGearmandTest() override { StopWorker(); }

  // The worker's handlers reverse the data, in several threads.
  void StartWorker(WorkerOptions options) {
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    options.concurrency = 4;
    absl::StatusOr<std::unique_ptr<Worker>> worker =
        Worker::Create(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    ASSERT_TRUE(
        worker_
            ->Register("reverse",
                       [](JobContext& context) -> absl::StatusOr<std::string> {
                         const absl::string_view data = context.job().data();
                         return std::string(data.rbegin(), data.rend());
                       })
            .ok());
    thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
  }
  void StopWorker() {
    if (worker_ != nullptr) worker_->Stop();
    if (thread_.joinable()) thread_.join();
  }
  std::unique_ptr<Client> MakeClient(ClientOptions options) {
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  GearmandProcess server_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

TEST_F(TracingGearmandTest, EverySpanOfManyThreadsEndsOnce) {
  const auto observer = std::make_shared<RecordingObserver>();
  WorkerOptions worker_options;
  worker_options.trace_observer = observer;
  StartWorker(std::move(worker_options));
  ClientOptions options;
  options.trace_observer = observer;
  const auto client = MakeClient(std::move(options));
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&client] {
      std::vector<JobSpec> specs;
      for (int i = 0; i < 50; ++i) {
        specs.emplace_back("reverse", absl::StrCat(i));
      }
      const auto requests = client->SubmitMultipleJobs(std::move(specs));
      EXPECT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
      EXPECT_TRUE(client->GetJobStatus(requests[0], kLong).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  StopWorker();

  EXPECT_EQ(observer->lost(), 0);
  std::set<std::string> submitted;
  std::set<std::string> processed;
  int questions = 0;
  for (const RecordedSpan& span : observer->spans()) {
    EXPECT_EQ(span.ends, 1);
    EXPECT_EQ(span.outcome, "complete");
    EXPECT_LE(span.begin_time, span.end_time);
    EXPECT_EQ(span.end_server, server_.address());
    if (span.operation == TraceOperation::kSubmit) {
      submitted.insert(absl::StrCat(span.end_handle, " ", span.end_unique));
    } else if (span.operation == TraceOperation::kProcess) {
      processed.insert(absl::StrCat(span.handle, " ", span.unique));
    } else {
      ++questions;
    }
  }
  // The handle and the unique link the two sides of each job.
  EXPECT_EQ(submitted.size(), 200u);
  EXPECT_EQ(submitted, processed);
  EXPECT_EQ(questions, 4);
}

// Both sides turn each letter: what is on the wire is another text.
std::string Turned(absl::string_view text) {
  std::string turned(text);
  for (char& c : turned) c = static_cast<char>(c ^ 0x20);
  return turned;
}

TEST_F(TracingGearmandTest, BothSidesMayCodeWhatIsOnTheWire) {
  std::atomic<int> coded{0};
  WorkerOptions worker_options;
  worker_options.interceptors = {[&coded](IncomingJob& job) {
    if (job.data() != Turned("Hello")) return;
    job.set_data(Turned(job.data()));
    job.OnEnd([&coded](const Job&, absl::StatusOr<std::string>& result) {
      ++coded;
      if (result.ok()) result = Turned(*result);
    });
  }};
  StartWorker(std::move(worker_options));
  ClientOptions options;
  options.interceptors = {[](OutgoingJob& job) {
    job.set_data(Turned(job.data()));
    job.OnEnd([](const JobRequest&, absl::StatusOr<std::string>& result) {
      if (result.ok()) result = Turned(*result);
    });
  }};
  const auto client = MakeClient(std::move(options));
  for (int i = 0; i < 20; ++i) {
    const absl::StatusOr<std::string> result = client->Run("reverse", "Hello");
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(*result, "olleH");
  }
  EXPECT_EQ(coded, 20);
}

// A callback and nobody who waits: the background thread sees to the hooks.
TEST_F(TracingGearmandTest, HooksRunThoughNobodyWaits) {
  StartWorker({});
  ClientOptions options;
  absl::Notification done;
  std::string heard;
  options.interceptors = {[&](OutgoingJob& job) {
    job.OnEnd([&](const JobRequest&, absl::StatusOr<std::string>& result) {
      heard = result.value_or("failed");
      done.Notify();
    });
  }};
  const auto client = MakeClient(std::move(options));
  client->SubmitJob("reverse", "abc");
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_EQ(heard, "cba");
}

}  // namespace
}  // namespace gearman
