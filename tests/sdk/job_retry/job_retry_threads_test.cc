// Jobs that are tried again, with several threads for handlers, over TCP.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/forked_child.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::Each;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class JobRetryThreadsTest : public ::testing::Test {
 protected:
  JobRetryThreadsTest() {
    auto server = JobServer::Create({});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    auto address = server_->Listen("tcp://127.0.0.1:0");
    EXPECT_TRUE(address.ok()) << address.status();
    address_ = *std::move(address);
    ClientOptions options;
    options.servers = {address_};
    options.transports = TcpOnly();
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  std::unique_ptr<Worker> MakeWorker(int concurrency) const {
    WorkerOptions options;
    options.servers = {address_};
    options.transports = TcpOnly();
    options.concurrency = concurrency;
    auto worker = Worker::Create(std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    return *std::move(worker);
  }
  std::unique_ptr<JobRetry> MakeRetry() {
    JobRetryOptions options;
    options.client.servers = {address_};
    options.client.transports = TcpOnly();
    options.client.logger =
        Logger(LogLevel::kError, [this](LogLevel, absl::string_view line) {
          const absl::MutexLock lock(&mutex_);
          errors_.emplace_back(line);
        });
    auto retry = JobRetry::Create(std::move(options));
    EXPECT_TRUE(retry.ok()) << retry.status();
    return *std::move(retry);
  }
  // Registers a task whose jobs succeed the third time.
  void Register(JobRetry& retry, Worker& worker) {
    JobRetryPolicy policy;
    policy.backoff =
        std::make_shared<ConstantBackoffPolicy>(absl::ZeroDuration());
    EXPECT_TRUE(retry
                    .Register(
                        worker, "resize",
                        [this](JobContext& context, const JobAttempt& attempt)
                            -> absl::StatusOr<std::string> {
                          const StringView data = context.job().data();
                          const absl::MutexLock lock(&mutex_);
                          const std::string key(data.data(), data.size());
                          ++runs_[key];
                          if (attempt.number < 3)
                            return absl::UnavailableError("no");
                          ++done_[key];
                          return std::string();
                        },
                        std::move(policy))
                    .ok());
  }
  void Submit(int jobs) {
    std::vector<JobSpec> specs;
    for (int i = 0; i < jobs; ++i) {
      specs.emplace_back("resize", absl::StrCat("image ", i));
      specs.back().background = true;
    }
    const std::vector<JobRequest> requests =
        client_->SubmitMultipleJobs(std::move(specs));
    EXPECT_TRUE(client_->WaitUntilJobsAccepted(requests, kLong).ok());
  }
  bool WaitForEnd() const {
    return support::WaitFor([this] { return server_->jobs() == 0; });
  }

  absl::Mutex mutex_;
  std::map<std::string, int> runs_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> done_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> errors_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<JobServer> server_;
  std::string address_;
  std::unique_ptr<Client> client_;
};

TEST_F(JobRetryThreadsTest, EachJobHasItsAttempts) {
  for (const int concurrency : {1, 4}) {
    const auto retry = MakeRetry();
    const auto worker = MakeWorker(concurrency);
    Register(*retry, *worker);
    ASSERT_TRUE(worker->Start().ok());
    Submit(300);
    ASSERT_TRUE(WaitForEnd());
    const absl::MutexLock lock(&mutex_);
    EXPECT_THAT(runs_, SizeIs(300));
    EXPECT_THAT(runs_, Each(Pair(::testing::_, 3)));
    EXPECT_THAT(done_, Each(Pair(::testing::_, 1)));
    EXPECT_EQ(retry->stats().submitted_again, 600u);
    runs_.clear();
    done_.clear();
  }
}

TEST_F(JobRetryThreadsTest, WorkersThatEndInTheMiddleLoseNothing) {
  Submit(300);
  for (int i = 0; i < 5; ++i) {
    auto retry = MakeRetry();
    auto worker = MakeWorker(1 + i % 3);
    Register(*retry, *worker);
    ASSERT_TRUE(worker->Start().ok());
    ASSERT_TRUE(support::WaitFor([&] {
      return worker->stats().jobs_exception > 20 || server_->jobs() == 0;
    }));
    if (i % 2 == 0) retry.reset();
    worker->Stop();
    worker.reset();
  }
  const auto retry = MakeRetry();
  const auto worker = MakeWorker(2);
  Register(*retry, *worker);
  ASSERT_TRUE(worker->Start().ok());
  ASSERT_TRUE(WaitForEnd());
  const absl::MutexLock lock(&mutex_);
  EXPECT_THAT(done_, SizeIs(300));
  EXPECT_THAT(done_, Each(Pair(::testing::_, Ge(1))));
}

TEST_F(JobRetryThreadsTest, AWorkerWhoseJobRetryIsGoneStillDrains) {
  auto retry = MakeRetry();
  auto worker = MakeWorker(2);
  Register(*retry, *worker);
  Submit(100);
  ASSERT_TRUE(worker->Start().ok());
  retry.reset();
  ASSERT_TRUE(WaitForEnd());
  worker.reset();
  const absl::MutexLock lock(&mutex_);
  EXPECT_THAT(done_, SizeIs(100));
  EXPECT_THAT(errors_, IsEmpty());
}

// The stop token fires once, for the time limit. The server has the job again
// all the same, and another one would be done beside it.
TEST_F(JobRetryThreadsTest, ALateJobThatIsLostIsNotSubmittedAgain) {
  const auto retry = MakeRetry();
  const auto worker = MakeWorker(2);
  TaskOptions late;
  late.time_limit = absl::Milliseconds(1);
  late.when_late = WhenLate::kWait;
  ASSERT_TRUE(retry
                  ->Register(
                      *worker, "resize",
                      [&worker](JobContext& context) -> absl::Status {
                        context.stop_token().WaitFor(kLong);
                        worker->Stop();
                        EXPECT_TRUE(support::WaitFor(
                            [&worker] { return worker->stopped(); }));
                        return absl::UnavailableError("stopped");
                      },
                      JobRetryPolicy(), late)
                  .ok());
  Submit(1);
  EXPECT_TRUE(worker->Run().ok());
  EXPECT_EQ(retry->stats().waiting, 0u);
  EXPECT_EQ(retry->stats().submitted_again, 0u);
  EXPECT_EQ(worker->stats().jobs_given_back, 1u);
}

TEST_F(JobRetryThreadsTest, AChildDoesNothing) {
  const auto retry = MakeRetry();
  const auto worker = MakeWorker(1);
  Register(*retry, *worker);
  ASSERT_TRUE(support::WaitFor(support::OtherThreadsSleep));
  EXPECT_EQ(support::RunInChild([&] {
              const absl::Status status = retry->Register(
                  *worker, "other", [](JobContext&) { return std::string(); });
              return status.code() == absl::StatusCode::kFailedPrecondition &&
                             retry->RunOnce(absl::InfinitePast()) ==
                                 absl::InfiniteFuture() &&
                             retry->stats().waiting == 0
                         ? std::string()
                         : std::string("it does something");
            }),
            "");
}

}  // namespace
}  // namespace gearman
