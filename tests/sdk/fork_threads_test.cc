// Forks in a process whose SDK has threads, and forks in user code that the SDK
// has called, which returns in the child.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/tests/sdk/fork_fixture.h"
#include "gearman/tests/support/forked_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RunInChild;
using ForkThreadsTest = ForkTest;

// A child runs no job that the parent has queued.
TEST_F(ForkThreadsTest, AChildHasADefaultServerOfItsOwn) {
  const auto default_client = [] {
    ClientOptions options;
    options.drive_mode = DriveMode::kCallerOnly;
    return *Client::Create(std::move(options));
  };
  const auto client = default_client();
  const JobRequest queued = client->SubmitBackgroundJob("shared", "parent");
  ASSERT_TRUE(client->WaitUntilJobsAccepted({queued}, kLong).ok());
  const auto run_all = [](Client& of, const JobRequest& own) {
    std::string ran;
    auto worker = *Worker::Create({});
    EXPECT_TRUE(worker
                    ->Register("shared",
                               [&ran](JobContext& context) {
                                 absl::StrAppend(&ran, context.job().data(),
                                                 ";");
                                 return std::string();
                               })
                    .ok());
    while (!own.finished()) {
      worker->RunOnce(absl::InfinitePast());
      of.RunOnce(absl::InfinitePast());
    }
    return ran;
  };
  EXPECT_EQ(RunInChild([&]() -> std::string {
              const auto own = default_client();
              const JobRequest job = own->SubmitJob("shared", "child");
              const std::string ran = run_all(*own, job);
              return ran == "child;" ? "" : ran;
            }),
            "");
  const JobRequest last = client->SubmitJob("shared", "last");
  EXPECT_EQ(run_all(*client, last), "parent;last;");
}

TEST_F(ForkThreadsTest, ANamedInprocServerOfTheParentIsNotFoundInAChild) {
  ASSERT_TRUE(server_->Listen("inproc://named").ok());
  EXPECT_EQ(RunInChild([]() -> std::string {
              ClientOptions options;
              options.servers = {"inproc://named"};
              const auto client = *Client::Create(std::move(options));
              const absl::Status status = client->Run("f", "x").status();
              return absl::IsNotFound(status) ? "" : status.ToString();
            }),
            "");
}

TEST_F(ForkThreadsTest, UniquesOfTwoChildrenDiffer) {
  // The parent has drawn some before, from a pool that a child would copy.
  ASSERT_NE(MakeClient(), nullptr);
  const auto unique = [this] {
    const auto own = MakeClient();
    return std::string(own->SubmitBackgroundJob("nobody", "x").unique());
  };
  const std::string first = RunInChild(unique);
  const std::string second = RunInChild(unique);
  EXPECT_EQ(first.size(), 32u) << first;
  EXPECT_NE(first, second);
}

// Forks inside user code that the SDK calls.
class ForkInCallTest : public ForkTest {
 protected:
  // Forks. In the child it returns true, in the parent when that has ended.
  bool ForkHere() {
    const pid_t pid = fork();
    if (pid == 0) {
      alarm(60);
      return true;
    }
    EXPECT_GT(pid, 0);
    absl::MutexLock lock(&mutex_);
    children_.push_back(pid);
    return false;
  }
  // How the children ended that returned from their call.
  std::vector<int> EndsOfChildren() {
    absl::MutexLock lock(&mutex_);
    std::vector<int> ends;
    for (const pid_t pid : children_) {
      int status = -1;
      EXPECT_EQ(waitpid(pid, &status, 0), pid);
      ends.push_back(status);
    }
    return ends;
  }
  bool in_child() const { return getpid() != parent_; }

  const pid_t parent_ = getpid();
  std::vector<pid_t> children_;
};

constexpr int kAsItShould = 42;

TEST_F(ForkInCallTest, AHandlerThatReturnsInTheChildAnswersNothing) {
  StartWorker();
  std::atomic<bool> forked{false};
  ASSERT_TRUE(worker_
                  ->Register("fork",
                             [&](JobContext& context) -> std::string {
                               if (forked.exchange(true)) return "again";
                               if (!ForkHere()) return "parent";
                               const absl::Status sent =
                                   context.SendData("from the child");
                               return absl::IsFailedPrecondition(sent) ? "child"
                                                                       : "sent";
                             })
                  .ok());
  thread_ = std::thread([this] {
    const absl::Status status = worker_->Run();
    if (in_child()) {
      worker_ = nullptr;
      _exit(NotRefused("Run", status).empty() ? kAsItShould : 1);
    }
    EXPECT_TRUE(status.ok()) << status;
  });
  const JobRequest request = client_->SubmitJob("fork", "x");
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  EXPECT_EQ(request.result(), "parent");
  EXPECT_THAT(request.data_updates(), ::testing::IsEmpty());
  const std::vector<int> ends = EndsOfChildren();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(WEXITSTATUS(ends[0]), kAsItShould);
  ExpectUnharmed();
  // The worker's thread asks in_child of this test.
  StopWorker();
}

TEST_F(ForkInCallTest, AHandlersThreadThatReturnsInTheChildEndsIt) {
  StartWorker(/*concurrency=*/2);
  std::atomic<bool> forked{false};
  ASSERT_TRUE(worker_
                  ->Register("fork",
                             [&](JobContext& /*context*/) -> std::string {
                               if (forked.exchange(true)) return "again";
                               return ForkHere() ? "child" : "parent";
                             })
                  .ok());
  RunWorker();
  const JobRequest request = client_->SubmitJob("fork", "x");
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  EXPECT_EQ(request.result(), "parent");
  // The handler's thread was the child's only thread.
  const std::vector<int> ends = EndsOfChildren();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_TRUE(WIFEXITED(ends[0]));
  ExpectUnharmed();
}

// A started worker has concurrency 1: its handler is on its own thread.
TEST_F(ForkInCallTest, AStartedWorkersThreadThatReturnsInTheChildEndsIt) {
  StartWorker();
  std::atomic<bool> forked{false};
  ASSERT_TRUE(worker_
                  ->Register("fork",
                             [&](JobContext& /*context*/) -> std::string {
                               if (forked.exchange(true)) return "again";
                               return ForkHere() ? "child" : "parent";
                             })
                  .ok());
  ASSERT_TRUE(worker_->Start().ok());
  const JobRequest request = client_->SubmitJob("fork", "x");
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  EXPECT_EQ(request.result(), "parent");
  const std::vector<int> ends = EndsOfChildren();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_TRUE(WIFEXITED(ends[0]));
  ExpectUnharmed();
}

TEST_F(ForkThreadsTest, AChildCanUseNothingOfAStartedWorker) {
  StartWorker();
  ASSERT_TRUE(worker_->Start().ok());
  EXPECT_EQ(RunInChild([this] {
              const std::string refused =
                  NotRefused("Start", worker_->Start()) +
                  NotRefused("Join", worker_->Join());
              worker_ = nullptr;
              return refused;
            }),
            "");
  ExpectUnharmed();
}

TEST_F(ForkInCallTest, ACallbackThatReturnsInTheChildEndsTheWait) {
  StartWorker(/*concurrency=*/2);
  RunWorker();
  std::thread::id called_on;
  JobSpec spec("reverse", "x");
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    called_on = std::this_thread::get_id();
    // The wait goes on for the other one.
    if (!ForkHere()) OpenGate();
  };
  const JobRequest open = client_->SubmitJob("gated", "open");
  const JobRequest requests[] = {open, client_->SubmitJob(std::move(spec))};
  const absl::Status status = client_->WaitUntilJobsCompleted(requests, kLong);
  if (in_child()) {
    const std::string wrong =
        NotRefused("Wait", status) + NotRefused("open", open.status());
    client_ = nullptr;
    _exit(wrong.empty() ? kAsItShould : 1);
  }
  EXPECT_TRUE(status.ok()) << status;
  const std::vector<int> ends = EndsOfChildren();
  ASSERT_EQ(ends.size(), 1u);
  ASSERT_TRUE(WIFEXITED(ends[0])) << WTERMSIG(ends[0]);
  // On the background thread it is the child's only one, and ends it.
  EXPECT_EQ(WEXITSTATUS(ends[0]),
            called_on == std::this_thread::get_id() ? kAsItShould : 0);
  ExpectUnharmed();
}

}  // namespace
}  // namespace gearman
