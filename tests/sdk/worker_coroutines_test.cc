#include "gearman/sdk/worker_coroutines.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/coroutines.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/task.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/inproc_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

using Outcome = absl::StatusOr<std::string>;

class WorkerCoroutinesTest : public InprocTest {
 protected:
  WorkerCoroutinesTest() : InprocTest("inproc://worker_coroutines") {}

  void Register(absl::string_view task, CoroutineHandler handler,
                TaskOptions options = {}) {
    const absl::Status status =
        RegisterCoroutine(*worker_, task, std::move(handler), options);
    ASSERT_TRUE(status.ok()) << status;
  }
};

Task<Outcome> Echo(PendingJob& job, std::stop_token) {
  co_return std::string(job.job().data());
}

// The worker has one thread, and the outer job waits for two inner ones.
TEST_F(WorkerCoroutinesTest, AHandlerAwaitsJobsOfItsOwnWorker) {
  Register("echo", Echo);
  Register("both", [this](PendingJob& job, std::stop_token) -> Task<Outcome> {
    Outcome first = co_await gearman::Run(*client_, {"echo", "a"});
    Outcome second = co_await gearman::Run(*client_, {"echo", "b"});
    if (!first.ok()) co_return first;
    if (!second.ok()) co_return second;
    co_return absl::StrCat(*first, *second,
                           absl::string_view(job.job().data()));
  });
  ASSERT_TRUE(worker_->Start().ok());
  const Outcome outcome = client_->Run("both", "c");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, "abc");
}

TEST_F(WorkerCoroutinesTest, ErrorsAndExceptionsAreAnsweredAsThoseOfAHandler) {
  Register("error", [](PendingJob&, std::stop_token) -> Task<Outcome> {
    co_return absl::NotFoundError("no image 17");
  });
  Register("throw", [](PendingJob&, std::stop_token) -> Task<Outcome> {
    throw std::runtime_error("mine");
    co_return "";
  });
  Register("plain", [](PendingJob&, std::stop_token) -> Task<Outcome> {
    co_return JobFailed();
  });
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_THAT(client_->Run("error", "").status().ToString(),
              HasSubstr("NOT_FOUND: no image 17"));
  EXPECT_THAT(client_->Run("throw", "").status().ToString(), HasSubstr("mine"));
  EXPECT_TRUE(absl::IsAborted(client_->Run("plain", "").status()));
}

// A coroutine that waits counts as running.
TEST_F(WorkerCoroutinesTest, ALimitOfRunningJobsHoldsForCoroutines) {
  std::atomic<int> here{0}, most{0};
  TaskOptions options;
  options.max_running = 1;
  Register("echo", Echo);
  Register(
      "outer",
      [&](PendingJob& job, std::stop_token) -> Task<Outcome> {
        most = std::max(most.load(), ++here);
        Outcome outcome = co_await gearman::Run(
            *client_, {"echo", std::string(job.job().data())});
        --here;
        co_return outcome;
      },
      options);
  ASSERT_TRUE(worker_->Start().ok());
  std::vector<JobSpec> specs;
  for (int i = 0; i < 20; ++i) specs.emplace_back("outer", absl::StrCat(i));
  const auto requests = client_->SubmitMultipleJobs(std::move(specs));
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  EXPECT_EQ(requests.back().result(), "19");
  EXPECT_EQ(most.load(), 1);
}

TEST_F(WorkerCoroutinesTest, AnEmptyHandlerIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      RegisterCoroutine(*worker_, "t", CoroutineHandler())));
}

// The stop token of the job stops the calls of the handler, and what the lambda
// captured lives until then.
TEST_F(WorkerCoroutinesTest, StopEndsTheCallsOfAHandler) {
  absl::Notification begun, ended;
  absl::Status status;
  auto handler = [&, owned = std::make_unique<int>(7)](
                     PendingJob&, std::stop_token stop) -> Task<Outcome> {
    CoroutineOptions options;
    options.stop_token = stop;
    Call call = gearman::Run(*client_, {"nobody does this", ""}, options);
    begun.Notify();
    Outcome outcome = co_await call;
    status = outcome.status();
    EXPECT_EQ(*owned, 7);
    ended.Notify();
    co_return outcome;
  };
  Register("wait", std::move(handler));
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = client_->SubmitJob("wait", "");
  begun.WaitForNotification();
  worker_->Stop();
  ended.WaitForNotification();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

}  // namespace
}  // namespace gearman
