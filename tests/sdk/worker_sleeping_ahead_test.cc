// Tests of the packets of a worker that goes to sleep with, or instead of, the
// grab that will find nothing
// (docs/decisions/2026-11-25-a-worker-goes-to-sleep-ahead.md).
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class SleepingAheadTest : public WorkerTest {
 protected:
  // Wakes a sleeping worker and gives it a job.
  void WakeForAJob(const std::string& handle) {
    server_->Send(Command::kNoop, {});
    ASSERT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    Give(handle, "echo", "x");
    ASSERT_EQ(server_->Receive(), absl::StrCat("WORK_COMPLETE ", handle, "|x"));
  }
};

TEST_F(SleepingAheadTest, PreSleepLeavesWithTheGrabThatWillFindNothing) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  WakeForAJob("H:1");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
              ElementsAre("GRAB_JOB_ALL", "PRE_SLEEP"));
  server_->Send(Command::kNoJob, {});
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
  // The worker sleeps: a NOOP wakes it.
  WakeForAJob("H:2");
}

TEST_F(SleepingAheadTest, PreSleepTakesThePlaceOfSuchGrabsForAWhile) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  for (int round = 0; round < 3; ++round) {
    WakeForAJob("H:1");
    EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
                ElementsAre("GRAB_JOB_ALL", "PRE_SLEEP"));
    server_->Send(Command::kNoJob, {});
    for (int i = 0; i < 7; ++i) {
      WakeForAJob("H:2");
      EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
                  ElementsAre("PRE_SLEEP"));
    }
  }
}

TEST_F(SleepingAheadTest, AJobThatPreSleepDidNotExpectEndsSleepingAhead) {
  options_.prefetch = PrefetchOptions();
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  WakeForAJob("H:1");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
              ElementsAre("GRAB_JOB_ALL", "PRE_SLEEP"));
  Give("H:2", "echo", "x");
  // More work waits, which the grab behind the job is for.
  server_->Send(Command::kNoop, {});
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|x");
  const std::vector<std::string> grabs = server_->ReceiveFor(absl::Seconds(1));
  EXPECT_THAT(grabs, Each("GRAB_JOB_ALL"));
  EXPECT_THAT(grabs, Not(IsEmpty()));
}

TEST_F(SleepingAheadTest, ATaskOfferedWhileItFallsAsleepIsGrabbedAtOnce) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  WakeForAJob("H:1");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
              ElementsAre("GRAB_JOB_ALL", "PRE_SLEEP"));
  ASSERT_TRUE(worker_->Register("other", Echo).ok());
  EXPECT_EQ(server_->Receive(), "CAN_DO other");
  const absl::Time before = now();
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(now(), before);
}

TEST_F(SleepingAheadTest, AWorkerWithSlowJobsIsNeverTakenForASleeper) {
  StartAndGrab("echo", [](JobContext& context) {
    context.stop_token().WaitFor(absl::Milliseconds(20));
    return Echo(context);
  });
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  for (int i = 0; i < 5; ++i) {
    WakeForAJob("H:1");
    EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
                ElementsAre("GRAB_JOB_ALL"));
    server_->Send(Command::kNoJob, {});
    EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  }
}

// A server wakes a sleeper instead of another worker.
TEST_F(SleepingAheadTest, AWorkerWhoseHandlerIsStillBusyIsNotTakenForASleeper) {
  const std::shared_ptr<Poller> busy = stack_.simulation.MakePoller("busy");
  TaskOptions limit;
  limit.time_limit = absl::Seconds(1);
  StartAndGrab(
      "echo",
      [this, &busy](JobContext& context) {
        if (context.job().data() == "late") {
          context.stop_token().WaitFor(absl::Minutes(1));
          std::vector<Poller::Key> ready;
          busy->Wait(now() + absl::Seconds(10), &ready);
        }
        return Echo(context);
      },
      limit);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  WakeForAJob("H:1");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
              ElementsAre("GRAB_JOB_ALL", "PRE_SLEEP"));
  server_->Send(Command::kNoJob, {});
  WakeForAJob("H:2");
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  server_->Send(Command::kNoop, {});
  ASSERT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:3", "echo", "late");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:3");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(SleepingAheadTest, AWorkerThatMayHoldNoJobMoreIsNotTakenForASleeper) {
  options_.limits.max_pending_jobs = 1;
  worker_ = &stack_.StartWorker("worker", options_);
  PendingJob pending;
  ASSERT_TRUE(
      worker_
          ->RegisterAsync(
              "echo", [&pending](PendingJob job) { pending = std::move(job); })
          .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  server_->Send(Command::kNoop, {});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  for (const char* handle : {"H:1", "H:2"}) {
    Give(handle, "echo", "x");
    Settle();
    pending.Finish(std::string("y"));
    EXPECT_THAT(server_->ReceiveFor(absl::ZeroDuration()),
                ElementsAre(absl::StrCat("WORK_COMPLETE ", handle, "|y"),
                            "GRAB_JOB_ALL"));
  }
}

}  // namespace
}  // namespace gearman
