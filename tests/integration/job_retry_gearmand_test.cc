// Jobs that are tried again, at a real gearmand and at Perl's server.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/integration/database_lock.h"
#include "gearman/tests/integration/running_worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/perl_server.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class JobRetryGearmandTest : public ::testing::Test {
 protected:
  static WorkerOptions Quick() {
    WorkerOptions options;
    // gearmand 1.1 wakes nobody for a delayed job.
    options.regrab_interval = absl::Milliseconds(50);
    options.reconnect.initial_delay = absl::Milliseconds(10);
    options.reconnect.max_delay = absl::Milliseconds(100);
    return options;
  }
  static std::unique_ptr<JobRetry> MakeRetry(
      const std::string& server,
      absl::Duration submit_limit = absl::Minutes(1)) {
    JobRetryOptions options;
    options.client.servers = {server};
    options.client.transports = TcpOnly();
    options.submit_limit = submit_limit;
    auto retry = JobRetry::Create(std::move(options));
    EXPECT_TRUE(retry.ok()) << retry.status();
    return *std::move(retry);
  }
  static JobRetryPolicy Policy(absl::Duration delay) {
    JobRetryPolicy policy;
    policy.backoff = std::make_shared<ConstantBackoffPolicy>(delay);
    return policy;
  }
  // A handler that fails until the attempt of this number.
  JobRetry::Handler FailingUntil(int until) {
    return [this, until](
               JobContext& context,
               const JobAttempt& attempt) -> absl::StatusOr<std::string> {
      const absl::MutexLock lock(&mutex_);
      runs_.push_back(absl::StrCat(attempt.number, " of ", attempt.unique, ": ",
                                   absl::string_view(context.job().data())));
      if (attempt.number < until) return absl::NotFoundError("no image 17");
      return std::string("done");
    };
  }
  std::vector<std::string> runs() const {
    const absl::MutexLock lock(&mutex_);
    return runs_;
  }
  bool WaitForRuns(size_t count) const {
    return support::WaitFor([&] { return runs().size() >= count; });
  }
  static void Submit(const std::string& server) {
    ClientOptions options;
    options.servers = {server};
    options.transports = TcpOnly();
    auto client = Client::Create(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    CallOptions call;
    call.unique = "u";
    const JobRequest request =
        (*client)->SubmitBackgroundJob("resize", "image 17", std::move(call));
    ASSERT_TRUE((*client)->Wait(request, kLong).ok()) << request.status();
  }
  // Waits until the server has no job of "resize".
  static bool WaitForEnd(support::GearmandProcess& server) {
    return support::WaitFor([&] {
      const auto status = server.Admin("status");
      return status.ok() && !status->empty() &&
             absl::StartsWith(status->front(), "resize\t0\t");
    });
  }

  mutable absl::Mutex mutex_;
  std::vector<std::string> runs_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(JobRetryGearmandTest, AJobThatFailsTwiceSucceedsTheThirdTime) {
  support::GearmandProcess server;
  ASSERT_TRUE(server.ok());
  const auto retry = MakeRetry(server.address());
  RunningWorker worker({server.address()}, Quick());
  ASSERT_TRUE(retry
                  ->Register(worker.worker(), "resize", FailingUntil(3),
                             Policy(absl::Seconds(1)))
                  .ok());
  worker.Start();
  Submit(server.address());
  ASSERT_TRUE(WaitForRuns(3));
  EXPECT_TRUE(WaitForEnd(server));
  EXPECT_THAT(runs(), ElementsAre("1 of u: image 17", "2 of u: image 17",
                                  "3 of u: image 17"));
  EXPECT_EQ(retry->stats().submitted_again, 2u);
}

TEST_F(JobRetryGearmandTest, AnotherWorkerReadsTheDeadLetter) {
  support::GearmandProcess server;
  ASSERT_TRUE(server.ok());
  const auto retry = MakeRetry(server.address());
  RunningWorker worker({server.address()}, Quick());
  JobRetryPolicy policy = Policy(absl::ZeroDuration());
  policy.dead_letter_task = "lost";
  ASSERT_TRUE(retry
                  ->Register(worker.worker(), "resize", FailingUntil(9),
                             std::move(policy))
                  .ok());
  worker.Start();
  Submit(server.address());
  std::vector<std::string> letters;
  RunningWorker other({server.address()}, Quick());
  ASSERT_TRUE(other
                  ->Register("lost",
                             [&](JobContext& context) {
                               const absl::MutexLock lock(&mutex_);
                               const StringView data = context.job().data();
                               letters.emplace_back(data.data(), data.size());
                               return std::string();
                             })
                  .ok());
  other.Start();
  ASSERT_TRUE(support::WaitFor([&] {
    const absl::MutexLock lock(&mutex_);
    return !letters.empty();
  }));
  const auto letter = ReadDeadLetter(letters[0]);
  ASSERT_TRUE(letter.ok()) << letter.status();
  EXPECT_EQ(letter->task, "resize");
  EXPECT_EQ(letter->unique, "u");
  EXPECT_EQ(letter->attempts, 3);
  EXPECT_EQ(letter->error, "NOT_FOUND: no image 17");
  EXPECT_EQ(letter->data, "image 17");
  EXPECT_THAT(runs(), SizeIs(3));
}

TEST_F(JobRetryGearmandTest, PerlsServerKnowsNoDelayedJobs) {
  const support::PerlServer server;
  const auto retry = MakeRetry(server.address());
  RunningWorker worker({server.address()}, Quick());
  JobRetryPolicy policy = Policy(absl::Seconds(1));
  policy.dead_letter_task = "lost";
  ASSERT_TRUE(retry
                  ->Register(worker.worker(), "resize", FailingUntil(9),
                             std::move(policy))
                  .ok());
  worker.Start();
  Submit(server.address());
  ASSERT_TRUE(
      support::WaitFor([&] { return retry->stats().dead_letters == 1; }));
  EXPECT_THAT(runs(), SizeIs(1));
}

TEST_F(JobRetryGearmandTest, AtTheWorkerPerlsServerNeedsNoDelayedJobs) {
  const support::PerlServer server;
  const auto retry = MakeRetry(server.address());
  RunningWorker worker({server.address()}, Quick());
  JobRetryPolicy policy = Policy(absl::Milliseconds(10));
  policy.place = RetryPlace::kWorker;
  ASSERT_TRUE(retry
                  ->Register(worker.worker(), "resize", FailingUntil(3),
                             std::move(policy))
                  .ok());
  worker.Start();
  Submit(server.address());
  ASSERT_TRUE(
      support::WaitFor([&] { return worker->stats().jobs_complete == 1; }));
  EXPECT_THAT(runs(), SizeIs(3));
}

// A gearmand whose background jobs outlive it.
class JobRetryStoreTest : public JobRetryGearmandTest {
 protected:
  const support::TestDirectory directory_;
  const std::string path_ = directory_.File("queue.db");
  support::GearmandProcess server_{
      {"-q", "libsqlite3", absl::StrCat("--libsqlite3-db=", path_)}};
};

TEST_F(JobRetryStoreTest, AKilledServerLosesNoJobThatWaitsForItsAttempt) {
  ASSERT_TRUE(server_.ok());
  const auto retry = MakeRetry(server_.address());
  {
    RunningWorker worker({server_.address()}, Quick());
    ASSERT_TRUE(retry
                    ->Register(worker.worker(), "resize", FailingUntil(2),
                               Policy(absl::Seconds(1)))
                    .ok());
    worker.Start();
    Submit(server_.address());
    ASSERT_TRUE(
        support::WaitFor([&] { return retry->stats().submitted_again == 1; }));
  }
  server_.Kill();
  ASSERT_TRUE(server_.Restart().ok());
  RunningWorker worker({server_.address()}, Quick());
  ASSERT_TRUE(retry
                  ->Register(worker.worker(), "resize", FailingUntil(2),
                             Policy(absl::Seconds(1)))
                  .ok());
  worker.Start();
  EXPECT_TRUE(support::WaitFor([&] {
    const std::vector<std::string> all = runs();
    return !all.empty() && all.back() == "2 of u: image 17";
  }));
  EXPECT_TRUE(WaitForEnd(server_));
}

TEST_F(JobRetryStoreTest, AKilledServerLosesNoJobWhoseHandlerRuns) {
  ASSERT_TRUE(server_.ok());
  const auto retry = MakeRetry(server_.address());
  absl::Notification killed;
  JobRetry::Handler fails = FailingUntil(2);
  RunningWorker worker({server_.address()}, Quick());
  ASSERT_TRUE(retry
                  ->Register(
                      worker.worker(), "resize",
                      [&](JobContext& context, const JobAttempt& attempt) {
                        absl::StatusOr<std::string> result =
                            fails(context, attempt);
                        killed.WaitForNotification();
                        return result;
                      },
                      Policy(absl::ZeroDuration()))
                  .ok());
  worker.Start();
  Submit(server_.address());
  ASSERT_TRUE(WaitForRuns(1));
  server_.Kill();
  killed.Notify();
  ASSERT_TRUE(server_.Restart().ok());
  EXPECT_TRUE(support::WaitFor([&] {
    const std::vector<std::string> all = runs();
    return all.size() >= 2 && all.back() == "2 of u: image 17";
  }));
  EXPECT_TRUE(WaitForEnd(server_));
}

TEST_F(JobRetryStoreTest, AStoreThatRefusesTheRetryLosesNoJob) {
  ASSERT_TRUE(server_.ok());
  const auto retry = MakeRetry(server_.address(), absl::Milliseconds(300));
  RunningWorker worker({server_.address()}, Quick());
  ASSERT_TRUE(retry
                  ->Register(worker.worker(), "resize", FailingUntil(2),
                             Policy(absl::ZeroDuration()))
                  .ok());
  Submit(server_.address());
  {
    const DatabaseLock lock(path_);
    worker.Start();
    ASSERT_TRUE(
        support::WaitFor([&] { return retry->stats().given_back > 0; }));
  }
  EXPECT_TRUE(support::WaitFor([&] {
    const std::vector<std::string> all = runs();
    return all.size() >= 3 && all.back() == "2 of u: image 17";
  }));
  EXPECT_TRUE(WaitForEnd(server_));
  EXPECT_GE(worker->stats().jobs_given_back, 1u);
}

}  // namespace
}  // namespace gearman
