// A worker whose tasks a server refuses to register, as the embedded one does
// when it knows too many functions.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/worker_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WorkerRefusedTest : public WorkerTest {
 protected:
  WorkerRefusedTest() {
    options_.logger =
        Logger(LogLevel::kWarning, [this](LogLevel, absl::string_view text) {
          warnings_.emplace_back(text);
        });
  }
  std::vector<std::string> Refused() {
    Settle();
    return worker_->health().servers[0].refused_tasks;
  }
  void Refuse(const std::string& text) {
    server_->Send(Command::kError, {"QUEUE_ERROR", text});
  }
  // The worker finds no job and goes to sleep.
  void LetSleep() {
    server_->Send(Command::kNoJob, {});
    EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  }

  std::vector<std::string> warnings_;
};

TEST_F(WorkerRefusedTest, OffersARefusedTaskAgainUntilItIsTaken) {
  StartAndGrab("echo", Echo);
  Refuse("Too many functions: echo");
  LetSleep();
  EXPECT_THAT(Refused(), ElementsAre("echo"));
  EXPECT_THAT(ToString(worker_->health()), HasSubstr("refuses echo"));
  for (const int seconds : {1, 2, 4}) {
    const absl::Time before = now();
    EXPECT_EQ(server_->Receive(), "CAN_DO echo");
    EXPECT_EQ(now() - before, absl::Seconds(seconds));
    EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk offers");
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    if (seconds < 4) Refuse("Too many functions: echo");
    server_->Send(Command::kEchoRes, {"gearman_sdk offers"});
    LetSleep();
    EXPECT_THAT(Refused(), SizeIs(seconds < 4 ? 1 : 0));
  }
  // The task has been taken: no more is said of it.
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("refuses the task \"echo\"")));
  // A further refusal begins anew.
  Refuse("Too many functions: echo");
  LetSleep();
  const absl::Time before = now();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(now() - before, absl::Seconds(1));
}

TEST_F(WorkerRefusedTest, OffersOnlyTheTaskThatWasRefused) {
  Start({{"echo", Echo}, {"resize", Echo}});
  Accept();
  server_->Receive();
  server_->Receive();
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Refuse("Too many functions of one worker: resize");
  EXPECT_THAT(Refused(), ElementsAre("resize"));
  LetSleep();
  EXPECT_EQ(server_->Receive(), "CAN_DO resize");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk offers");
}

TEST_F(WorkerRefusedTest, OffersAllTasksWhenTheServerDoesNotSayWhich) {
  Start({{"echo", Echo}, {"resize", Echo}});
  Accept();
  server_->Receive();
  server_->Receive();
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  Refuse("no room");
  EXPECT_THAT(Refused(), ElementsAre("echo", "resize"));
  LetSleep();
  EXPECT_THAT(
      (std::vector<std::string>{server_->Receive(), server_->Receive()}),
      ::testing::UnorderedElementsAre("CAN_DO echo", "CAN_DO resize"));
}

TEST_F(WorkerRefusedTest, AJobComesBeforeTheTaskIsKnownToBeTaken) {
  StartAndGrab("echo", Echo);
  Refuse("Too many functions: echo");
  LetSleep();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk offers");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Send(Command::kEchoRes, {"gearman_sdk offers"});
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_THAT(Refused(), IsEmpty());
}

TEST_F(WorkerRefusedTest, WorksAgainWhenOthersHaveLeftTheirFunctions) {
  JobServerOptions few;
  few.max_functions = 2;
  stack_.StartServer("full", few);
  Worker& greedy = stack_.StartWorker("greedy", {"inproc://full"});
  ASSERT_TRUE(greedy.Register("a", Echo).ok());
  ASSERT_TRUE(greedy.Register("b", Echo).ok());
  stack_.simulation.RunFor(absl::Seconds(1));
  worker_ = &stack_.StartWorker("honest", {"inproc://full"});
  ASSERT_TRUE(worker_->Register("echo", Echo).ok());
  stack_.simulation.RunFor(absl::Seconds(5));
  EXPECT_THAT(Refused(), ElementsAre("echo"));
  stack_.KillWorker("greedy");
  // However long it was refused, it is no more than a minute.
  stack_.simulation.RunFor(absl::Minutes(1));
  EXPECT_THAT(Refused(), IsEmpty());
  const auto client = stack_.MakeClient("client", {"inproc://full"});
  JobRequest request = client->SubmitJob("echo", "hello");
  EXPECT_TRUE(client->Wait(request).ok());
  EXPECT_EQ(request.result(), "hello");
}

}  // namespace
}  // namespace gearman
