// How a client notices that a connection is dead though nobody says so, on a
// virtual clock.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;
using wire::Command;

class ClientHealthTest : public ::testing::Test {
 protected:
  ClientHealthTest()
      : played_(&stack_.simulation, stack_.network(), "jobs"),
        client_(stack_.MakeClient("client", {"faulty://jobs"})) {
    stack_.PassBytesOnly();
    stack_.simulation.Drive(
        "client", [this] { return client_->RunOnce(absl::InfinitePast()); });
  }
  ~ClientHealthTest() override { stack_.simulation.Stop("client"); }

  // A foreground job that the server has accepted.
  JobRequest Accepted(const std::string& handle) {
    JobRequest request = client_->SubmitJob("resize", "");
    if (server_ == nullptr) {
      server_ = played_.Accept();
      EXPECT_EQ(server_->Receive(), "OPTION_REQ exceptions");
      server_->Send(Command::kOptionRes, {"exceptions"});
    }
    EXPECT_THAT(server_->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
    server_->Send(Command::kJobCreated, {handle});
    return request;
  }
  absl::Time now() { return stack_.simulation.now(); }

  testing::SimulatedStack stack_{1};
  testing::PlayedServer played_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<testing::PlayedConnection> server_;
};

TEST_F(ClientHealthTest, APacketThatComesSlowlyIsASignOfLife) {
  const JobRequest large = Accepted("H:1");
  const JobRequest waiting = client_->SubmitJob("resize", "");
  EXPECT_THAT(server_->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
  const std::string result(100000, 'x');
  for (const std::string& piece : support::InPieces(
           support::ResponsePacket(
               static_cast<uint32_t>(Command::kWorkComplete), {"H:1", result}),
           10)) {
    EXPECT_THAT(server_->ReceiveFor(absl::Seconds(25)), ::testing::IsEmpty());
    server_->SendBytes(piece);
  }
  server_->Send(Command::kJobCreated, {"H:2"});
  stack_.simulation.RunFor(absl::Seconds(1));
  EXPECT_EQ(large.result(), result);
  EXPECT_EQ(waiting.state(), JobState::kCreated);
}

TEST_F(ClientHealthTest, AServerThatStopsInsideAPacketIsTakenForDead) {
  const JobRequest large = Accepted("H:1");
  const JobRequest waiting = client_->SubmitJob("resize", "");
  EXPECT_THAT(server_->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
  stack_.simulation.RunFor(absl::Seconds(25));
  const absl::Time last = now();
  server_->SendBytes(
      support::ResponsePacket(static_cast<uint32_t>(Command::kWorkComplete),
                              {"H:1", std::string(100000, 'x')})
          .substr(0, 50000));
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_EQ(now() - last, absl::Seconds(30));
  EXPECT_THAT(std::string(waiting.status().message()),
              HasSubstr("reply_timeout"));
}

// Updates of another job are no answer.
TEST_F(ClientHealthTest, AServerThatAnswersOthersOnlyIsTakenForDead) {
  const JobRequest chatty = Accepted("H:1");
  const JobRequest waiting = client_->SubmitJob("resize", "");
  EXPECT_THAT(server_->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
  const absl::Time begin = now();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(server_->ReceiveFor(absl::Seconds(10)), ::testing::IsEmpty());
    server_->Send(Command::kWorkStatus, {"H:1", "1", "2"});
  }
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_EQ(now() - begin, absl::Seconds(30));
}

TEST_F(ClientHealthTest, APacketThatLeavesSlowlyIsASignOfLife) {
  Accepted("H:1");
  // Several times what the pipe holds.
  const JobRequest large =
      client_->SubmitJob("resize", std::string(5 << 20, 'x'));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(server_->ReceiveFor(absl::Seconds(25)), ::testing::IsEmpty());
  }
  EXPECT_THAT(server_->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
  server_->Send(Command::kJobCreated, {"H:2"});
  stack_.simulation.RunFor(absl::Seconds(1));
  EXPECT_EQ(large.state(), JobState::kCreated);
}

// Trap 45.
TEST_F(ClientHealthTest, AServerWithAJobIsAskedForASignOfLife) {
  const JobRequest request = Accepted("H:1");
  const absl::Time begin = now();
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk heartbeat");
  EXPECT_EQ(now() - begin, absl::Seconds(30));
  server_->Send(Command::kEchoRes, {"gearman_sdk heartbeat"});
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk heartbeat");
  EXPECT_EQ(now() - begin, absl::Seconds(60));
  server_->Send(Command::kEchoRes, {"gearman_sdk heartbeat"});
  server_->Send(Command::kWorkComplete, {"H:1", "done"});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return request.complete(); }));
  EXPECT_EQ(request.result(), "done");
}

TEST_F(ClientHealthTest, AHalfOpenConnectionIsFoundWithinItsLimits) {
  const JobRequest request = Accepted("H:1");
  const absl::Time begin = now();
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return request.finished(); }));
  EXPECT_EQ(now() - begin, absl::Seconds(60));
  EXPECT_EQ(request.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(request.status().message()),
              AllOf(HasSubstr("H:1"), HasSubstr("outcome unknown")));
}

TEST_F(ClientHealthTest, NewsOfAJobAreASignOfLife) {
  const JobRequest request = Accepted("H:1");
  for (int i = 0; i < 10; ++i) {
    stack_.simulation.RunFor(absl::Seconds(20));
    server_->Send(Command::kWorkStatus, {"H:1", "1", "2"});
  }
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(20)), ::testing::IsEmpty());
  EXPECT_FALSE(request.finished());
}

TEST_F(ClientHealthTest, AConnectionWithoutJobsIsLeftInPeace) {
  const JobRequest request = Accepted("H:1");
  server_->Send(Command::kWorkComplete, {"H:1", ""});
  EXPECT_THAT(server_->ReceiveFor(absl::Hours(1)), ::testing::IsEmpty());
}

TEST_F(ClientHealthTest, AConnectionThatIdledForLongIsReplacedBeforeItIsUsed) {
  const JobRequest first = Accepted("H:1");
  server_->Send(Command::kWorkComplete, {"H:1", ""});
  stack_.simulation.RunFor(absl::Minutes(10));
  // The firewall has forgotten it: nothing sent into it arrives anywhere.
  std::unique_ptr<testing::PlayedConnection> forgotten = std::move(server_);
  const JobRequest second = Accepted("H:2");
  EXPECT_EQ(forgotten->Receive(), "closed");
  server_->Send(Command::kWorkComplete, {"H:2", "arrived"});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return second.finished(); }));
  EXPECT_EQ(second.result(), "arrived");
  EXPECT_TRUE(second.attempts().empty());
}

TEST_F(ClientHealthTest, AConnectionThatIdledForAMomentIsKept) {
  const JobRequest first = Accepted("H:1");
  server_->Send(Command::kWorkComplete, {"H:1", ""});
  stack_.simulation.RunFor(absl::Seconds(29));
  const JobRequest second = Accepted("H:2");
  server_->Send(Command::kWorkComplete, {"H:2", ""});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return second.finished(); }));
}

// A client that nobody drives but who calls it, and whose server answers at
// once.
class PausedClientTest : public ClientHealthTest {
 protected:
  PausedClientTest() { stack_.simulation.Stop("client"); }
  // A minute passes after a job's submission, in which the server answers.
  JobRequest AnsweredUnseen(CallOptions options = {}) {
    JobRequest request = client_->SubmitJob("resize", "", std::move(options));
    server_ = played_.Accept();
    EXPECT_EQ(server_->Receive(), "OPTION_REQ exceptions");
    EXPECT_THAT(server_->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
    server_->Send(Command::kOptionRes, {"exceptions"});
    server_->Send(Command::kJobCreated, {"H:1"});
    server_->Send(Command::kWorkComplete, {"H:1", "done"});
    stack_.simulation.RunFor(absl::Minutes(1));
    return request;
  }
};

TEST_F(PausedClientTest, AServerIsNotDeadWhoseAnswerNobodyHasRead) {
  const JobRequest request = AnsweredUnseen();
  const absl::Status status = client_->Wait(request);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(request.result(), "done");
}

TEST_F(PausedClientTest, AResultThatNobodyHasReadIsNotLate) {
  CallOptions options;
  options.timeout = absl::Seconds(10);
  const JobRequest request = AnsweredUnseen(options);
  const absl::Status status = client_->Wait(request);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(request.result(), "done");
}

TEST_F(PausedClientTest, AnAnswerThatCameTooLateForItsQuestionIsRead) {
  const absl::Status late =
      client_->Echo("ping", "", absl::Milliseconds(1)).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  server_ = played_.Accept();
  EXPECT_EQ(server_->Receive(), "OPTION_REQ exceptions");
  EXPECT_EQ(server_->Receive(), "ECHO_REQ ping");
  server_->Send(Command::kOptionRes, {"exceptions"});
  server_->Send(Command::kEchoRes, {"ping"});
  stack_.simulation.RunFor(absl::Minutes(1));
  stack_.simulation.Drive(
      "client", [this] { return client_->RunOnce(absl::InfinitePast()); });
  const JobRequest request = client_->SubmitBackgroundJob("resize", "");
  EXPECT_THAT(server_->Receive(), ::testing::StartsWith("SUBMIT_JOB_BG"));
  server_->Send(Command::kJobCreated, {"H:1"});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return request.finished(); }));
  EXPECT_TRUE(request.complete()) << request.status();
}

TEST_F(PausedClientTest, AServerThatNeverAnsweredIsLeftBeforeItGetsMore) {
  const absl::Status late =
      client_->Echo("ping", "", absl::Milliseconds(1)).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  const auto silent = played_.Accept();
  stack_.simulation.RunFor(absl::Minutes(1));
  stack_.simulation.Drive(
      "client", [this] { return client_->RunOnce(absl::InfinitePast()); });
  const JobRequest request = Accepted("H:1");
  EXPECT_TRUE(request.attempts().empty());
  EXPECT_EQ(silent->Receive(), "OPTION_REQ exceptions");
  EXPECT_EQ(silent->Receive(), "ECHO_REQ ping");
  EXPECT_EQ(silent->Receive(), "closed");
}

// Two servers, of which one goes away and comes back.
class ServerHealthTest : public ::testing::Test {
 protected:
  void SetUp() override {
    stack_.StartServer("a");
    stack_.StartServer("b");
    ClientOptions options =
        stack_.ClientDefaults("client", {"inproc://a", "inproc://b"});
    options.reconnect.jitter = 0;
    client_ = stack_.MakeClient(std::move(options));
  }
  // How many of so many background jobs go to server a.
  int JobsAtA(int jobs) {
    int at_a = 0;
    for (int i = 0; i < jobs; ++i) {
      const JobRequest request = client_->SubmitBackgroundJob("f", "");
      EXPECT_TRUE(client_->WaitUntilJobsAccepted({request}).ok())
          << request.status();
      if (request.job().connection() == "inproc://a") ++at_a;
      attempts_ += request.connection_attempts();
    }
    return at_a;
  }

  testing::SimulatedStack stack_{1};
  std::unique_ptr<Client> client_;
  int attempts_ = 0;
};

TEST_F(ServerHealthTest, ADeadServerIsTriedNowAndThenAndUsedAgainWhenItIsBack) {
  EXPECT_GT(JobsAtA(100), 20);
  stack_.KillServer("a");
  attempts_ = 0;
  EXPECT_EQ(JobsAtA(100), 0);
  // One request found out that the server is dead, or two.
  EXPECT_LE(attempts_, 102);
  // One request tries the server after each delay, and no other does.
  attempts_ = 0;
  for (int second = 0; second < 60; ++second) {
    stack_.simulation.RunFor(absl::Seconds(1));
    EXPECT_EQ(JobsAtA(10), 0);
  }
  // Up to 2, 1, 1.6, 2.6, 4.1, 6.6, 10.5, 16.8, ... seconds.
  EXPECT_GE(attempts_, 604);
  EXPECT_LE(attempts_, 612);
  stack_.StartServer("a");
  stack_.simulation.RunFor(absl::Minutes(2));
  EXPECT_GT(JobsAtA(100), 20);
}

TEST_F(ServerHealthTest, TheOnlyServerLeftIsTriedHoweverOftenItFailed) {
  stack_.KillServer("a");
  stack_.KillServer("b");
  for (int i = 0; i < 3; ++i) {
    const JobRequest request = client_->SubmitBackgroundJob("f", "");
    EXPECT_FALSE(client_->WaitUntilJobsAccepted({request}).ok());
    EXPECT_EQ(request.attempts().size(), 3u);
  }
  stack_.StartServer("b");
  EXPECT_EQ(JobsAtA(3), 0);
}

}  // namespace
}  // namespace gearman
