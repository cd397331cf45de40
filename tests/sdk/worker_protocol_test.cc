// Tests of the packets between a worker and a server: tasks, grabs, sleep, the
// end.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using WorkerProtocolTest = WorkerTest;

// Trap 34.
TEST_F(WorkerProtocolTest, IdOptionsAndTasksComeBeforeTheFirstGrab) {
  options_.client_id = "worker-1";
  options_.server_options = {"exceptions"};
  options_.task_prefix = "staging/";
  Start({{"echo", Echo}, {"resize", Echo}});
  Accept();
  EXPECT_EQ(server_->Receive(), "SET_CLIENT_ID worker-1");
  EXPECT_EQ(server_->Receive(), "OPTION_REQ exceptions");
  EXPECT_EQ(server_->Receive(), "CAN_DO staging/echo");
  EXPECT_EQ(server_->Receive(), "CAN_DO staging/resize");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Send(Command::kOptionRes, {"exceptions"});
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  server_->Close();
  // A new connection begins with the same packets.
  Accept();
  EXPECT_EQ(server_->Receive(), "SET_CLIENT_ID worker-1");
  EXPECT_EQ(server_->Receive(), "OPTION_REQ exceptions");
  EXPECT_EQ(server_->Receive(), "CAN_DO staging/echo");
  EXPECT_EQ(server_->Receive(), "CAN_DO staging/resize");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(WorkerProtocolTest, ThePrefixIsTakenOffForTheHandler) {
  options_.task_prefix = "staging/";
  std::string task;
  StartAndGrab("echo", [&task](JobContext& context) {
    task = context.job().task();
    return Echo(context);
  });
  Give("H:1", "staging/echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(task, "echo");
}

TEST_F(WorkerProtocolTest, AHandlerSeesWhatTheServerSaidOfItsJob) {
  std::string seen;
  StartAndGrab("echo", [&seen](JobContext& context) {
    const Job& job = context.job();
    seen =
        absl::StrCat(job.connection(), " ", job.handle(), " ", job.task(), " ",
                     job.unique(), " ", job.data(), " ", context.reducer());
    return Echo(context);
  });
  server_->Send(Command::kJobAssignAll,
                {"H:1", "echo", "u-1", "merge", "data"});
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|data");
  EXPECT_EQ(seen, "inproc://jobs H:1 echo u-1 data merge");
}

TEST_F(WorkerProtocolTest, NoHandleAndNoTextWritesALineOfTheLog) {
  // The worker logs its end, too.
  const auto lines = std::make_shared<std::vector<std::string>>();
  options_.exceptions = false;  // the log has the texts of failures
  options_.logger = Logger(
      LogLevel::kDebug,
      [lines](LogLevel, absl::string_view line) { lines->emplace_back(line); });
  std::string text;
  StartAndGrab("fail", [&text](JobContext&) -> absl::StatusOr<std::string> {
    return absl::AbortedError(text);
  });
  for (const support::HostileName& name : support::HostileNames()) {
    SCOPED_TRACE(name.safe);
    text = name.name + "\n";
    const std::string handle = name.name.substr(0, 63);
    lines->clear();
    Give(handle, "fail", "");
    EXPECT_EQ(server_->Receive(), "WORK_FAIL " + handle);
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    for (const std::string& line : *lines)
      EXPECT_TRUE(IsSafeLine(line)) << line;
    EXPECT_THAT(
        *lines,
        Contains(absl::StrCat(
            "job ", SafeText(handle),
            " of task \"fail\" failed: ", "\"ABORTED: ",
            absl::StrReplaceAll(SafeMessage(text), {{"\"", "'"}}), "\"")));
  }
}

class WorkerFailureLogTest : public WorkerProtocolTest,
                             public ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(Exceptions, WorkerFailureLogTest, ::testing::Bool());

TEST_P(WorkerFailureLogTest, WarnsOfAFailureAndHasNoPayload) {
  options_.exceptions = GetParam();
  const auto lines = std::make_shared<std::vector<std::string>>();
  options_.logger = Logger(
      LogLevel::kWarning,
      [lines](LogLevel, absl::string_view line) { lines->emplace_back(line); });
  absl::Status failure;
  StartAndGrab("fail", [&failure](JobContext&) -> absl::StatusOr<std::string> {
    return failure;
  });
  const auto log_of = [&](absl::Status status) {
    failure = std::move(status);
    lines->clear();
    Give("H:1", "fail", "");
    while (server_->Receive() != "GRAB_JOB_ALL") {
    }
    return *lines;
  };
  EXPECT_THAT(log_of(absl::NotFoundError("no image 17")),
              ElementsAre("job H:1 of task \"fail\" failed: "
                          "\"NOT_FOUND: no image 17\""));
  // Quotes within the quotes would end them.
  EXPECT_THAT(log_of(absl::NotFoundError("no \"cat\"")),
              ElementsAre("job H:1 of task \"fail\" failed: "
                          "\"NOT_FOUND: no 'cat'\""));
  EXPECT_THAT(log_of(JobException("secret")),
              ElementsAre("job H:1 of task \"fail\" failed: "
                          "an exception of 6 bytes"));
  EXPECT_THAT(log_of(JobFailed("as it should")), IsEmpty());
}

// --- registering

// Trap 33.
TEST_F(WorkerProtocolTest, ATaskRegisteredTwiceIsOfferedOnce) {
  Start({{"echo", Echo}});
  ASSERT_TRUE(worker_
                  ->Register("echo",
                             [](JobContext&) -> absl::StatusOr<std::string> {
                               return "the newer handler";
                             })
                  .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|the newer handler");
  EXPECT_THAT(worker_->tasks(), ElementsAre("echo"));
}

// Trap 32.
TEST_F(WorkerProtocolTest, ATaskIsTakenBackAfterTheAnswerOfItsJob) {
  StartAndGrab("echo", [this](JobContext& context) {
    EXPECT_TRUE(worker_->Unregister("echo").ok());
    // The handler asks its stop token, so that the worker hears of the
    // Unregister while the job is held.
    EXPECT_FALSE(context.stop_token().WaitFor(absl::Seconds(1)));
    return Echo(context);
  });
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "CANT_DO echo");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(20)), IsEmpty());
  EXPECT_THAT(worker_->tasks(), IsEmpty());
  EXPECT_EQ(worker_->Unregister("echo").code(), absl::StatusCode::kNotFound);
}

TEST_F(WorkerProtocolTest, ATaskIsTakenBackAfterTheAnswerToAGrab) {
  StartAndGrab("echo", Echo);
  ASSERT_TRUE(worker_->Register("other", Echo).ok());
  EXPECT_EQ(server_->Receive(), "CAN_DO other");
  ASSERT_TRUE(worker_->Unregister("echo").ok());
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
  // The job may have been on its way.
  Give("H:1", "echo", "x");
  // At once, and not when RunOnce wants to be called again.
  EXPECT_THAT(
      server_->ReceiveFor(absl::ZeroDuration()),
      ElementsAre("WORK_COMPLETE H:1|x", "CANT_DO echo", "GRAB_JOB_ALL"));
}

// Trap 31.
TEST_F(WorkerProtocolTest, ATaskRegisteredAsleepIsGrabbedAtOnce) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  ASSERT_TRUE(worker_->Register("other", Echo).ok());
  const absl::Time before = now();
  EXPECT_EQ(server_->Receive(), "CAN_DO other");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(now(), before);
  EXPECT_EQ(worker_->stats().wakeups_registered, 1u);
}

TEST_F(WorkerProtocolTest, AWorkerWithoutTasksAsksForNothing) {
  worker_ = &stack_.StartWorker("worker", options_);
  stack_.simulation.RunFor(absl::Seconds(5));
  EXPECT_EQ(worker_->stats().grabs_sent, 0u);
}

TEST_F(WorkerProtocolTest, ATaskThatNoServerTakesIsRefused) {
  worker_ = &stack_.StartWorker("worker", options_);
  EXPECT_EQ(worker_->Register(std::string("a\0b", 3), Echo).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(worker_->Register(std::string(9000, 'f'), Echo).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(worker_->Register("f", nullptr).code(),
            absl::StatusCode::kInvalidArgument);
  TaskOptions never;
  never.time_limit = absl::ZeroDuration();
  EXPECT_EQ(worker_->Register("f", Echo, never).code(),
            absl::StatusCode::kInvalidArgument);
}

// --- sleeping

// Trap 28.
TEST_F(WorkerProtocolTest, EachNoopIsFollowedByAGrabBeforeTheNextSleep) {
  StartAndGrab("echo", Echo);
  for (int i = 0; i < 5; ++i) {
    server_->Send(Command::kNoJob, {});
    EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
    stack_.simulation.RunFor(absl::Seconds(1));
    server_->Send(Command::kNoop, {});
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
  EXPECT_EQ(worker_->stats().wakeups_noop, 5u);
}

// Trap 27.
TEST_F(WorkerProtocolTest, ANoopThatCrossesAGrabIsIgnored) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoop, {});
  server_->Send(Command::kNoop, {});
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
}

// Trap 29.
TEST_F(WorkerProtocolTest, NoopsInVainAgainAndAgainDoNotSpinTheWorker) {
  StartAndGrab("echo", Echo);
  int rounds = 0;
  const absl::Time begin = now();
  server_->Send(Command::kNoJob, {});
  // gearmand before a delayed job: NOOP at each PRE_SLEEP, NO_JOB at each grab.
  while (now() - begin < absl::Seconds(10)) {
    const std::string packet = server_->Receive();
    if (packet == "PRE_SLEEP") {
      server_->Send(Command::kNoop, {});
    } else {
      ASSERT_EQ(packet, "GRAB_JOB_ALL");
      ++rounds;
      server_->Send(Command::kNoJob, {});
    }
  }
  EXPECT_GT(rounds, 10);
  // Some 10 a second, where it would be thousands.
  EXPECT_LT(rounds, 150);
  EXPECT_GT(worker_->stats().vain_pauses, 5u);
}

// Traps 30 and 43.
TEST_F(WorkerProtocolTest, ASleeperGrabsNowAndThenThoughNobodyWakesIt) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  const absl::Time asleep = now();
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(now() - asleep, options_.regrab_interval);
  Give("H:1", "echo", "due by now");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|due by now");
  EXPECT_EQ(worker_->stats().wakeups_regrab, 1u);
}

TEST_F(WorkerProtocolTest, AnIdleWorkerDoesNothingBetweenItsGrabs) {
  options_.regrab_interval = absl::Hours(1);
  options_.heartbeat_interval = absl::InfiniteDuration();
  options_.reconnect.connection_lifetime = absl::InfiniteDuration();
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  const uint64_t polls = worker_->stats().polls;
  const uint64_t writes = worker_->stats().writes;
  stack_.simulation.RunFor(absl::Minutes(59));
  // The test's own looks let it look, too.
  EXPECT_LE(worker_->stats().polls, polls + 3);
  EXPECT_EQ(worker_->stats().writes, writes);
}

// --- several grabs

TEST_F(WorkerProtocolTest, TinyJobsAreGrabbedManyAtATime) {
  options_.prefetch = PrefetchOptions();
  StartAndGrab("echo", Echo);
  int grabs = 1;
  int handle = 0;
  while (handle < 2000) {
    for (; grabs > 0; --grabs) Give(absl::StrCat("H:", ++handle), "echo", "x");
    for (const std::string& packet :
         server_->ReceiveFor(absl::ZeroDuration())) {
      if (packet == "GRAB_JOB_ALL") ++grabs;
    }
    ASSERT_GT(grabs, 0);
  }
  // The worker's handlers take no time on this clock. It asks for 128 jobs
  // beside the one that it can begin at once, in bundles of half of them at
  // least.
  EXPECT_GE(worker_->stats().grabs_outstanding, 64u);
  EXPECT_LE(worker_->stats().grabs_outstanding, 129u);
  const WorkerStats stats = worker_->stats();
  EXPECT_EQ(stats.jobs_complete, static_cast<uint64_t>(handle));
  // Answers and grabs share writes.
  EXPECT_LT(stats.writes, stats.jobs_complete / 50);
}

TEST_F(WorkerProtocolTest, SlowJobsAreNotHoarded) {
  options_.prefetch = PrefetchOptions();
  StartAndGrab("slow", [](JobContext& context) {
    context.stop_token().WaitFor(absl::Milliseconds(20));
    return Echo(context);
  });
  for (int i = 1; i <= 20; ++i) {
    Give(absl::StrCat("H:", i), "slow", "x");
    EXPECT_EQ(server_->Receive(), absl::StrCat("WORK_COMPLETE H:", i, "|x"));
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    EXPECT_EQ(worker_->stats().grabs_outstanding, 1u);
    EXPECT_EQ(worker_->stats().jobs_waiting, 0u);
  }
}

TEST_F(WorkerProtocolTest, AServerThatKnowsFewerGrabsIsAskedWithLess) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kError, {"INVALID_COMMAND", "Command not expected"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_UNIQ");
  server_->Send(Command::kError, {"unknown_command", "what?"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB");
  server_->Send(Command::kJobAssign, {"H:1", "echo", "x"});
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB");
}

TEST_F(WorkerProtocolTest, ARefusedTaskIsNoAnswerToAGrab) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kError, {"QUEUE_ERROR", "Too many functions"});
  server_->Send(Command::kJobAssignAll, {"H:1", "echo", "u", "", "x"});
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(worker_->stats().grabs_outstanding, 1u);
}

// --- the end

// Trap 42.
TEST_F(WorkerProtocolTest, DrainAnswersWhatIsHeldAndWaitsUntilItIsTaken) {
  StartAndGrab("echo", [this](JobContext& context) {
    worker_->Drain();
    return Echo(context);
  });
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk receipt");
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
  EXPECT_FALSE(worker_->stopped());
  server_->Send(Command::kEchoRes, {"gearman_sdk receipt"});
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(worker_->stats().jobs_given_back, 0u);
}

TEST_F(WorkerProtocolTest, DrainDoesAJobThatWasOnItsWay) {
  StartAndGrab("echo", Echo);
  worker_->Drain();
  EXPECT_THAT(server_->ReceiveFor(absl::Milliseconds(100)), IsEmpty());
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk receipt");
}

TEST_F(WorkerProtocolTest, ADrainThatLosesAServerWithAnAnswerSaysSo) {
  StartAndGrab("echo", [this](JobContext& context) {
    worker_->Drain();
    return Echo(context);
  });
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk receipt");
  server_->Close();
  Settle();
  ASSERT_TRUE(worker_->stopped());
  const absl::Status ended = worker_->Run();
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(ended.message(),
              HasSubstr("inproc://jobs may not have taken the answer of job "
                        "H:1"));
}

TEST_F(WorkerProtocolTest, ADrainAtAServerThatHangsSaysWhichAnswerIsInDoubt) {
  StartAndGrab("echo", [this](JobContext& context) {
    worker_->Drain(absl::Seconds(3));
    return Echo(context);
  });
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk receipt");
  EXPECT_EQ(server_->Receive(), "closed");
  ASSERT_TRUE(worker_->stopped());
  const absl::Status ended = worker_->Run();
  EXPECT_EQ(ended.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(ended.message(), HasSubstr("the answer of job H:1"));
}

TEST_F(WorkerProtocolTest, ADrainWithoutAnAnswerOnItsWayEndsAtOnce) {
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  worker_->Drain();
  EXPECT_EQ(server_->Receive(), "closed");
  ASSERT_TRUE(worker_->stopped());
  EXPECT_TRUE(worker_->Run().ok());
}

TEST_F(WorkerProtocolTest, DrainGivesJobsBackAtItsLimit) {
  std::string reason;
  absl::Time fired;
  StartAndGrab("slow", [&](JobContext& context) -> absl::StatusOr<std::string> {
    worker_->Drain(absl::Seconds(3));
    context.stop_token().WaitFor(absl::Hours(1));
    fired = now();
    reason = std::string(StopReasonName(context.stop_token().reason()));
    return "late";
  });
  const absl::Time begin = now();
  Give("H:1", "slow", "");
  EXPECT_EQ(server_->Receive(), "closed");
  Settle();
  EXPECT_EQ(reason, "drain limit");
  EXPECT_EQ(fired - begin, absl::Seconds(3));
  EXPECT_EQ(worker_->stats().jobs_given_back, 1u);
}

TEST_F(WorkerProtocolTest, StopClosesAtOnceAndTellsTheHandler) {
  std::string reason;
  StartAndGrab("slow", [&](JobContext& context) -> absl::StatusOr<std::string> {
    worker_->Stop();
    context.stop_token().WaitFor(absl::Hours(1));
    reason = std::string(StopReasonName(context.stop_token().reason()));
    return "late";
  });
  const absl::Time begin = now();
  Give("H:1", "slow", "");
  EXPECT_EQ(server_->Receive(), "closed");
  Settle();
  EXPECT_EQ(reason, "stopped");
  EXPECT_EQ(now(), begin);
  EXPECT_TRUE(worker_->stopped());
}

TEST_F(WorkerProtocolTest, TheHookAfterAPollMayEndIt) {
  int calls = 0;
  options_.after_poll = [&calls](bool /*any_activity*/) {
    return ++calls == 3 ? Proceed::kStop : Proceed::kContinue;
  };
  Start({{"echo", Echo}});
  stack_.simulation.RunFor(absl::Minutes(5));
  EXPECT_TRUE(worker_->stopped());
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace gearman
