// Tests with a system that refuses threads. Calls that need a thread report it,
// nothing ends the program, and calls that need none work.
#include <pthread.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// While it lives no thread can be started: each would have a stack of more
// bytes than there are addresses.
class NoThreads {
 public:
  NoThreads() {
    EXPECT_EQ(pthread_getattr_default_np(&before_), 0);
    pthread_attr_t attributes;
    EXPECT_EQ(pthread_attr_init(&attributes), 0);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, size_t{1} << 48), 0);
    EXPECT_EQ(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
  }
  ~NoThreads() {
    EXPECT_EQ(pthread_setattr_default_np(&before_), 0);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

class NoThreadsTest : public ::testing::Test {
 protected:
  NoThreadsTest() {
    auto server = JobServer::Create({});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    EXPECT_TRUE(server_->Listen("inproc://no_threads").ok());
  }
  std::unique_ptr<Client> MakeClient(absl::string_view server) {
    ClientOptions options;
    options.servers = {std::string(server)};
    options.logger =
        Logger(LogLevel::kError, [this](LogLevel, absl::string_view text) {
          absl::MutexLock lock(&mutex_);
          errors_.emplace_back(text);
        });
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  std::vector<std::string> errors() {
    absl::MutexLock lock(&mutex_);
    return errors_;
  }

  std::unique_ptr<JobServer> server_;
  absl::Mutex mutex_;
  std::vector<std::string> errors_;
};

TEST_F(NoThreadsTest, WhoWaitsDrivesAndTheRestGoesOnWhenThereIsAThread) {
  const auto client = MakeClient("inproc://no_threads");
  absl::Mutex mutex;
  int complete = 0;
  JobSpec spec("task", "data");
  spec.background = true;
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    absl::MutexLock lock(&mutex);
    ++complete;
  };
  const JobSpec copy = spec;
  {
    const NoThreads no_threads;
    const JobRequest request = client->SubmitJob(std::move(spec));
    client->SubmitBackgroundJob("task", "more");
    // Told once, however often it is tried.
    EXPECT_THAT(errors(),
                ElementsAre(HasSubstr("a client's background thread")));
    EXPECT_TRUE(client->Wait(request, support::kBound).ok());
    absl::MutexLock lock(&mutex);
    EXPECT_EQ(complete, 1);
  }
  client->SubmitJob(copy);
  absl::MutexLock lock(&mutex);
  const auto both = [&complete] { return complete == 2; };
  EXPECT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&both), support::kBound));
}

TEST_F(NoThreadsTest, AServerThatCanNotServeDoesNotListen) {
  {
    const NoThreads no_threads;
    const auto address = server_->Listen("tcp://127.0.0.1:0");
    EXPECT_EQ(address.status().code(), absl::StatusCode::kResourceExhausted)
        << address.status();
    EXPECT_THAT(server_->addresses(), ElementsAre("inproc://no_threads"));
  }
  const auto address = server_->Listen("tcp://127.0.0.1:0");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_TRUE(MakeClient(*address)->Echo("hello").ok());
}

TEST_F(NoThreadsTest, ANameIsLookedUpLater) {
  const auto address = server_->Listen("tcp://127.0.0.1:0");
  ASSERT_TRUE(address.ok()) << address.status();
  const auto client =
      MakeClient("tcp://localhost" + address->substr(address->rfind(':')));
  {
    const NoThreads no_threads;
    EXPECT_THAT(std::string(client->Echo("hello").status().message()),
                HasSubstr("the look-up of \"localhost\""));
  }
  EXPECT_TRUE(client->WaitForReady(support::kBound).ok());
}

TEST_F(NoThreadsTest, QueueMetricsAndWorkersOfManyHandlersRefuse) {
  const NoThreads no_threads;
  QueueMetricsOptions options;
  options.servers = {"inproc://no_threads"};
  EXPECT_EQ(QueueMetrics::Create(std::move(options)).status().code(),
            absl::StatusCode::kResourceExhausted);
  WorkerOptions worker_options;
  worker_options.servers = {"inproc://no_threads"};
  worker_options.concurrency = 2;
  auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ((*worker)->Run().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(NoThreadsTest, AWorkerIsStartedWhenThereIsAThread) {
  for (const int concurrency : {1, 2}) {
    WorkerOptions options;
    options.servers = {"inproc://no_threads"};
    options.concurrency = concurrency;
    const auto worker = *Worker::Create(std::move(options));
    ASSERT_TRUE(
        worker->Register("f", [](JobContext&) { return std::string("done"); })
            .ok());
    {
      const NoThreads no_threads;
      const absl::Status status = worker->Start();
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      EXPECT_TRUE(absl::IsFailedPrecondition(worker->Join()));
    }
    ASSERT_TRUE(worker->Start().ok());
    const auto result = MakeClient("inproc://no_threads")->Run("f", "");
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(*result, "done");
  }
}

}  // namespace
}  // namespace gearman
