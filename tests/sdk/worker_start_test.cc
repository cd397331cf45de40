// Tests of Worker::Start and Join, and of the end of a started worker, against
// an embedded server of the same process.
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

class WorkerStartTest : public ::testing::TestWithParam<int> {
 protected:
  WorkerStartTest() {
    auto server = JobServer::Create({});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    auto address = server_->Listen("tcp://127.0.0.1:0");
    EXPECT_TRUE(address.ok()) << address.status();
    ClientOptions options;
    options.servers = {*address};
    client_ = *Client::Create(std::move(options));
    options_.servers = {*address};
    options_.concurrency = GetParam();
    options_.logger =
        Logger(LogLevel::kInfo, [this](LogLevel, absl::string_view text) {
          absl::MutexLock lock(&mutex_);
          lines_.emplace_back(text);
        });
  }
  ~WorkerStartTest() override {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
    worker_ = nullptr;
  }

  // Makes a worker whose "echo" echoes, and whose "wait" waits for go_on_.
  void MakeWorker() {
    auto worker = Worker::Create(options_);
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    ASSERT_TRUE(worker_
                    ->Register("echo",
                               [](JobContext& context) {
                                 return std::string(context.job().data());
                               })
                    .ok());
    ASSERT_TRUE(worker_
                    ->Register("wait",
                               [this](JobContext& context) {
                                 begun_.Notify();
                                 // With concurrency 1 the I/O goes on
                                 // meanwhile.
                                 const StopToken token = context.stop_token();
                                 while (!go_on_.HasBeenNotified() &&
                                        !token.WaitFor(absl::Milliseconds(1))) {
                                 }
                                 absl::MutexLock lock(&mutex_);
                                 reason_ = token.reason();
                                 return std::string(context.job().data());
                               })
                    .ok());
  }
  StopReason reason() {
    absl::MutexLock lock(&mutex_);
    return reason_;
  }
  bool HasLine(absl::string_view part) {
    absl::MutexLock lock(&mutex_);
    for (const std::string& line : lines_) {
      if (absl::StrContains(line, part)) return true;
    }
    return false;
  }
  std::vector<std::string> lines() {
    absl::MutexLock lock(&mutex_);
    return lines_;
  }

  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Client> client_;
  WorkerOptions options_;
  absl::Notification begun_;
  absl::Notification go_on_;
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  StopReason reason_ ABSL_GUARDED_BY(mutex_) = StopReason::kNone;
  std::unique_ptr<Worker> worker_;
};

INSTANTIATE_TEST_SUITE_P(Concurrency, WorkerStartTest, ::testing::Values(1, 3));

TEST_P(WorkerStartTest, WorksOnAThreadOfItsOwnUntilItIsDestroyed) {
  MakeWorker();
  ASSERT_TRUE(worker_->Start().ok());
  for (int i = 0; i < 10; ++i) {
    const auto result = client_->Run("echo", "hello");
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(*result, "hello");
  }
  worker_ = nullptr;
  EXPECT_TRUE(HasLine("draining"));
  EXPECT_TRUE(HasLine("the worker has ended"));
}

TEST_P(WorkerStartTest, ASecondStartAndRunBesideItAreRefused) {
  MakeWorker();
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_EQ(worker_->Start().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(worker_->Run().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(worker_->RunOnce(absl::InfinitePast()), absl::InfiniteFuture());
  EXPECT_TRUE(client_->Run("echo", "still works").ok());
  worker_->Stop();
  EXPECT_TRUE(worker_->Join().ok());
  // Run returns at once after the end, here too.
  EXPECT_TRUE(worker_->Run().ok());
  EXPECT_EQ(worker_->Start().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(WorkerStartTest, AStartBesideRunIsRefused) {
  MakeWorker();
  absl::Status end;
  std::thread thread([&] { end = worker_->Run(); });
  EXPECT_TRUE(client_->Run("echo", "").ok());
  const absl::Status status = worker_->Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("Worker::Start"));
  EXPECT_EQ(worker_->Join().code(), absl::StatusCode::kFailedPrecondition);
  worker_->Stop();
  thread.join();
  EXPECT_TRUE(end.ok()) << end;
}

TEST_P(WorkerStartTest, OfManyStartsAtOnceOneSucceeds) {
  MakeWorker();
  std::vector<std::thread> threads;
  std::vector<absl::Status> ends(4);
  for (absl::Status& end : ends) {
    threads.emplace_back([this, &end] { end = worker_->Start(); });
  }
  for (std::thread& thread : threads) thread.join();
  int started = 0;
  for (const absl::Status& end : ends) {
    if (end.ok()) ++started;
    EXPECT_TRUE(end.ok() || absl::IsFailedPrecondition(end)) << end;
  }
  EXPECT_EQ(started, 1);
  EXPECT_TRUE(client_->Run("echo", "").ok());
}

TEST_P(WorkerStartTest, JoinReturnsWhatRunWouldHaveReturned) {
  MakeWorker();
  ASSERT_TRUE(worker_->Start().ok());
  client_->SubmitBackgroundJob("wait", "");
  begun_.WaitForNotification();
  // The limit passes while the handler runs, whose token fires then.
  worker_->Drain(absl::ZeroDuration());
  std::vector<absl::Status> ends(3);
  std::vector<std::thread> threads;
  for (absl::Status& end : ends) {
    threads.emplace_back([this, &end] { end = worker_->Join(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& end : ends) {
    EXPECT_TRUE(absl::IsDeadlineExceeded(end)) << end;
  }
  EXPECT_EQ(reason(), StopReason::kDrainLimit);
  worker_ = nullptr;
  // Join has told it.
  EXPECT_FALSE(HasLine("the limit of Drain passed"));
}

TEST_P(WorkerStartTest, TheDestructorWaitsForJobsAndTheirAnswersLeave) {
  MakeWorker();
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = client_->SubmitJob("wait", "done");
  begun_.WaitForNotification();
  std::thread destroys([this] { worker_ = nullptr; });
  EXPECT_TRUE(support::WaitFor([this] { return HasLine("draining"); }));
  go_on_.Notify();
  destroys.join();
  ASSERT_TRUE(client_->Wait(request, support::kBound).ok());
  EXPECT_EQ(request.result(), "done");
  EXPECT_EQ(reason(), StopReason::kNone);
}

TEST_P(WorkerStartTest, TheDestructorDrainsNoLongerThanItsLimit) {
  options_.drain_limit = absl::Milliseconds(20);
  MakeWorker();
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = client_->SubmitBackgroundJob("wait", "");
  begun_.WaitForNotification();
  worker_ = nullptr;
  EXPECT_EQ(reason(), StopReason::kDrainLimit);
  EXPECT_TRUE(HasLine("the limit of Drain passed"));
}

TEST_P(WorkerStartTest, TheLimitMayBeZeroButNotNegative) {
  options_.drain_limit = absl::ZeroDuration();
  MakeWorker();
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_TRUE(client_->Run("echo", "").ok());
  worker_ = nullptr;
  options_.drain_limit = absl::Seconds(-1);
  const absl::Status status = Worker::Create(options_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("drain_limit"));
}

TEST_P(WorkerStartTest, AWorkerWhoseServerIsNotThereIsDestroyedAtOnce) {
  options_.servers = {"tcp://127.0.0.1:1"};
  options_.drain_limit = absl::InfiniteDuration();
  MakeWorker();
  ASSERT_TRUE(worker_->Start().ok());
  worker_ = nullptr;
}

TEST_P(WorkerStartTest, AHandlerCanNeitherStartNorJoinItsWorker) {
  MakeWorker();
  absl::Status start;
  absl::Status join;
  ASSERT_TRUE(worker_
                  ->Register("inside",
                             [&](JobContext&) {
                               start = worker_->Start();
                               join = worker_->Join();
                               return std::string();
                             })
                  .ok());
  ASSERT_TRUE(worker_->Start().ok());
  ASSERT_TRUE(client_->Run("inside", "").ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(start)) << start;
  EXPECT_TRUE(absl::IsFailedPrecondition(join)) << join;
}

TEST_P(WorkerStartTest, AfterStopAStartedWorkerEndsAtOnce) {
  MakeWorker();
  worker_->Stop();
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_TRUE(worker_->Join().ok());
  EXPECT_TRUE(worker_->stopped());
}

// The handler's destruction tells of the worker's.
TEST_P(WorkerStartTest, AHandlerThatDestroysItsWorkerIsLoggedAndEndsIt) {
  class Noting {
   public:
    explicit Noting(absl::Notification* ended) : ended_(ended) {}
    ~Noting() { ended_->Notify(); }

   private:
    absl::Notification* const ended_;
  };
  absl::Notification ended;
  MakeWorker();
  ASSERT_TRUE(worker_
                  ->Register("destroy",
                             [this, noting = std::make_unique<Noting>(&ended)](
                                 JobContext&) {
                               worker_ = nullptr;
                               return std::string();
                             })
                  .ok());
  ASSERT_TRUE(worker_->Start().ok());
  client_->SubmitBackgroundJob("destroy", "");
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(support::kBound));
  EXPECT_EQ(worker_, nullptr);
  EXPECT_TRUE(HasLine("a worker was destroyed while it ran"));
}

}  // namespace
}  // namespace gearman
