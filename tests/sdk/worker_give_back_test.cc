// PendingJob::GiveBack: a job goes back to its server without an answer.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_interceptor.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class WorkerGiveBackTest : public ::testing::Test {
 protected:
  WorkerGiveBackTest() : server_(&stack_.StartServer("jobs")) {}

  // A worker that keeps the pending jobs of "later".
  Worker& StartKeeper(WorkerOptions options) {
    Worker& worker = stack_.StartWorker("keeper", std::move(options));
    EXPECT_TRUE(worker
                    .RegisterAsync("later",
                                   [this](PendingJob job) {
                                     kept_.push_back(std::move(job));
                                   })
                    .ok());
    return worker;
  }
  Worker& StartKeeper() {
    return StartKeeper(stack_.WorkerDefaults("keeper", {"inproc://jobs"}));
  }
  JobRequest Submit(const std::string& data) {
    return client_->SubmitJob("later", data);
  }
  void WaitForKept(size_t count) {
    EXPECT_TRUE(stack_.simulation.RunUntil(
        [&] { return kept_.size() >= count; }, absl::Minutes(1)));
  }

  SimulatedStack stack_{1};
  JobServer* const server_;
  std::unique_ptr<Client> client_ =
      stack_.MakeClient("client", {"inproc://jobs"});
  std::vector<PendingJob> kept_;
};

TEST_F(WorkerGiveBackTest, AJobThatIsGivenBackIsDoneAgain) {
  Worker& worker = StartKeeper();
  const JobRequest request = Submit("x");
  WaitForKept(1);
  const std::string handle = kept_[0].job().handle();
  kept_[0].GiveBack();
  EXPECT_TRUE(kept_[0].finished());
  WaitForKept(2);
  EXPECT_EQ(kept_[1].job().handle(), handle);
  EXPECT_EQ(kept_[1].job().data(), "x");
  kept_[1].Finish("done");
  EXPECT_EQ(client_->Result(request).value(), "done");
  EXPECT_EQ(worker.stats().jobs_given_back, 1u);
  EXPECT_EQ(worker.stats().jobs_lost, 1u);
  // The worker has ended the old connection itself.
  EXPECT_EQ(worker.stats().connections_lost, 0u);
  EXPECT_EQ(worker.stats().connects, 2u);
}

TEST_F(WorkerGiveBackTest, OtherJobsOfTheConnectionAreAnsweredFirst) {
  StartKeeper();
  const std::vector<JobRequest> requests = {Submit("a"), Submit("b")};
  WaitForKept(2);
  kept_[0].GiveBack();
  // "b" is held over the old connection, so the server still has "a" there.
  stack_.simulation.RunFor(absl::Minutes(1));
  EXPECT_THAT(kept_, SizeIs(2));
  kept_[1].Finish("b done");
  WaitForKept(3);
  EXPECT_EQ(kept_[2].job().data(), "a");
  kept_[2].Finish("a done");
  EXPECT_EQ(client_->Result(requests[0]).value(), "a done");
  EXPECT_EQ(client_->Result(requests[1]).value(), "b done");
  EXPECT_EQ(server_->jobs(), 0u);
}

TEST_F(WorkerGiveBackTest, NewJobsComeOverTheNewConnectionMeanwhile) {
  StartKeeper();
  const std::vector<JobRequest> requests = {Submit("a"), Submit("b")};
  WaitForKept(2);
  kept_[0].GiveBack();
  const JobRequest next = Submit("c");
  WaitForKept(3);
  EXPECT_EQ(kept_[2].job().data(), "c");
  kept_[2].Finish("c done");
  EXPECT_EQ(client_->Result(next).value(), "c done");
}

TEST_F(WorkerGiveBackTest, ADrainingWorkerEndsAndAnotherOneDoesTheJob) {
  Worker& worker = StartKeeper();
  const JobRequest request = Submit("x");
  WaitForKept(1);
  worker.Drain();
  stack_.simulation.RunFor(absl::Minutes(1));
  EXPECT_FALSE(worker.stopped());
  kept_[0].GiveBack();
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return worker.stopped(); },
                                         absl::Minutes(1)));
  Worker& other = stack_.StartWorker("other", {"inproc://jobs"});
  EXPECT_TRUE(
      other.Register("later", [](JobContext&) { return std::string("other"); })
          .ok());
  EXPECT_EQ(client_->Result(request).value(), "other");
}

// Nothing but the job itself lets these connections end: no heartbeat does.
TEST_F(WorkerGiveBackTest, TheLastJobOfAConnectionThatLeavesGoesBackAtOnce) {
  WorkerOptions options = stack_.WorkerDefaults("keeper", {"inproc://jobs"});
  options.heartbeat_interval = absl::InfiniteDuration();
  StartKeeper(std::move(options));
  Submit("a");
  Submit("b");
  WaitForKept(2);
  kept_[0].GiveBack();
  stack_.simulation.RunFor(absl::Seconds(1));
  const absl::Time begin = stack_.simulation.now();
  kept_[1].GiveBack();
  WaitForKept(4);
  EXPECT_LT(stack_.simulation.now() - begin, absl::Seconds(1));
}

TEST_F(WorkerGiveBackTest, ADrainEndsWithTheLastJobThatIsGivenBack) {
  WorkerOptions options = stack_.WorkerDefaults("keeper", {"inproc://jobs"});
  options.heartbeat_interval = absl::InfiniteDuration();
  Worker& worker = StartKeeper(std::move(options));
  Submit("x");
  WaitForKept(1);
  worker.Drain();
  stack_.simulation.RunFor(absl::Seconds(1));
  kept_[0].GiveBack();
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return worker.stopped(); },
                                         absl::Seconds(1)));
}

// The server wakes one connection for a job, and that may be the old one.
TEST_F(WorkerGiveBackTest, AServerMayWakeTheConnectionThatLeaves) {
  JobServerOptions thrifty;
  thrifty.worker_wakeup = 1;
  stack_.StartServer("thrifty", thrifty);
  client_ = stack_.MakeClient("thrifty client", {"inproc://thrifty"});
  WorkerOptions options = stack_.WorkerDefaults("keeper", {"inproc://thrifty"});
  options.regrab_interval = absl::InfiniteDuration();
  StartKeeper(std::move(options));
  Submit("a");
  Submit("b");
  WaitForKept(2);
  kept_[0].GiveBack();
  // Both connections fall asleep.
  stack_.simulation.RunFor(absl::Seconds(1));
  for (const size_t count : {3, 4}) {
    Submit("c");
    EXPECT_TRUE(stack_.simulation.RunUntil(
        [&] { return kept_.size() >= count; }, absl::Seconds(1)));
  }
}

TEST_F(WorkerGiveBackTest, AfterTheAnswerOrTheLossItDoesNothing) {
  Worker& worker = StartKeeper();
  const JobRequest request = Submit("x");
  WaitForKept(1);
  kept_[0].Finish("done");
  kept_[0].GiveBack();
  EXPECT_EQ(client_->Result(request).value(), "done");
  stack_.simulation.RunFor(absl::Minutes(1));
  EXPECT_EQ(worker.stats().connects, 1u);

  Submit("y");
  WaitForKept(2);
  PendingJob lost = std::move(kept_[1]);
  stack_.KillServer("jobs");
  stack_.simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(lost.stop_token().stop_requested());
  lost.GiveBack();
  stack_.simulation.RunFor(absl::Seconds(1));
  EXPECT_EQ(worker.stats().jobs_given_back, 0u);
}

TEST_F(WorkerGiveBackTest, AnInterceptorHearsOfTheEnd) {
  WorkerOptions options = stack_.WorkerDefaults("keeper", {"inproc://jobs"});
  std::vector<absl::StatusCode> ends;
  options.interceptors.emplace_back([&ends](IncomingJob& job) {
    job.OnEnd([&ends](const Job&, absl::StatusOr<std::string>& result) {
      ends.push_back(result.status().code());
    });
  });
  StartKeeper(std::move(options));
  const JobRequest request = Submit("x");
  WaitForKept(1);
  kept_[0].GiveBack();
  WaitForKept(2);
  kept_[1].Finish("done");
  EXPECT_TRUE(client_->Result(request).ok());
  EXPECT_THAT(
      ends, ElementsAre(absl::StatusCode::kUnavailable, absl::StatusCode::kOk));
}

}  // namespace
}  // namespace testing
}  // namespace gearman
