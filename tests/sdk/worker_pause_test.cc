// Tests of Worker::Pause and Worker::Resume, on a virtual clock.
// tests/sdk/worker_limits_threads_test.cc has handlers on threads, and
// tests/integration/worker_limits_gearmand_test.cc a real server.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
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

class WorkerPauseTest : public WorkerLimitsTest {
 protected:
  void Pause(const std::string& task) {
    const absl::Status status = worker_->Pause(task);
    EXPECT_TRUE(status.ok()) << status;
  }
  void Resume(const std::string& task) {
    const absl::Status status = worker_->Resume(task);
    EXPECT_TRUE(status.ok()) << status;
    Settle();
  }
  // A further worker, which does this task at once.
  Worker& StartOther(const std::string& task) {
    Worker& other = stack_.StartWorker("other", {"inproc://jobs"});
    RegisterQuick(other, task);
    Settle();
    return other;
  }
};

TEST_F(WorkerPauseTest, AnotherWorkerGetsTheJobsOfAPausedTask) {
  RegisterQuick(*worker_, "echo");
  Settle();
  Pause("echo");
  EXPECT_THAT(worker_->paused_tasks(), ElementsAre("echo"));
  Submit("echo", 10);
  Pass(absl::Minutes(10));
  EXPECT_THAT(done_, IsEmpty());
  EXPECT_EQ(worker_->stats().jobs_assigned, 0u);
  const Worker& other = StartOther("echo");
  EXPECT_EQ(other.stats().jobs_complete, 10u);
  stack_.KillWorker("other");
  Submit("echo", 10);
  Pass(absl::Minutes(10));
  Resume("echo");
  EXPECT_THAT(worker_->paused_tasks(), IsEmpty());
  EXPECT_EQ(complete(), 10u);
}

TEST_F(WorkerPauseTest, ATaskMayBePausedBeforeTheWorkerRuns) {
  WorkerOptions options = stack_.WorkerDefaults("late", {"inproc://jobs"});
  worker_ = &stack_.StartWorker("late", std::move(options));
  RegisterQuick(*worker_, "echo");
  RegisterQuick(*worker_, "limited", AtMost(1));
  Pause("echo");
  Pause("limited");
  Submit("echo", 3);
  Submit("limited", 3);
  Pass(absl::Minutes(1));
  EXPECT_EQ(worker_->stats().jobs_assigned, 0u);
  Resume("echo");
  EXPECT_THAT(done_, SizeIs(3));
  Resume("limited");
  EXPECT_THAT(done_, SizeIs(6));
}

TEST_F(WorkerPauseTest, OtherTasksGoOnBesideTheRunningJobsOfAPausedOne) {
  RegisterHeld("slow");
  RegisterQuick(*worker_, "other");
  Submit("slow", 2);
  Settle();
  ASSERT_THAT(running_, SizeIs(2));
  Pause("slow");
  Submit("slow", 10);
  Submit("other", 100);
  Settle();
  EXPECT_THAT(done_, SizeIs(100));
  EXPECT_THAT(running_, SizeIs(2));
  EXPECT_EQ(worker_->stats().jobs_assigned, 102u);
  // The running jobs are answered where they came from.
  End();
  EXPECT_FALSE(running_.front().stop_token().stop_requested());
  End();
  EXPECT_EQ(complete(), 102u);
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
  EXPECT_EQ(worker_->stats().jobs_lost, 0u);
  EXPECT_EQ(worker_->stats().servers_connected, 1u);
  Resume("slow");
  EXPECT_THAT(running_, SizeIs(10));
}

// The jobs were received many at a time, and stand in line behind the handler
// that pauses the task.
TEST_F(WorkerPauseTest, JobsThatWereReceivedWaitAndBeginInTheirOrder) {
  RegisterQuick(*worker_, "other");
  std::vector<std::string> begun;
  ASSERT_TRUE(
      worker_
          ->Register("echo",
                     [&](JobContext& context) -> absl::StatusOr<std::string> {
                       begun.emplace_back(context.job().data());
                       if (begun.size() == 200) Pause("echo");
                       return "";
                     })
          .ok());
  Submit("echo", 1000);
  Settle();
  EXPECT_THAT(begun, SizeIs(200));
  const uint64_t held_back = worker_->stats().jobs_held_back;
  EXPECT_GT(held_back, 10u);
  EXPECT_EQ(worker_->stats().jobs_waiting, held_back);
  EXPECT_EQ(worker_->stats().jobs_assigned, 200 + held_back);
  // The jobs wait for as long as the task is paused, without any work.
  Submit("other", 10);
  const uint64_t polls = worker_->stats().polls;
  Pass(absl::Hours(1));
  EXPECT_THAT(done_, SizeIs(10));
  EXPECT_LT(worker_->stats().polls - polls, 2000u);
  EXPECT_THAT(begun, SizeIs(200));
  Resume("echo");
  ASSERT_THAT(begun, SizeIs(1000));
  for (int i = 0; i < 200 + static_cast<int>(held_back); ++i) {
    EXPECT_EQ(begun[static_cast<size_t>(i)], absl::StrCat(i));
  }
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
}

TEST_F(WorkerPauseTest, ALimitHoldsForTheJobsThatWaited) {
  RegisterHeld("slow", AtMost(2));
  Submit("slow", 5);
  Settle();
  Pause("slow");
  End();
  End();
  Pass(absl::Minutes(1));
  EXPECT_THAT(running_, IsEmpty());
  EXPECT_EQ(worker_->stats().jobs_assigned, 2u);
  Resume("slow");
  EXPECT_THAT(running_, SizeIs(2));
  for (int i = 0; i < 3; ++i) End();
  EXPECT_EQ(complete(), 5u);
  EXPECT_EQ(worker_->stats().answers_refused, 0u);
}

TEST_F(WorkerPauseTest, ATaskThatIsRegisteredAgainIsStillPaused) {
  RegisterQuick(*worker_, "echo");
  Pause("echo");
  RegisterQuick(*worker_, "echo", AtMost(3));
  EXPECT_THAT(worker_->paused_tasks(), ElementsAre("echo"));
  Submit("echo", 3);
  Pass(absl::Minutes(1));
  EXPECT_THAT(done_, IsEmpty());
  ASSERT_TRUE(worker_->Unregister("echo").ok());
  EXPECT_THAT(worker_->paused_tasks(), IsEmpty());
  RegisterQuick(*worker_, "echo");
  Settle();
  EXPECT_THAT(done_, SizeIs(3));
}

TEST_F(WorkerPauseTest, AnUnregisteredTaskDoesTheJobsThatWaited) {
  RegisterHeld("slow");
  Submit("slow", 2);
  Settle();
  ASSERT_THAT(running_, SizeIs(2));
  std::vector<std::string> begun;
  ASSERT_TRUE(
      worker_
          ->Register("echo",
                     [&](JobContext& context) -> absl::StatusOr<std::string> {
                       begun.emplace_back(context.job().data());
                       if (begun.size() == 100) Pause("echo");
                       return "";
                     })
          .ok());
  Submit("echo", 400);
  Settle();
  const uint64_t held_back = worker_->stats().jobs_held_back;
  EXPECT_GT(held_back, 10u);
  ASSERT_TRUE(worker_->Unregister("echo").ok());
  Settle();
  EXPECT_THAT(begun, SizeIs(100 + held_back));
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
}

TEST_F(WorkerPauseTest, PausingIsIdempotentAndNamesAnUnknownTask) {
  RegisterQuick(*worker_, "echo");
  RegisterQuick(*worker_, "first");
  EXPECT_TRUE(worker_->Resume("echo").ok());
  Pause("first");
  Pause("echo");
  Pause("echo");
  EXPECT_THAT(worker_->paused_tasks(), ElementsAre("echo", "first"));
  Submit("echo", 1);
  Resume("echo");
  EXPECT_THAT(done_, SizeIs(1));
  for (const absl::Status& status :
       {worker_->Pause("none"), worker_->Resume("none")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("task \"none\" is not registered"));
  }
}

// --- the end -----------------------------------------------------------------

class PausedEndTest : public WorkerPauseTest {
 protected:
  // Pauses "echo" while many of its jobs wait in the worker and one of "slow"
  // runs.
  PausedEndTest() {
    RegisterHeld("slow");
    EXPECT_TRUE(
        worker_
            ->Register("echo",
                       [this](JobContext&) -> absl::StatusOr<std::string> {
                         if (++echoes_ == 100) Pause("echo");
                         return "";
                       })
            .ok());
    Submit("slow", 1);
    Settle();
    Submit("echo", 400);
    Settle();
    EXPECT_THAT(running_, SizeIs(1));
    EXPECT_EQ(echoes_, 100);
    held_back_ = worker_->stats().jobs_held_back;
    EXPECT_GT(held_back_, 10u);
  }

  int echoes_ = 0;
  uint64_t held_back_ = 0;
};

TEST_F(PausedEndTest, ADrainGivesBackTheJobsThatWait) {
  worker_->Drain();
  Pass(absl::Minutes(1));
  // The running job is not disturbed.
  EXPECT_FALSE(worker_->stopped());
  ASSERT_THAT(running_, SizeIs(1));
  EXPECT_FALSE(running_.front().stop_token().stop_requested());
  End();
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(echoes_, 100);
  EXPECT_EQ(complete(), 101u);
  EXPECT_EQ(worker_->stats().jobs_given_back, held_back_);
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
  const Worker& other = StartOther("echo");
  EXPECT_EQ(other.stats().jobs_complete, 300u);
}

TEST_F(PausedEndTest, ATaskThatIsResumedInADrainDoesTheJobsThatWait) {
  worker_->Drain();
  Pass(absl::Minutes(1));
  Resume("echo");
  EXPECT_EQ(static_cast<uint64_t>(echoes_), 100 + held_back_);
  EXPECT_FALSE(worker_->stopped());
  End();
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(worker_->stats().jobs_given_back, 0u);
}

TEST_F(PausedEndTest, AServerThatIsRemovedGetsTheJobsBack) {
  ASSERT_TRUE(worker_->RemoveServer("inproc://jobs").ok());
  Pass(absl::Minutes(1));
  EXPECT_EQ(worker_->stats().servers_connected, 1u);
  End();
  EXPECT_EQ(worker_->stats().servers_connected, 0u);
  EXPECT_EQ(complete(), 101u);
  const Worker& other = StartOther("echo");
  EXPECT_EQ(other.stats().jobs_complete, 300u);
}

TEST_F(PausedEndTest, StopEndsAtOnce) {
  worker_->Stop();
  Settle();
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(worker_->stats().jobs_given_back, held_back_ + 1);
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
}

TEST_F(PausedEndTest, ALostConnectionTakesTheJobsThatWait) {
  stack_.KillServer("jobs");
  Pass(absl::Seconds(1));
  EXPECT_EQ(worker_->stats().jobs_lost, held_back_ + 1);
  EXPECT_EQ(worker_->stats().jobs_held_back, 0u);
  stack_.StartServer("jobs");
  client_ = stack_.MakeClient("client 2", {"inproc://jobs"});
  Submit("echo", 5);
  Pass(absl::Minutes(5));
  EXPECT_EQ(worker_->stats().connects, 2u + 1u);
  EXPECT_EQ(echoes_, 100);
  Resume("echo");
  EXPECT_EQ(echoes_, 105);
}

// --- what passes over the wire -----------------------------------------------

using PauseProtocolTest = WorkerTest;

TEST_F(PauseProtocolTest, ASleepersTaskIsTakenBackAtOnce) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  ASSERT_TRUE(worker_->Pause("echo").ok());
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(20)),
              ElementsAre("CANT_DO echo"));
  ASSERT_TRUE(worker_->Resume("echo").ok());
  EXPECT_THAT(server_->ReceiveFor(absl::ZeroDuration()),
              ElementsAre("CAN_DO echo", "GRAB_JOB_ALL"));
}

TEST_F(PauseProtocolTest, AJobOnItsWayWaitsAndTheOthersHaveANewConnection) {
  StartAndGrab("echo", Echo);
  ASSERT_TRUE(worker_->Pause("echo").ok());
  Give("H:1", "echo", "x");
  // With no other task, the connection stays.
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(20)), IsEmpty());
  EXPECT_EQ(worker_->stats().jobs_held_back, 1u);
  ASSERT_TRUE(worker_->Register("other", Echo).ok());
  const auto next = played_.Accept();
  EXPECT_EQ(next->Receive(), "CAN_DO other");
  EXPECT_EQ(next->Receive(), "GRAB_JOB_ALL");
  EXPECT_THAT(server_->ReceiveFor(absl::ZeroDuration()),
              ElementsAre("CAN_DO other"));
  ASSERT_TRUE(worker_->Resume("echo").ok());
  EXPECT_THAT(
      server_->ReceiveFor(absl::ZeroDuration()),
      ElementsAre("WORK_COMPLETE H:1|x", "ECHO_REQ gearman_sdk receipt"));
  EXPECT_THAT(next->ReceiveFor(absl::ZeroDuration()),
              ElementsAre("CAN_DO echo"));
  server_->Send(Command::kEchoRes, {"gearman_sdk receipt"});
  EXPECT_EQ(server_->Receive(), "closed");
}

// Trap 32.
TEST_F(PauseProtocolTest, ATaskWithALimitIsTakenBackAfterTheAnswerOfItsJob) {
  TaskOptions options;
  options.max_running = 1;
  Start({{"slow",
          [this](JobContext& context) -> absl::StatusOr<std::string> {
            EXPECT_TRUE(worker_->Pause("slow").ok());
            context.stop_token().WaitFor(absl::Seconds(1));
            return "";
          }}},
        options);
  Accept();
  const auto lane = played_.Accept();
  EXPECT_EQ(lane->Receive(), "CAN_DO slow");
  EXPECT_EQ(lane->Receive(), "GRAB_JOB_ALL");
  lane->Send(Command::kJobAssignUniq, {"H:1", "slow", "u", ""});
  EXPECT_THAT(lane->ReceiveFor(absl::Seconds(20)),
              ElementsAre("WORK_COMPLETE H:1|", "CANT_DO slow"));
  ASSERT_TRUE(worker_->Resume("slow").ok());
  EXPECT_THAT(lane->ReceiveFor(absl::ZeroDuration()),
              ElementsAre("CAN_DO slow", "GRAB_JOB_ALL"));
}

}  // namespace
}  // namespace gearman
