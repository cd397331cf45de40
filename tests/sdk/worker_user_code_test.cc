// Tests of user code that is easily forgotten: exceptions of hooks and
// callbacks, destructors of handlers, and sends by other threads.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using WorkerUserCodeTest = WorkerTest;

// Calls the worker when the last handler that holds it goes.
class AsksWhenItGoes {
 public:
  AsksWhenItGoes(Worker* worker, std::vector<std::vector<std::string>>* log)
      : worker_(worker), log_(log) {}
  AsksWhenItGoes(const AsksWhenItGoes&) = delete;
  AsksWhenItGoes& operator=(const AsksWhenItGoes&) = delete;
  ~AsksWhenItGoes() { log_->push_back(worker_->tasks()); }

 private:
  Worker* const worker_;
  std::vector<std::vector<std::string>>* const log_;
};

// The token of an answered job does not fire when the worker ends.
TEST_F(WorkerUserCodeTest, AHandlerMayWaitWhenItsJobAndItsWorkerHaveEnded) {
  absl::Duration waited;
  StartAsyncAndGrab("later", [this, &waited](PendingJob job) {
    const StopToken token = job.stop_token();
    job.Finish("done");
    worker_->Stop();
    const absl::Time begin = now();
    EXPECT_FALSE(token.WaitFor(absl::Seconds(5)));
    waited = now() - begin;
  });
  Give("H:1", "later", "");
  stack_.simulation.RunFor(absl::Seconds(10));
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(waited, absl::Seconds(5));
}

TEST_F(WorkerUserCodeTest, AHandlersDestructorMayCallTheWorker) {
  std::vector<std::vector<std::string>> log;
  Start({});
  stack_.simulation.Stop("worker");
  const auto keeping = [&log, this] {
    return [held = std::make_shared<AsksWhenItGoes>(worker_, &log)](
               JobContext& context) { return Echo(context); };
  };
  // Replaced, and taken back, before Run has seen it.
  ASSERT_TRUE(worker_->Register("a", keeping()).ok());
  ASSERT_TRUE(worker_->Register("a", keeping()).ok());
  EXPECT_THAT(log, ElementsAre(ElementsAre("a")));
  ASSERT_TRUE(worker_->Unregister("a").ok());
  EXPECT_THAT(log, ElementsAre(ElementsAre("a"), IsEmpty()));
  // A task may also be taken back after Run has seen it, while no server is
  // there that was offered it.
  ASSERT_TRUE(worker_->Register("b", keeping()).ok());
  ASSERT_TRUE(worker_->RemoveServer("inproc://jobs").ok());
  worker_->RunOnce(absl::InfinitePast());
  ASSERT_TRUE(worker_->Unregister("b").ok());
  EXPECT_EQ(log.size(), 2u);
  worker_->RunOnce(absl::InfinitePast());
  worker_->RunOnce(absl::InfinitePast());
  EXPECT_EQ(log.size(), 3u);
}

TEST_F(WorkerUserCodeTest, WhatACallbackOfTheTokenThrowsStopsNobody) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  std::vector<std::string> log;
  StartAndGrab(
      "slow",
      [&log](JobContext& context) -> absl::StatusOr<std::string> {
        if (context.job().data() == "next") return "done";
        const StopToken token = context.stop_token();
        token.OnStop([] { throw std::runtime_error("in vain"); });
        token.OnStop([&log] { log.push_back("the other one"); });
        token.WaitFor(absl::Hours(1));
        token.OnStop([] { throw std::runtime_error("at once"); });
        log.push_back("returns");
        return "late";
      },
      limit);
  Give("H:1", "slow", "");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_THAT(log, ElementsAre("the other one", "returns"));
  Give("H:2", "slow", "next");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|done");
}

TEST_F(WorkerUserCodeTest, WhatAHookThrowsIsLoggedAndStopsNobody) {
  std::vector<std::string> log;
  options_.logger = Logger(
      LogLevel::kWarning,
      [&log](LogLevel, absl::string_view line) { log.emplace_back(line); });
  options_.after_job = [](const JobReport& report) -> Proceed {
    throw std::runtime_error(absl::StrCat("after ", report.job.handle()));
  };
  bool poll_throws = true;
  options_.after_poll = [&poll_throws](bool /*any_activity*/) -> Proceed {
    if (std::exchange(poll_throws, false)) throw 17;
    return Proceed::kContinue;
  };
  StartAndGrab("echo", Echo);
  for (const char* const handle : {"H:1", "H:2"}) {
    Give(handle, "echo", "x");
    EXPECT_EQ(server_->Receive(), absl::StrCat("WORK_COMPLETE ", handle, "|x"));
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
  EXPECT_THAT(log, ElementsAre("after_poll has thrown: unknown exception",
                               "after_job has thrown: after H:1",
                               "after_job has thrown: after H:2"));
}

TEST_F(WorkerUserCodeTest, UpdatesOfAHandlersOwnThreadsGoBeforeItsAnswer) {
  StartAndGrab("split", [](JobContext& context) -> absl::StatusOr<std::string> {
    absl::Status status;
    std::thread other([&] { status = context.SendData("part"); });
    other.join();
    EXPECT_TRUE(status.ok()) << status;
    return "whole";
  });
  for (const char* const handle : {"H:1", "H:2"}) {
    Give(handle, "split", "");
    EXPECT_EQ(server_->Receive(), absl::StrCat("WORK_DATA ", handle, "|part"));
    EXPECT_EQ(server_->Receive(),
              absl::StrCat("WORK_COMPLETE ", handle, "|whole"));
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
}

TEST_F(WorkerUserCodeTest, AnAnswerStandsThoughItsHandlerThrowsThen) {
  StartAsyncAndGrab("later", [](PendingJob job) {
    job.Finish(std::string("done"));
    throw std::runtime_error("too late");
  });
  Give("H:1", "later", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|done");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(worker_->stats().jobs_complete, 1u);
}

TEST_F(WorkerUserCodeTest, AnAnswerGivenInTimeIsNotLateForABusyWorker) {
  TaskOptions limit;
  limit.time_limit = absl::Seconds(5);
  PendingJob pending;
  const std::shared_ptr<Poller> busy = stack_.simulation.MakePoller("busy");
  Start({{"busy",
          [&](JobContext&) -> absl::StatusOr<std::string> {
            // Answered here and now, and seen when this handler has returned.
            pending.Finish(std::string("in time"));
            std::vector<Poller::Key> ready;
            busy->Wait(now() + absl::Seconds(10), &ready);
            return "late";
          }}},
        limit);
  ASSERT_TRUE(worker_
                  ->RegisterAsync(
                      "later",
                      [&pending](PendingJob job) { pending = std::move(job); },
                      limit)
                  .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO busy");
  EXPECT_EQ(server_->Receive(), "CAN_DO later");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "later", "");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "busy", "");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|in time");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:2");
}

TEST_F(WorkerUserCodeTest, AnswersGivenBeforeTheEndLeaveBeforeIt) {
  for (const bool stop : {false, true}) {
    PendingJob pending;
    StartAsyncAndGrab("later",
                      [&pending](PendingJob job) { pending = std::move(job); });
    Give("H:1", "later", "");
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    // A program that seldom calls its worker.
    stack_.simulation.Stop("worker");
    worker_->Drain(absl::Seconds(2));
    pending.Finish(std::string("in time"));
    stack_.simulation.RunFor(absl::Seconds(3));
    if (stop) worker_->Stop();
    worker_->RunOnce(absl::InfinitePast());
    EXPECT_TRUE(worker_->stopped());
    EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|in time");
    EXPECT_EQ(server_->Receive(), "closed");
    EXPECT_EQ(worker_->stats().jobs_given_back, 0u);
    // There was no time for the server to show that it took the answer.
    EXPECT_EQ(worker_->Run().code(), stop
                                         ? absl::StatusCode::kOk
                                         : absl::StatusCode::kDeadlineExceeded);
    stack_.KillWorker("worker");
    options_.poller = stack_.simulation.MakePoller("worker");
  }
}

// Counts what it is given.
class CountingSink final : public MetricsSink {
 public:
  void Export(const MetricsSnapshot& /*snapshot*/) override { ++exports; }
  absl::Duration interval() const override { return absl::Seconds(1); }
  absl::string_view name() const override { return "counting"; }

  int exports = 0;
};

TEST_F(WorkerUserCodeTest, MetricsAreExportedWhileAHandlerWaits) {
  const auto sink = std::make_shared<CountingSink>();
  options_.metrics_sinks = {sink};
  options_.heartbeat_interval = absl::InfiniteDuration();
  StartAndGrab("slow", [](JobContext& context) {
    context.stop_token().WaitFor(absl::Minutes(1));
    return Echo(context);
  });
  const int before = sink->exports;
  const uint64_t polls_before = worker_->stats().polls;
  Give("H:1", "slow", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_GE(sink->exports - before, 59);
  EXPECT_LE(worker_->stats().polls - polls_before, 200u);
}

TEST_F(WorkerUserCodeTest, ALossIsCountedOnceWhateverElseIsOverdue) {
  StartAndGrab("echo", Echo);
  // A program that seldom calls its worker: the server has gone, and is too
  // late with its answer, too.
  stack_.simulation.Stop("worker");
  server_->Close();
  stack_.simulation.RunFor(options_.reply_timeout + absl::Seconds(1));
  worker_->RunOnce(absl::InfinitePast());
  EXPECT_EQ(worker_->stats().connections_lost, 1u);
  EXPECT_EQ(worker_->health().servers[0].failures, 1);
}

TEST_F(WorkerUserCodeTest, ACallbackMaySendForAnotherJobOfALostConnection) {
  PendingJob pending;
  JobContext* running = nullptr;
  absl::Status sent;
  StartAsyncAndGrab("later", [&](PendingJob job) {
    pending = std::move(job);
    pending.stop_token().OnStop(
        [&] { sent = running->SendData("last words"); });
  });
  ASSERT_TRUE(worker_
                  ->Register("slow",
                             [&](JobContext& context) {
                               running = &context;
                               context.stop_token().WaitFor(absl::Hours(1));
                               return Echo(context);
                             })
                  .ok());
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  Give("H:1", "later", "");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "slow", "");
  Settle();
  ASSERT_NE(running, nullptr);
  server_->Close();
  Settle();
  EXPECT_EQ(sent.code(), absl::StatusCode::kCancelled) << sent;
  EXPECT_EQ(worker_->stats().jobs_lost, 2u);
}

TEST_F(WorkerUserCodeTest, StatusesThatNobodyTakesHaveALimit) {
  options_.limits.max_output_bytes = 1 << 16;
  PendingJob pending;
  StartAsyncAndGrab("later",
                    [&pending](PendingJob job) { pending = std::move(job); });
  Give("H:1", "later", "");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  stack_.simulation.Stop("worker");
  absl::Status status;
  int sent = 0;
  while (status.ok() && sent < (1 << 16)) {
    status = pending.SendStatus(++sent, 1 << 16);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  worker_->RunOnce(absl::InfinitePast());
  EXPECT_TRUE(pending.SendStatus(1, 1).ok());
}

}  // namespace
}  // namespace gearman
