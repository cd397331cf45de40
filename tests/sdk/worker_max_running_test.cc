// Tests of TaskOptions::max_running, on a virtual clock.
// tests/sdk/worker_threads_test.cc has handlers on threads, and
// tests/integration/worker_limits_gearmand_test.cc a real server.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/tests/sdk/worker_limits_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using MaxRunningTest = WorkerLimitsTest;

TEST_F(MaxRunningTest, NoMoreJobsRunAtOnce) {
  RegisterHeld("slow", AtMost(2));
  Submit("slow", 5);
  for (uint64_t ended = 0; ended < 5; ++ended) {
    // Longer than a sleeping worker sleeps.
    Pass(absl::Minutes(1));
    EXPECT_THAT(running_, SizeIs(ended < 4 ? 2 : 1));
    const WorkerStats stats = worker_->stats();
    EXPECT_EQ(stats.jobs_running, running_.size());
    // The server has the others.
    EXPECT_EQ(stats.jobs_waiting, 0u);
    EXPECT_EQ(stats.jobs_assigned, ended + running_.size());
    End();
  }
  EXPECT_THAT(running_, IsEmpty());
  EXPECT_EQ(complete(), 5u);
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
}

TEST_F(MaxRunningTest, AnotherWorkerDoesTheRest) {
  RegisterHeld("slow", AtMost(1));
  Settle();
  Submit("slow", 1);
  Settle();
  ASSERT_THAT(running_, SizeIs(1));
  Worker& other = stack_.StartWorker("other", {"inproc://jobs"});
  RegisterQuick(other, "slow");
  Submit("slow", 10);
  Settle();
  EXPECT_EQ(other.stats().jobs_complete, 10u);
  EXPECT_EQ(worker_->stats().jobs_assigned, 1u);
}

TEST_F(MaxRunningTest, OtherTasksGoOnWhileATaskIsFull) {
  RegisterQuick(*worker_, "before");
  // A server gives jobs of the task that was registered last first.
  RegisterHeld("slow", AtMost(2));
  RegisterQuick(*worker_, "after");
  Submit("slow", 1000);
  Settle();
  EXPECT_THAT(running_, SizeIs(2));
  Submit("before", 100);
  Submit("after", 100);
  Settle();
  EXPECT_THAT(done_, SizeIs(200));
  EXPECT_THAT(running_, SizeIs(2));
  EXPECT_EQ(worker_->stats().jobs_assigned, 202u);
  // The limit is not one of all asynchronous jobs.
  RegisterHeld("other");
  Submit("other", 10);
  Settle();
  EXPECT_THAT(running_, SizeIs(12));
}

// A worker with one handler takes the lanes in turn.
TEST_F(MaxRunningTest, ATaskWithManyJobsLeavesRoomForOneWithALimit) {
  RegisterQuick(*worker_, "limited", AtMost(1));
  RegisterQuick(*worker_, "common");
  Submit("common", 1000);
  Submit("limited", 10);
  Settle();
  ASSERT_THAT(done_, SizeIs(1010));
  size_t last = 0;
  for (size_t i = 0; i < done_.size(); ++i) {
    if (done_[i] == "limited 9") last = i;
  }
  EXPECT_LT(last, 1000u);
}

TEST_F(MaxRunningTest, TheServersShareOneLimit) {
  stack_.StartServer("more");
  const auto more = stack_.MakeClient("more client", {"inproc://more"});
  ASSERT_TRUE(worker_->AddServer("inproc://more").ok());
  RegisterHeld("slow", AtMost(3));
  Settle();
  Submit("slow", 5);
  std::vector<JobSpec> specs;
  for (int i = 0; i < 5; ++i) specs.emplace_back("slow", "");
  const auto requests = more->SubmitMultipleJobs(std::move(specs));
  for (int ended = 0; ended < 10; ++ended) {
    Pass(absl::Minutes(1));
    EXPECT_THAT(running_, SizeIs(std::min(3, 10 - ended)));
    EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
    End();
  }
  EXPECT_EQ(complete(), 10u);
  // A server that comes back has a connection for the task again.
  ASSERT_TRUE(worker_->RemoveServer("inproc://more").ok());
  Settle();
  EXPECT_EQ(worker_->stats().servers_connected, 2u);
  ASSERT_TRUE(worker_->AddServer("inproc://more").ok());
  Settle();
  EXPECT_EQ(worker_->stats().servers_connected, 4u);
}

TEST_F(MaxRunningTest, ALimitThatComesCountsTheJobsThatRun) {
  RegisterHeld("slow");
  RegisterQuick(*worker_, "other");
  Submit("slow", 3);
  Settle();
  ASSERT_THAT(running_, SizeIs(3));
  RegisterHeld("slow", AtMost(2));
  Submit("slow", 3);
  Submit("other", 3);
  Settle();
  EXPECT_THAT(running_, SizeIs(3));
  // The common connection has jobs of the task, and another one does the rest.
  EXPECT_THAT(done_, SizeIs(3));
  End();
  EXPECT_THAT(running_, SizeIs(2));
  End();
  EXPECT_THAT(running_, SizeIs(2));
  // Without a limit the task goes back to the common connection.
  RegisterHeld("slow");
  Settle();
  EXPECT_THAT(running_, SizeIs(4));
  for (int i = 0; i < 4; ++i) End();
  EXPECT_EQ(complete(), 9u);
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
  EXPECT_EQ(worker_->stats().jobs_lost, 0u);
  EXPECT_EQ(worker_->stats().servers_connected, 1u);
}

TEST_F(MaxRunningTest, ATaskThatIsRegisteredAnewCountsItsEarlierJobs) {
  RegisterHeld("slow", AtMost(2));
  Submit("slow", 5);
  Settle();
  ASSERT_THAT(running_, SizeIs(2));
  ASSERT_TRUE(worker_->Unregister("slow").ok());
  Settle();
  RegisterHeld("slow", AtMost(2));
  Pass(absl::Minutes(1));
  EXPECT_THAT(running_, SizeIs(2));
  End();
  EXPECT_THAT(running_, SizeIs(2));
  for (int i = 0; i < 4; ++i) End();
  EXPECT_EQ(complete(), 5u);
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
}

TEST_F(MaxRunningTest, LostJobsDoNotCount) {
  RegisterHeld("slow", AtMost(2));
  Submit("slow", 2);
  Settle();
  ASSERT_THAT(running_, SizeIs(2));
  stack_.KillServer("jobs");
  Pass(absl::Seconds(1));
  EXPECT_EQ(worker_->stats().jobs_lost, 2u);
  stack_.StartServer("jobs");
  Pass(absl::Minutes(5));
  client_ = stack_.MakeClient("client 2", {"inproc://jobs"});
  Submit("slow", 3);
  Settle();
  EXPECT_THAT(running_, SizeIs(4));
}

TEST_F(MaxRunningTest, AnAnsweredTimeLimitEndsAnAsynchronousJob) {
  TaskOptions options = AtMost(1);
  options.time_limit = absl::Seconds(5);
  RegisterHeld("slow", options);
  Submit("slow", 2);
  Pass(absl::Seconds(4));
  EXPECT_THAT(running_, SizeIs(1));
  Pass(absl::Seconds(1));
  EXPECT_THAT(running_, SizeIs(2));
  EXPECT_EQ(worker_->stats().jobs_timed_out, 1u);
}

TEST_F(MaxRunningTest, ADrainAnswersTheJobsThatRunAndTakesNoOther) {
  RegisterHeld("slow", AtMost(2));
  Submit("slow", 5);
  Settle();
  worker_->Drain();
  Pass(absl::Minutes(1));
  EXPECT_FALSE(worker_->stopped());
  End();
  End();
  Settle();
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(complete(), 2u);
  EXPECT_EQ(worker_->stats().jobs_given_back, 0u);
}

TEST_F(MaxRunningTest, ATaskThatIsRegisteredInADrainDoesNotSpin) {
  RegisterHeld("slow", AtMost(1));
  Submit("slow", 1);
  Settle();
  worker_->Drain();
  Settle();
  RegisterHeld("late", AtMost(1));
  Pass(absl::Minutes(1));
  EXPECT_EQ(stack_.simulation.failure(), "");
  End();
  Settle();
  EXPECT_TRUE(worker_->stopped());
}

TEST_F(MaxRunningTest, ANegativeLimitIsRefused) {
  const absl::Status status = worker_->Register("echo", Echo, AtMost(-1));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("task \"echo\": max_running is -1"));
}

// --- what passes over the wire -----------------------------------------------

class MaxRunningProtocolTest : public WorkerTest {
 protected:
  static TaskOptions AtMost(int jobs) {
    TaskOptions options;
    options.max_running = jobs;
    return options;
  }
  // Registers a task whose jobs run until the test ends them.
  void RegisterHeld(const std::string& task, const TaskOptions& options) {
    ASSERT_TRUE(
        worker_
            ->RegisterAsync(
                task,
                [this](PendingJob job) { running_.push_back(std::move(job)); },
                options)
            .ok());
  }
  void End() {
    running_.back().Finish("");
    running_.pop_back();
  }

  std::vector<PendingJob> running_;
};

TEST_F(MaxRunningProtocolTest, ATaskWithALimitHasAConnectionOfItsOwn) {
  Start({{"echo", Echo}});
  RegisterHeld("slow", AtMost(1));
  Accept();
  const auto lane = played_.Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(lane->Receive(), "CAN_DO slow");
  // The one handler is free, and each connection is asked in turn.
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  EXPECT_EQ(lane->Receive(), "GRAB_JOB_ALL");
  lane->Send(Command::kJobAssignUniq, {"H:1", "slow", "u", ""});
  // A full task neither grabs nor sleeps, nor is it taken back: the server
  // would give the job to another worker.
  EXPECT_THAT(lane->ReceiveFor(absl::Seconds(20)), IsEmpty());
  ASSERT_THAT(running_, SizeIs(1));
  EXPECT_THAT(server_->ReceiveFor(absl::ZeroDuration()),
              ElementsAre("GRAB_JOB_ALL"));
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  End();
  EXPECT_THAT(lane->ReceiveFor(absl::ZeroDuration()),
              ElementsAre("WORK_COMPLETE H:1|", "GRAB_JOB_ALL"));
  // Without a job the connection sleeps, and a NOOP wakes it.
  lane->Send(Command::kNoJob, {});
  EXPECT_THAT(lane->ReceiveFor(absl::Seconds(1)), ElementsAre("PRE_SLEEP"));
  lane->Send(Command::kNoop, {});
  EXPECT_THAT(lane->ReceiveFor(absl::Seconds(1)), ElementsAre("GRAB_JOB_ALL"));
}

TEST_F(MaxRunningProtocolTest, AFullTaskIsOnlyAskedForASignOfLife) {
  options_.heartbeat_interval = absl::Seconds(30);
  Start({});
  RegisterHeld("slow", AtMost(1));
  Accept();
  const auto lane = played_.Accept();
  EXPECT_EQ(lane->Receive(), "CAN_DO slow");
  EXPECT_EQ(lane->Receive(), "GRAB_JOB_ALL");
  lane->Send(Command::kJobAssignUniq, {"H:1", "slow", "u", ""});
  Settle();
  const uint64_t polls = worker_->stats().polls;
  EXPECT_THAT(lane->ReceiveFor(absl::Seconds(45)),
              ElementsAre("ECHO_REQ gearman_sdk heartbeat"));
  EXPECT_LE(worker_->stats().polls - polls, 10u);
  ASSERT_THAT(running_, SizeIs(1));
  End();
  EXPECT_EQ(lane->Receive(), "WORK_COMPLETE H:1|");
}

TEST_F(MaxRunningProtocolTest, HealthTellsOfTheConnectionOfATaskWithALimit) {
  Start({{"echo", Echo}});
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(worker_->health().state, HealthState::kReady);
  played_.StopListening();
  RegisterHeld("slow", AtMost(1));
  Settle();
  const Health health = worker_->health();
  EXPECT_EQ(health.state, HealthState::kDown);
  EXPECT_EQ(health.servers[0].state, ServerState::kFailing);
  EXPECT_EQ(health.servers[0].failures, 1);
  EXPECT_THAT(std::string(health.servers[0].last_error.message()),
              HasSubstr("jobs"));
}

}  // namespace
}  // namespace gearman
