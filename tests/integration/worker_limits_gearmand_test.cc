// The limits of tasks, and paused tasks, against a real gearmand.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/integration/running_worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using support::WaitFor;

class WorkerLimitsGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ok());
    ClientOptions options;
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  std::vector<JobRequest> Submit(const std::string& task, int count) {
    std::vector<JobSpec> specs;
    for (int i = 0; i < count; ++i) specs.emplace_back(task, absl::StrCat(i));
    return client_->SubmitMultipleJobs(std::move(specs));
  }
  void ExpectDone(const std::vector<JobRequest>& requests) {
    EXPECT_TRUE(client_->WaitUntilJobsCompleted(requests, kLong).ok());
    for (const JobRequest& request : requests) {
      ASSERT_TRUE(request.status().ok()) << request.status();
    }
  }
  // Waits until the server has this line about a task: the jobs that wait or
  // run, those that run, and the workers.
  bool WaitForStatus(const std::string& line) {
    return WaitFor([&] {
      const auto lines = server_.Admin("status");
      return lines.ok() &&
             std::find(lines->begin(), lines->end(), line) != lines->end();
    });
  }

  GearmandProcess server_;
  std::unique_ptr<Client> client_;
};

absl::StatusOr<std::string> Nothing(JobContext&) { return ""; }

TEST_F(WorkerLimitsGearmandTest, OfTwoWorkersThePausedOneGetsNoJob) {
  RunningWorker first({server_.address()});
  RunningWorker second({server_.address()});
  for (RunningWorker* const worker : {&first, &second}) {
    ASSERT_TRUE((*worker)->Register("echo", Nothing).ok());
    worker->Start();
  }
  ASSERT_TRUE(WaitForStatus("echo\t0\t0\t2"));
  ASSERT_TRUE(first->Pause("echo").ok());
  ASSERT_TRUE(WaitForStatus("echo\t0\t0\t1"));
  ExpectDone(Submit("echo", 100));
  EXPECT_EQ(first->stats().jobs_assigned, 0u);
  EXPECT_EQ(second->stats().jobs_complete, 100u);
  ASSERT_TRUE(first->Resume("echo").ok());
  ASSERT_TRUE(WaitForStatus("echo\t0\t0\t2"));
  ASSERT_TRUE(second->Pause("echo").ok());
  ASSERT_TRUE(WaitForStatus("echo\t0\t0\t1"));
  ExpectDone(Submit("echo", 100));
  EXPECT_EQ(first->stats().jobs_complete, 100u);
}

// Trap 32. With CANT_DO the server would give the job to the other worker, too.
TEST_F(WorkerLimitsGearmandTest, ATaskThatIsPausedByItsHandlerRunsItsJobOnce) {
  WorkerOptions options;
  options.concurrency = 2;
  RunningWorker worker({server_.address()}, options);
  RunningWorker other({server_.address()});
  std::atomic<int> runs{0};
  absl::Notification go_on;
  ASSERT_TRUE(worker
                  ->Register("once",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               ++runs;
                               EXPECT_TRUE(worker->Pause("once").ok());
                               EXPECT_TRUE(
                                   go_on.WaitForNotificationWithTimeout(kLong));
                               return "done";
                             })
                  .ok());
  ASSERT_TRUE(worker->Register("beside", Nothing).ok());
  worker.Start();
  const std::vector<JobRequest> requests = Submit("once", 1);
  ASSERT_TRUE(WaitForStatus("once\t1\t1\t1"));
  // The other task goes on, over another connection.
  ExpectDone(Submit("beside", 20));
  // The other worker does not get the job either.
  ASSERT_TRUE(other->Register("once", Nothing).ok());
  other.Start();
  EXPECT_TRUE(WaitForStatus("once\t1\t1\t2"));
  go_on.Notify();
  ExpectDone(requests);
  EXPECT_EQ(requests[0].result(), "done");
  EXPECT_EQ(runs.load(), 1);
  EXPECT_EQ(other->stats().jobs_assigned, 0u);
  EXPECT_EQ(worker->stats().answers_refused, 0u);
  EXPECT_TRUE(WaitForStatus("once\t0\t0\t1"));
}

TEST_F(WorkerLimitsGearmandTest, NoMoreJobsOfATaskRunThanItsLimitAllows) {
  constexpr int kLimit = 2;
  WorkerOptions options;
  options.concurrency = 6;
  RunningWorker worker({server_.address()}, options);
  absl::Mutex mutex;
  int here = 0, most = 0;
  absl::Notification full, go_on;
  ASSERT_TRUE(worker->Register("beside", Nothing).ok());
  TaskOptions limited;
  limited.max_running = kLimit;
  // The server gives jobs of the task that was registered last first.
  ASSERT_TRUE(worker
                  ->Register(
                      "narrow",
                      [&](JobContext&) -> absl::StatusOr<std::string> {
                        {
                          absl::MutexLock lock(&mutex);
                          most = std::max(most, ++here);
                          if (here == kLimit && !full.HasBeenNotified())
                            full.Notify();
                        }
                        EXPECT_TRUE(
                            go_on.WaitForNotificationWithTimeout(kLong));
                        absl::MutexLock lock(&mutex);
                        --here;
                        return "";
                      },
                      limited)
                  .ok());
  const std::vector<JobRequest> narrow = Submit("narrow", 200);
  worker.Start();
  ASSERT_TRUE(full.WaitForNotificationWithTimeout(kLong));
  ExpectDone(Submit("beside", 200));
  // The others wait at the server, for other workers.
  EXPECT_TRUE(WaitForStatus("narrow\t200\t2\t1"));
  go_on.Notify();
  ExpectDone(narrow);
  EXPECT_EQ(most, kLimit);
  EXPECT_EQ(worker->stats().answers_refused, 0u);
  EXPECT_EQ(worker->stats().jobs_lost, 0u);
}

// One token in 11 days: the order of events shows the rate, whatever the
// machine's speed.
TEST_F(WorkerLimitsGearmandTest, AJobWithoutATokenIsLeftToAnotherWorker) {
  RunningWorker worker({server_.address()});
  TaskOptions limited;
  limited.rate.jobs_per_second = 1e-6;
  limited.rate.burst = 3;
  ASSERT_TRUE(worker->Register("beside", Nothing).ok());
  ASSERT_TRUE(worker->Register("mail", Nothing, limited).ok());
  worker.Start();
  const std::vector<JobRequest> requests = Submit("mail", 10);
  ASSERT_TRUE(WaitForStatus("mail\t7\t0\t1"));
  ExpectDone(Submit("beside", 100));
  EXPECT_EQ(worker->stats().jobs_complete, 103u);
  RunningWorker other({server_.address()});
  ASSERT_TRUE(other->Register("mail", Nothing).ok());
  other.Start();
  ExpectDone(requests);
  EXPECT_EQ(other->stats().jobs_complete, 7u);
}

// Tokens come, by the machine's clock, without anything else that wakes the
// worker.
TEST_F(WorkerLimitsGearmandTest, JobsWaitForTheTokensThatCome) {
  RunningWorker worker({server_.address()});
  TaskOptions limited;
  limited.rate.jobs_per_second = 200;
  ASSERT_TRUE(worker->Register("mail", Nothing, limited).ok());
  worker.Start();
  ExpectDone(Submit("mail", 20));
  EXPECT_EQ(worker->stats().jobs_complete, 20u);
}

// Without weights gearmand 1.1 gives the jobs of "b" before all others, because
// that task was registered last.
TEST_F(WorkerLimitsGearmandTest, JobsBeginByWeight) {
  const std::vector<JobRequest> first = Submit("a", 100);
  const std::vector<JobRequest> second = Submit("b", 100);
  ASSERT_TRUE(WaitForStatus("a\t100\t0\t0"));
  ASSERT_TRUE(WaitForStatus("b\t100\t0\t0"));
  WorkerOptions options;
  options.prefetch.max_jobs = 0;
  RunningWorker worker({server_.address()}, options);
  std::string order;
  const auto add = [&order](char letter) {
    return [&order, letter](JobContext&) -> absl::StatusOr<std::string> {
      order += letter;
      return "";
    };
  };
  TaskOptions three, one;
  three.weight = 3;
  one.weight = 1;
  ASSERT_TRUE(worker->Register("a", add('a'), three).ok());
  ASSERT_TRUE(worker->Register("b", add('b'), one).ok());
  worker.Start();
  ExpectDone(first);
  ExpectDone(second);
  // One connection may be there before the other. From then on, every four jobs
  // have three of "a" as long as there are some.
  const size_t begin = std::max(order.find('a'), order.find('b')) + 4;
  ASSERT_LT(begin, 20u) << order;
  const std::string some = order.substr(begin, 80);
  EXPECT_EQ(std::count(some.begin(), some.end(), 'a'), 60) << order;
}

// A job that waits in a paused worker goes to another one when it drains.
TEST_F(WorkerLimitsGearmandTest, ADrainGivesTheJobsOfAPausedTaskBack) {
  WorkerOptions options;
  // The I/O thread goes on while handlers run.
  options.concurrency = 2;
  // The worker asks for more jobs when half of these are left.
  options.prefetch.min_jobs = 20;
  std::atomic<int> runs{0};
  RunningWorker worker({server_.address()}, options);
  const auto paused = [&] { return !worker->paused_tasks().empty(); };
  ASSERT_TRUE(worker
                  ->Register("echo",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               EXPECT_TRUE(WaitFor([&] {
                                 return worker->stats().jobs_assigned >= 12;
                               }));
                               const int run = ++runs;
                               if (run == 5) {
                                 EXPECT_TRUE(worker->Pause("echo").ok());
                               }
                               // The other handler begins no job meanwhile.
                               if (run > 5) {
                                 EXPECT_TRUE(WaitFor(paused));
                               }
                               return "";
                             })
                  .ok());
  const std::vector<JobRequest> requests = Submit("echo", 100);
  ASSERT_TRUE(WaitForStatus("echo\t100\t0\t0"));
  worker.Start();
  ASSERT_TRUE(WaitFor(paused));
  worker->Drain();
  ASSERT_TRUE(WaitFor([&] { return worker->stopped(); }));
  // The other handler may have begun one more.
  const auto ran = static_cast<uint64_t>(runs.load());
  EXPECT_GE(ran, 5u);
  EXPECT_LE(ran, 6u);
  const WorkerStats stats = worker->stats();
  EXPECT_EQ(stats.jobs_complete, ran);
  EXPECT_EQ(stats.jobs_given_back, stats.jobs_assigned - ran);
  EXPECT_GE(stats.jobs_given_back, 6u);
  RunningWorker other({server_.address()});
  ASSERT_TRUE(other->Register("echo", Nothing).ok());
  other.Start();
  ExpectDone(requests);
  EXPECT_EQ(other->stats().jobs_complete, 100 - ran);
}

}  // namespace
}  // namespace gearman
