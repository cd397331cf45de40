// How a worker loses a server, or finds that one is dead, and what becomes of
// the jobs and of the other servers.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using WorkerLossTest = WorkerTest;

TEST_F(WorkerLossTest, AJobOfALostConnectionIsGivenUpQuietly) {
  std::string reason;
  StartAndGrab("slow", [&](JobContext& context) -> absl::StatusOr<std::string> {
    server_->Close();
    context.stop_token().WaitFor(absl::Hours(1));
    reason = std::string(StopReasonName(context.stop_token().reason()));
    EXPECT_EQ(context.SendData("x").code(), absl::StatusCode::kCancelled);
    return "late";
  });
  Give("H:1", "slow", "");
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(reason, "connection lost");
  EXPECT_EQ(worker_->stats().jobs_lost, 1u);
  EXPECT_EQ(worker_->stats().late_results, 1u);
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
}

// The callback of a late job finds the connection lost, over which that job
// came, too.
TEST_F(WorkerLossTest, ALateJobWhoseCallbackLosesTheConnectionEndsOnce) {
  std::vector<PendingJob> kept;
  JobContext* running = nullptr;
  absl::Status update;
  TaskOptions limit;
  limit.time_limit = absl::Seconds(1);
  Start({});
  ASSERT_TRUE(worker_
                  ->RegisterAsync(
                      "late",
                      [&](PendingJob job) {
                        job.stop_token().OnStop([&] {
                          server_->Close();
                          update = running->SendData("x");
                        });
                        kept.push_back(std::move(job));
                      },
                      limit)
                  .ok());
  ASSERT_TRUE(
      worker_
          ->Register("long",
                     [&](JobContext& context) -> absl::StatusOr<std::string> {
                       running = &context;
                       context.stop_token().WaitFor(absl::Hours(1));
                       return std::string();
                     })
          .ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO late");
  EXPECT_EQ(server_->Receive(), "CAN_DO long");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "late", "");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "long", "");
  EXPECT_TRUE(stack_.simulation.RunUntil(
      [&] { return worker_->stats().jobs_lost > 0; }));
  EXPECT_EQ(worker_->stats().jobs_timed_out, 1u);
  EXPECT_EQ(worker_->stats().jobs_lost, 1u);
}

TEST_F(WorkerLossTest, TheLogNamesTheJobWhoseAnswerWasOnItsWay) {
  std::vector<std::string> lines;
  options_.logger = Logger(
      LogLevel::kWarning,
      [&lines](LogLevel, absl::string_view text) { lines.emplace_back(text); });
  StartAndGrab("echo", Echo);
  for (const bool taken : {false, true}) {
    Give("H:1", "echo", "x");
    EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    if (taken) {
      server_->Send(Command::kNoJob, {});
      EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
    }
    server_->Close();
    Accept();
    EXPECT_EQ(server_->Receive(), "CAN_DO echo");
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], AllOf(StartsWith("lost inproc://jobs: closed"),
                              HasSubstr("the answer of job H:1")));
  EXPECT_THAT(lines[1], ::testing::Not(HasSubstr("H:1")));
}

// A job without an answer would come again and again, and take this and every
// other connection with it.
TEST_F(WorkerLossTest, AJobThatTheMemoryCantHoldIsFailedAndTheServerIsKept) {
  options_.limits.max_memory_bytes = 600'000;
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", std::string(900'000, 'x'));
  EXPECT_THAT(server_->Receive(), AllOf(StartsWith("WORK_WARNING H:1|"),
                                        HasSubstr("larger than 300000 bytes")));
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:2", "echo", "small");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|small");
}

TEST_F(WorkerLossTest, AJobForWhichThereWouldBeNoMemoryIsNotGrabbed) {
  options_.limits.max_memory_bytes = 600'000;
  std::vector<PendingJob> pending;
  StartAsyncAndGrab("echo", [&pending](PendingJob job) {
    pending.push_back(std::move(job));
  });
  Give("H:1", "echo", std::string(200'000, 'x'));
  // The handler is free again, but two jobs of that size would be too much.
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)), IsEmpty());
  ASSERT_EQ(pending.size(), 1u);
  pending[0].Finish(std::string("done"));
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(1)),
              ElementsAre("WORK_COMPLETE H:1|done", "GRAB_JOB_ALL"));
}

TEST_F(WorkerLossTest, ReconnectsAfterGrowingDelays) {
  options_.reconnect.jitter = 0;
  StartAndGrab("echo", Echo);
  played_.StopListening();
  server_->Close();
  stack_.simulation.RunFor(absl::Minutes(10));
  // Up to 2 s, 1 s, 1.6 s, 2.56 s, ... up to 120 s.
  const uint64_t failures = worker_->stats().connect_failures;
  EXPECT_GE(failures, 12u);
  EXPECT_LE(failures, 16u);
  EXPECT_FALSE(worker_->stopped());
}

// Trap 45.
TEST_F(WorkerLossTest, AnIdleConnectionIsCheckedWithAnEcho) {
  options_.regrab_interval = absl::InfiniteDuration();
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  const absl::Time asleep = now();
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk heartbeat");
  EXPECT_EQ(now() - asleep, options_.heartbeat_interval);
  server_->Send(Command::kEchoRes, {"gearman_sdk heartbeat"});
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk heartbeat");
  // No answer: the connection is half open.
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_EQ(now() - asleep,
            2 * options_.heartbeat_interval + options_.reply_timeout);
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
}

TEST_F(WorkerLossTest, AGrabWithoutAnAnswerReplacesTheConnection) {
  StartAndGrab("echo", Echo);
  const absl::Time grabbed = now();
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_EQ(now() - grabbed, options_.reply_timeout);
}

TEST_F(WorkerLossTest, AServerThatDoesNotAnswerOptionRequestsIsHintedAt) {
  options_.server_options = {"exceptions"};
  Start({{"echo", Echo}});
  Accept();
  EXPECT_EQ(server_->Receive(), "OPTION_REQ exceptions");
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_THAT(worker_->health().servers[0].last_error.message(),
              HasSubstr("without server_options"));
  // A server that has answered an OPTION_REQ knows it.
  Accept();
  EXPECT_EQ(server_->Receive(), "OPTION_REQ exceptions");
  server_->Send(Command::kOptionRes, {"exceptions"});
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_THAT(worker_->health().servers[0].last_error.message(),
              ::testing::Not(HasSubstr("server_options")));
}

TEST_F(WorkerLossTest, AJobThatComesSlowlyIsASignOfLife) {
  StartAndGrab("echo", Echo);
  const std::string data(100000, 'x');
  for (const std::string& piece :
       support::InPieces(support::ResponsePacket(
                             static_cast<uint32_t>(Command::kJobAssignUniq),
                             {"H:1", "echo", "u", data}),
                         10)) {
    EXPECT_THAT(server_->ReceiveFor(absl::Seconds(25)), IsEmpty());
    server_->SendBytes(piece);
  }
  EXPECT_EQ(server_->Receive(), absl::StrCat("WORK_COMPLETE H:1|", data));
}

TEST_F(WorkerLossTest, AServerThatStopsInsideAJobIsTakenForDead) {
  StartAndGrab("echo", Echo);
  stack_.simulation.RunFor(absl::Seconds(25));
  const absl::Time last = now();
  server_->SendBytes(
      support::ResponsePacket(static_cast<uint32_t>(Command::kJobAssignUniq),
                              {"H:1", "echo", "u", std::string(100000, 'x')})
          .substr(0, 50000));
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_EQ(now() - last, options_.reply_timeout);
}

TEST_F(WorkerLossTest, AResultThatLeavesSlowlyIsASignOfLife) {
  stack_.PassBytesOnly();
  // Several times what the pipe holds.
  options_.servers = {"faulty://jobs"};
  const std::string result(5 << 20, 'x');
  StartAndGrab("large", [&](JobContext&) { return result; });
  Give("H:1", "large", "");
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(server_->ReceiveFor(absl::Seconds(25)), IsEmpty());
  }
  EXPECT_EQ(server_->Receive(), absl::StrCat("WORK_COMPLETE H:1|", result));
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(WorkerLossTest, WhatNoServerMaySayEndsTheConnectionOnly) {
  const std::vector<std::string> nonsense = {
      "HTTP/1.1 400 Bad Request\r\n",
      // A job nobody asked for, of a task nobody offered.
      support::ResponsePacket(11, {"H:1", "other", "x"}),
      support::ResponsePacket(17, {"not what was sent"}),
      support::ResponsePacket(27, {"exceptions"}),
      support::RawPacket(absl::string_view("\0RES", 4), 99, ""),
      support::ResponsePacket(40, {"H:1", "echo"}),
  };
  Start({{"echo", Echo}});
  for (const std::string& bytes : nonsense) {
    SCOPED_TRACE(bytes);
    Accept();
    EXPECT_EQ(server_->Receive(), "CAN_DO echo");
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    server_->SendBytes(bytes);
    EXPECT_EQ(server_->Receive(), "closed");
  }
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Give("H:1", "echo", "still alive");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|still alive");
}

TEST_F(WorkerLossTest, TheOtherServersGoOnWhenOneIsDead) {
  testing::PlayedServer second(&stack_.simulation, stack_.network(), "more");
  options_.servers = {"inproc://nobody", "inproc://jobs", "inproc://more"};
  Start({{"echo", Echo}});
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  const auto other = second.Accept();
  EXPECT_EQ(other->Receive(), "CAN_DO echo");
  // One grab at a time: it goes round.
  std::vector<std::string> at_first =
      server_->ReceiveFor(absl::Milliseconds(1));
  std::vector<std::string> at_second = other->ReceiveFor(absl::Milliseconds(1));
  EXPECT_EQ(at_first.size() + at_second.size(), 1u);
  testing::PlayedConnection& asked = at_first.empty() ? *other : *server_;
  testing::PlayedConnection& next = at_first.empty() ? *server_ : *other;
  asked.Send(Command::kNoJob, {});
  EXPECT_EQ(asked.Receive(), "PRE_SLEEP");
  EXPECT_EQ(next.Receive(), "GRAB_JOB_ALL");
  next.Send(Command::kJobAssignUniq, {"H:1", "echo", "u", "x"});
  EXPECT_EQ(next.Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_GE(worker_->stats().connect_failures, 1u);
}

}  // namespace
}  // namespace gearman
