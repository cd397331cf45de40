// Tests of a worker's answers: exactly one for each job, whatever its handler
// does.
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using WorkerAnswerTest = WorkerTest;

TEST_F(WorkerAnswerTest, AResultIsWorkComplete) {
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "hello");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|hello");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(worker_->stats().jobs_complete, 1u);
}

TEST_F(WorkerAnswerTest, AnEmptyResultIsAResult) {
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|");
}

// With concurrency 1 the handler runs on the thread that counts.
TEST_F(WorkerAnswerTest, TheNumbersAreRightWhileItsHandlerRuns) {
  WorkerStats stats;
  StartAndGrab("echo",
               [this, &stats](JobContext&) -> absl::StatusOr<std::string> {
                 stats = worker_->stats();
                 return "";
               });
  Give("H:1", "echo", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|");
  EXPECT_EQ(stats.jobs_running, 1u);
  EXPECT_EQ(stats.grabs_outstanding, 0u);
  EXPECT_EQ(worker_->stats().jobs_running, 0u);
}

TEST_F(WorkerAnswerTest, AFailureIsWorkFail) {
  StartAndGrab("fail", [](JobContext&) -> absl::StatusOr<std::string> {
    return JobFailed("for the log only");
  });
  Give("H:1", "fail", "");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(worker_->stats().jobs_failed, 1u);
}

TEST_F(WorkerAnswerTest, AnExceptionIsItsVeryBytes) {
  StartAndGrab("except", [](JobContext&) -> absl::StatusOr<std::string> {
    return JobException("what went wrong");
  });
  Give("H:1", "except", "");
  EXPECT_EQ(ReceiveFailure(), FailureOf("H:1", "what went wrong"));
  EXPECT_EQ(worker_->stats().jobs_exception, 1u);
}

TEST_F(WorkerAnswerTest, AnErrorStatusIsAnExceptionWithItsText) {
  StartAndGrab("find", [](JobContext&) -> absl::StatusOr<std::string> {
    return absl::NotFoundError("no image 17");
  });
  Give("H:1", "find", "");
  EXPECT_EQ(ReceiveFailure(), FailureOf("H:1", "NOT_FOUND: no image 17"));
}

// Trap 37.
TEST_F(WorkerAnswerTest, AHandlerThatThrowsSendsOneAnswer) {
  StartAndGrab("throw", [](JobContext& context) -> absl::StatusOr<std::string> {
    if (context.job().data() == "odd") throw 17;  // NOLINT
    throw std::runtime_error("no such image");
  });
  Give("H:1", "throw", "");
  EXPECT_EQ(ReceiveFailure(), FailureOf("H:1", "no such image"));
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "throw", "odd");
  EXPECT_EQ(ReceiveFailure(), FailureOf("H:2", "unknown exception"));
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(WorkerAnswerTest, AnExceptionIsAFailureWhereExceptionsAreOff) {
  options_.exceptions = false;
  StartAndGrab("throw", [](JobContext&) -> absl::StatusOr<std::string> {
    throw std::runtime_error("no such image");
  });
  Give("H:1", "throw", "");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
}

TEST_F(WorkerAnswerTest, AnExceptionIsAWorkExceptionWhereClientsAskForIt) {
  options_.native_exceptions = true;
  StartAndGrab("throw", [](JobContext&) -> absl::StatusOr<std::string> {
    throw std::runtime_error("no such image");
  });
  Give("H:1", "throw", "");
  EXPECT_EQ(server_->Receive(), "WORK_EXCEPTION H:1|no such image");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(WorkerAnswerTest, UpdatesGoBeforeTheAnswerInTheirOrder) {
  StartAndGrab("render",
               [](JobContext& context) -> absl::StatusOr<std::string> {
                 EXPECT_TRUE(context.SendStatus(1, 3).ok());
                 EXPECT_TRUE(context.SendData("part").ok());
                 EXPECT_TRUE(context.SendWarning("careful").ok());
                 EXPECT_TRUE(context.SendStatus(-1, 0).ok());
                 return "done";
               });
  Give("H:1", "render", "");
  EXPECT_EQ(server_->Receive(), "WORK_STATUS H:1|1|3");
  EXPECT_EQ(server_->Receive(), "WORK_DATA H:1|part");
  EXPECT_EQ(server_->Receive(), "WORK_WARNING H:1|careful");
  EXPECT_EQ(server_->Receive(), "WORK_STATUS H:1|-1|0");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|done");
  EXPECT_EQ(worker_->stats().updates_sent, 4u);
}

TEST_F(WorkerAnswerTest, ThereIsOneAnswerForAPendingJob) {
  PendingJob pending;
  worker_ = &stack_.StartWorker("worker", options_);
  ASSERT_TRUE(
      worker_
          ->RegisterAsync(
              "later", [&pending](PendingJob job) { pending = std::move(job); })
          .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO later");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "later", "data");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  ASSERT_FALSE(pending.finished());
  EXPECT_EQ(pending.job().data(), "data");
  EXPECT_TRUE(pending.SendData("part").ok());
  pending.Finish(std::string("result"));
  EXPECT_TRUE(pending.finished());
  pending.Finish(std::string("a second result"));
  EXPECT_FALSE(pending.SendData("too late").ok());
  EXPECT_EQ(server_->Receive(), "WORK_DATA H:1|part");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|result");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
}

TEST_F(WorkerAnswerTest, WhatItsTimeLimitHasAnsweredIsPendingNoMore) {
  std::vector<PendingJob> kept;
  options_.limits.max_pending_jobs = 1;
  worker_ = &stack_.StartWorker("worker", options_);
  TaskOptions task;
  task.time_limit = absl::Seconds(1);
  ASSERT_TRUE(
      worker_
          ->RegisterAsync(
              "slow",
              [&kept](PendingJob job) { kept.push_back(std::move(job)); }, task)
          .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "slow", "");
  const absl::Time given = now();
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(now() - given, task.time_limit);
  EXPECT_EQ(worker_->stats().jobs_running, 0u);
  // The end of the PendingJob itself changes nothing.
  kept.clear();
  Give("H:2", "slow", "");
  EXPECT_THAT(server_->ReceiveFor(absl::Milliseconds(500)), IsEmpty());
  EXPECT_EQ(worker_->stats().jobs_running, 1u);
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:2");
}

TEST_F(WorkerAnswerTest, AHandleIsShownAsSafeText) {
  const std::string handle = "H:\x1b[2J\n1";
  PendingJob pending;
  StartAsyncAndGrab("later",
                    [&pending](PendingJob job) { pending = std::move(job); });
  Give(handle, "later", "");
  Settle();
  pending.Finish("done");
  Settle();
  // The server does not show that it has taken the answer.
  worker_->Drain(absl::Seconds(1));
  stack_.simulation.RunFor(absl::Seconds(2));
  ASSERT_TRUE(worker_->stopped());
  const std::string ended(worker_->Run().message());
  EXPECT_TRUE(IsSafeLine(ended)) << ended;
  EXPECT_THAT(ended, HasSubstr("answer of job H:\\x1b[2J\\x0a1"));
}

TEST_F(WorkerAnswerTest, AHandleOfAJobThatHasEndedIsShownAsSafeText) {
  const std::string handle = "H:\x1b[2J\n1";
  PendingJob pending;
  StartAsyncAndGrab("later",
                    [&pending](PendingJob job) { pending = std::move(job); });
  Give(handle, "later", "");
  Settle();
  worker_->Stop();
  Settle();
  const std::string refused(pending.SendStatus(1, 2).message());
  EXPECT_TRUE(IsSafeLine(refused)) << refused;
  EXPECT_THAT(refused, HasSubstr("job H:\\x1b[2J\\x0a1"));
}

TEST_F(WorkerAnswerTest, ATimeLimitTooLongForServersIsNotAnnounced) {
  Start({});
  TaskOptions task;
  task.announce_time_limit = true;
  for (const absl::Duration limit :
       {absl::Hours(24 * 25), absl::Seconds(1e18)}) {
    task.time_limit = limit;
    EXPECT_EQ(worker_->Register("slow", Echo, task).code(),
              absl::StatusCode::kInvalidArgument);
  }
  task.time_limit = absl::Hours(24 * 24);
  ASSERT_TRUE(worker_->Register("slow", Echo, task).ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO_TIMEOUT slow|2073601000");
}

TEST_F(WorkerAnswerTest, APendingJobThatIsForgottenFails) {
  std::vector<PendingJob> kept;
  worker_ = &stack_.StartWorker("worker", options_);
  ASSERT_TRUE(worker_
                  ->RegisterAsync("forget",
                                  [&kept](PendingJob job) {
                                    if (job.job().data() == "at once") return;
                                    kept.push_back(std::move(job));
                                  })
                  .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO forget");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "forget", "at once");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "forget", "later");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  kept.clear();
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:2");
  EXPECT_EQ(worker_->stats().jobs_forgotten, 2u);
  EXPECT_EQ(worker_->stats().jobs_failed, 2u);
}

TEST_F(WorkerAnswerTest, AnAsyncHandlerThatThrowsSendsOneAnswer) {
  worker_ = &stack_.StartWorker("worker", options_);
  ASSERT_TRUE(worker_
                  ->RegisterAsync("throw",
                                  [](const PendingJob&) {
                                    throw std::runtime_error("not today");
                                  })
                  .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO throw");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "throw", "");
  EXPECT_EQ(ReceiveFailure(), FailureOf("H:1", "not today"));
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

// --- time limits

// A handler that works until it is told to stop, and then says so.
absl::StatusOr<std::string> Obedient(JobContext& context) {
  while (!context.stop_token().WaitFor(absl::Seconds(1))) {
  }
  return std::string(StopReasonName(context.stop_token().reason()));
}

// Trap 36.
TEST_F(WorkerAnswerTest, NothingIsSentAfterTheAnswer) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  absl::Status update;
  StartAndGrab(
      "slow",
      [&update](JobContext& context) -> absl::StatusOr<std::string> {
        auto result = Obedient(context);
        update = context.SendData("too late");
        return result;
      },
      limit);
  const absl::Time begin = now();
  Give("H:1", "slow", "");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(now() - begin, absl::Seconds(5));
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
  EXPECT_EQ(update.code(), absl::StatusCode::kCancelled) << update;
  EXPECT_EQ(worker_->stats().jobs_timed_out, 1u);
  EXPECT_EQ(worker_->stats().late_results, 1u);
}

TEST_F(WorkerAnswerTest, ATimeLimitMayBeAnExceptionThatNamesIt) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  limit.when_late = WhenLate::kException;
  StartAndGrab("slow", Obedient, limit);
  Give("H:1", "slow", "");
  EXPECT_EQ(
      ReceiveFailure(),
      FailureOf("H:1", "not done within 5s, the time limit of task \"slow\""));
}

TEST_F(WorkerAnswerTest, ATimeLimitMayWaitForTheHandlersOwnAnswer) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  limit.when_late = WhenLate::kWait;
  StartAndGrab("slow", Obedient, limit);
  Give("H:1", "slow", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|time limit");
}

// Trap 40.
TEST_F(WorkerAnswerTest, ATimeLimitIsTheWorkersOwnUnlessItIsAnnounced) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  Start({{"slow", Echo}}, limit);
  limit.announce_time_limit = true;
  ASSERT_TRUE(worker_->Register("announced", Echo, limit).ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  // A second more, so that our own answer comes first.
  EXPECT_EQ(server_->Receive(), "CAN_DO_TIMEOUT announced|6000");
}

// Trap 41.
TEST_F(WorkerAnswerTest, PreSleepFollowsEachJobThatAServerTimes) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  limit.announce_time_limit = true;
  StartAndGrab("timed", Echo, limit);
  Give("H:1", "timed", "1");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|1");
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  server_->Send(Command::kNoop, {});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(WorkerAnswerTest, ACallbackOfTheTokenRunsWhenItFires) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  std::vector<std::string> log;
  StartAndGrab(
      "slow",
      [&log](JobContext& context) -> absl::StatusOr<std::string> {
        context.stop_token().OnStop([&log] { log.push_back("fired"); });
        log.push_back("waiting");
        context.stop_token().WaitFor(absl::Hours(1));
        context.stop_token().OnStop([&log] { log.push_back("at once"); });
        return "";
      },
      limit);
  Give("H:1", "slow", "");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  Settle();
  EXPECT_THAT(log, ElementsAre("waiting", "fired", "at once"));
}

// Trap 35.
TEST_F(WorkerAnswerTest, AnAnswerThatTheServerRefusesDoesNotStopTheWorker) {
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "late");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|late");
  server_->Send(Command::kError, {"JOB_NOT_FOUND", "Job does not exist"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "echo", "next");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|next");
  EXPECT_EQ(worker_->stats().answers_refused, 1u);
}

TEST_F(WorkerAnswerTest, TheHookAfterAJobIsToldHowItEnded) {
  std::vector<std::string> reports;
  options_.after_job = [&reports](const JobReport& report) {
    reports.push_back(absl::StrCat(report.job.handle(), " ",
                                   static_cast<int>(report.outcome), " ",
                                   report.status.message()));
    return reports.size() == 2 ? Proceed::kDrain : Proceed::kContinue;
  };
  StartAndGrab("echo", [](JobContext& context) -> absl::StatusOr<std::string> {
    if (context.job().data() == "bad") return JobFailed("bad");
    return "good";
  });
  Give("H:1", "echo", "good");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|good");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "echo", "bad");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:2");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk receipt");
  server_->Send(Command::kEchoRes, {"gearman_sdk receipt"});
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_TRUE(worker_->stopped());
  EXPECT_THAT(reports, ElementsAre("H:1 0 ", "H:2 1 bad"));
}

TEST_F(WorkerAnswerTest, ASlowHookAfterAJobTakesNoTimeFromTheNextOne) {
  options_.prefetch = PrefetchOptions();
  const std::shared_ptr<Poller> hook = stack_.simulation.MakePoller("hook");
  options_.after_job = [&](const JobReport& report) {
    if (report.job.data() == "slow hook") {
      std::vector<Poller::Key> ready;
      hook->Wait(now() + absl::Seconds(10), &ready);
    }
    return Proceed::kContinue;
  };
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  StartAndGrab("echo", Echo, limit);
  // Until it asks for several jobs at once.
  int grabs = 1;
  for (int i = 0; grabs == 1 && i < 100; ++i) {
    Give("H:0", "echo", "x");
    --grabs;
    for (const std::string& packet :
         server_->ReceiveFor(absl::ZeroDuration())) {
      if (packet == "GRAB_JOB_ALL") ++grabs;
    }
  }
  ASSERT_GT(grabs, 1);
  Give("H:1", "echo", "slow hook");
  Give("H:2", "echo", "next");
  std::vector<std::string> answers;
  while (answers.size() < 2) {
    std::string packet = server_->Receive();
    if (packet != "GRAB_JOB_ALL") answers.push_back(std::move(packet));
  }
  EXPECT_THAT(answers, ElementsAre("WORK_COMPLETE H:1|slow hook",
                                   "WORK_COMPLETE H:2|next"));
}

}  // namespace
}  // namespace gearman
