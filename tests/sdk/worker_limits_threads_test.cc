// The limits of tasks of a worker with handlers on several threads, against an
// embedded server of the same process, on the machine's clock.
#include <algorithm>
#include <atomic>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/inproc_fixture.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

constexpr int kHandlers = 8;
constexpr int kNarrow = 2;

WorkerOptions WithHandlers() {
  WorkerOptions options;
  options.concurrency = kHandlers;
  // Further jobs wait for a thread.
  options.prefetch.min_jobs = kHandlers;
  options.control_task = "control";
  return options;
}

class WorkerLimitsThreadsTest : public InprocTest {
 protected:
  WorkerLimitsThreadsTest()
      : InprocTest("inproc://worker_limits_threads", WithHandlers()) {}

  void Register(const std::string& task, Worker::Handler handler,
                const TaskOptions& options = {}) {
    const absl::Status status =
        worker_->Register(task, std::move(handler), options);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<JobRequest> Submit(const std::string& task, int count) {
    std::vector<JobSpec> specs;
    for (int i = 0; i < count; ++i) specs.emplace_back(task, "");
    return client_->SubmitMultipleJobs(std::move(specs));
  }
};

// The handlers of one task leave all others to the other one.
TEST_F(WorkerLimitsThreadsTest, ATaskWithALimitLeavesTheOtherHandlersFree) {
  absl::Mutex mutex;
  int narrow = 0, wide = 0, most_narrow = 0;
  bool met = false;
  const auto wait_until_met = [&] {
    met = met || (narrow == kNarrow && wide == kHandlers - kNarrow);
    return mutex.AwaitWithTimeout(absl::Condition(&met), support::kBound);
  };
  TaskOptions options;
  options.max_running = kNarrow;
  Register(
      "narrow",
      [&](JobContext&) -> absl::StatusOr<std::string> {
        absl::MutexLock lock(&mutex);
        most_narrow = std::max(most_narrow, ++narrow);
        const bool ok = wait_until_met();
        --narrow;
        if (!ok) return absl::AbortedError("waited in vain");
        return "";
      },
      options);
  Register("wide", [&](JobContext&) -> absl::StatusOr<std::string> {
    absl::MutexLock lock(&mutex);
    ++wide;
    if (!wait_until_met()) return absl::AbortedError("waited in vain");
    return "";
  });
  ASSERT_TRUE(worker_->Start().ok());
  std::vector<JobRequest> requests = Submit("narrow", 50);
  for (const JobRequest& request : Submit("wide", kHandlers - kNarrow)) {
    requests.push_back(request);
  }
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  for (const JobRequest& request : requests) {
    EXPECT_TRUE(request.status().ok()) << request.status();
  }
  EXPECT_EQ(most_narrow, kNarrow);
}

// All jobs but those that run wait for a thread when the task is paused.
TEST_F(WorkerLimitsThreadsTest, NoHandlerBeginsAfterItsTaskWasPaused) {
  absl::Mutex mutex;
  int begun = 0;
  absl::Notification go_on;
  Register("paused", [&](JobContext&) -> absl::StatusOr<std::string> {
    {
      absl::MutexLock lock(&mutex);
      ++begun;
    }
    EXPECT_TRUE(go_on.WaitForNotificationWithTimeout(support::kBound));
    return "";
  });
  Register("other",
           [](JobContext&) -> absl::StatusOr<std::string> { return ""; });
  ASSERT_TRUE(worker_->Start().ok());
  const std::vector<JobRequest> requests = Submit("paused", 2 * kHandlers);
  {
    const auto all_run = [&begun] { return begun == kHandlers; };
    absl::MutexLock lock(&mutex);
    ASSERT_TRUE(
        mutex.AwaitWithTimeout(absl::Condition(&all_run), support::kBound));
  }
  // Further ones have been received, and stand in line for the threads.
  EXPECT_TRUE(support::WaitFor(
      [this] { return worker_->stats().jobs_waiting >= kHandlers / 2; }));
  ASSERT_TRUE(worker_->Pause("paused").ok());
  go_on.Notify();
  EXPECT_TRUE(support::WaitFor([this] {
    const WorkerStats stats = worker_->stats();
    return stats.jobs_complete == kHandlers &&
           stats.jobs_held_back == stats.jobs_assigned - kHandlers;
  }));
  EXPECT_TRUE(client_->Run("other", "").ok());
  {
    absl::MutexLock lock(&mutex);
    EXPECT_EQ(begun, kHandlers);
  }
  ASSERT_TRUE(worker_->Resume("paused").ok());
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  for (const JobRequest& request : requests) {
    EXPECT_TRUE(request.status().ok()) << request.status();
  }
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
}

// Pause and Resume race with jobs, from two threads.
TEST_F(WorkerLimitsThreadsTest, PausedAndResumedAgainAndAgainAllJobsAreDone) {
  TaskOptions limited;
  limited.max_running = kNarrow;
  const auto echo = [](JobContext&) -> absl::StatusOr<std::string> {
    return "";
  };
  Register("free", echo);
  Register("limited", echo, limited);
  ASSERT_TRUE(worker_->Start().ok());
  std::atomic<bool> done{false};
  std::thread pauser([&] {
    while (!done) {
      for (const char* task : {"free", "limited"}) {
        EXPECT_TRUE(worker_->Pause(task).ok());
        EXPECT_TRUE(worker_->Resume(task).ok());
      }
    }
  });
  std::vector<JobRequest> requests = Submit("free", 2000);
  for (const JobRequest& request : Submit("limited", 500)) {
    requests.push_back(request);
  }
  EXPECT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  done = true;
  pauser.join();
  for (const JobRequest& request : requests) {
    ASSERT_TRUE(request.status().ok()) << request.status();
  }
  EXPECT_EQ(worker_->stats().jobs_complete, 2500u);
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
}

TEST_F(WorkerLimitsThreadsTest, OrdersAreTakenWhileAllHandlersAreBusy) {
  absl::Notification go_on;
  Register("busy", [&](JobContext&) -> absl::StatusOr<std::string> {
    EXPECT_TRUE(go_on.WaitForNotificationWithTimeout(support::kBound));
    return "";
  });
  ASSERT_TRUE(worker_->Start().ok());
  const std::vector<JobRequest> requests = Submit("busy", 3 * kHandlers);
  EXPECT_TRUE(support::WaitFor(
      [this] { return worker_->stats().jobs_running == kHandlers; }));
  const absl::StatusOr<std::string> paused =
      client_->Run("control", "pause busy");
  EXPECT_TRUE(paused.ok()) << paused.status();
  EXPECT_EQ(paused.value_or(""), "busy");
  go_on.Notify();
  EXPECT_TRUE(
      support::WaitFor([this] { return worker_->stats().jobs_running == 0; }));
  EXPECT_TRUE(client_->Run("control", "resume busy").ok());
  EXPECT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
}

// The job of a late handler was answered, but the handler may still use what
// the limit protects.
TEST_F(WorkerLimitsThreadsTest, ALateHandlerCountsUntilItReturns) {
  absl::Mutex mutex;
  std::vector<std::string> events;
  absl::Notification answered;
  TaskOptions options;
  options.max_running = 1;
  options.time_limit = absl::Milliseconds(20);
  Register(
      "late",
      [&](JobContext&) -> absl::StatusOr<std::string> {
        {
          absl::MutexLock lock(&mutex);
          events.push_back("begins");
        }
        EXPECT_TRUE(answered.WaitForNotificationWithTimeout(support::kBound));
        absl::MutexLock lock(&mutex);
        events.push_back("returns");
        return "";
      },
      options);
  Register("other",
           [](JobContext&) -> absl::StatusOr<std::string> { return ""; });
  ASSERT_TRUE(worker_->Start().ok());
  const std::vector<JobRequest> requests = Submit("late", 2);
  EXPECT_FALSE(client_->Wait(requests[0]).ok());
  EXPECT_TRUE(client_->Run("other", "").ok());
  answered.Notify();
  client_->Wait(requests[1]).IgnoreError();
  worker_->Stop();
  EXPECT_TRUE(worker_->Join().ok());
  absl::MutexLock lock(&mutex);
  EXPECT_THAT(events, ElementsAre("begins", "returns", "begins", "returns"));
}

}  // namespace
}  // namespace gearman
