// How a client ends connections that it needs no longer: when, and what it says
// and counts then.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/server_selection/ordered_selector.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/sdk/client_servers_fixture.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using wire::Command;

class ClientConnectionsTest : public ClientServersTest {
 protected:
  // A client whose log and metrics are kept.
  void StartObserved(std::vector<std::string> servers) {
    ClientOptions options = stack_.ClientDefaults("client", std::move(servers));
    options.reconnect = reconnect_;
    options.heartbeat_interval = heartbeat_interval_;
    options.metrics_sinks = {metrics_};
    options.logger =
        Logger(LogLevel::kInfo, [this](LogLevel level, absl::string_view text) {
          (level == LogLevel::kInfo ? told_ : warnings_)
              .push_back(std::string(text));
        });
    client_ = stack_.MakeClient(std::move(options));
  }
  int OpenConnections() {
    return static_cast<int>(metrics_->Value("gearman_connection_up"));
  }
  int Reconnects() {
    return static_cast<int>(
        metrics_->Value("gearman_connection_reconnects_total"));
  }

  const std::shared_ptr<InMemoryMetrics> metrics_ =
      std::make_shared<InMemoryMetrics>();
  absl::Duration heartbeat_interval_ = absl::InfiniteDuration();
  std::vector<std::string> told_;
  std::vector<std::string> warnings_;
};

// --- jobs that nobody waits for any more -------------------------------------

TEST_F(ClientConnectionsTest, JobsThatTimedOutKeepNoOldConnectionOpen) {
  stack_.StartServer("a");
  reconnect_.connection_lifetime = absl::Minutes(1);
  StartObserved({"inproc://a"});
  for (int round = 0; round < 200; ++round) {
    CallOptions call;
    call.timeout = absl::Seconds(1);
    EXPECT_EQ(client_->Run("nobody does it", "", call).status().code(),
              absl::StatusCode::kDeadlineExceeded);
    stack_.simulation.RunFor(absl::Minutes(2));
    ASSERT_LE(OpenConnections(), 1) << "after round " << round;
  }
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ClientConnectionsTest, AnOldConnectionIsClosedWithItsLastRequest) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  reconnect_.connection_lifetime = absl::Minutes(1);
  StartObserved({"inproc://a"});
  Drive();
  const JobRequest first = client_->SubmitJob("f", "");
  const auto old = Accept(played);
  EXPECT_THAT(old->Receive(), StartsWith("SUBMIT_JOB f|"));
  old->Send(Command::kJobCreated, {"H:1"});
  stack_.simulation.RunFor(absl::Minutes(2));
  const JobRequest second = client_->SubmitJob("f", "");
  const auto fresh = Accept(played);
  EXPECT_THAT(fresh->Receive(), StartsWith("SUBMIT_JOB f|"));
  fresh->Send(Command::kJobCreated, {"H:2"});
  EXPECT_THAT(old->ReceiveFor(absl::Seconds(1)), IsEmpty());
  first.Cancel();
  EXPECT_EQ(old->Receive(), "closed");
  fresh->Send(Command::kWorkComplete, {"H:2", "two"});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return second.finished(); }));
  EXPECT_EQ(second.result(), "two");
}

TEST_F(ClientConnectionsTest, ARemovedServersConnectionEndsWithItsLateJob) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  StartObserved({"inproc://a"});
  Drive();
  CallOptions call;
  call.timeout = absl::Seconds(10);
  const JobRequest request = client_->SubmitJob("f", "", call);
  const auto connection = Accept(played);
  EXPECT_THAT(connection->Receive(), StartsWith("SUBMIT_JOB f|"));
  connection->Send(Command::kJobCreated, {"H:1"});
  stack_.simulation.RunFor(absl::Seconds(1));
  ASSERT_TRUE(client_->AddServer("inproc://b").ok());
  ASSERT_TRUE(client_->RemoveServer("inproc://a").ok());
  EXPECT_THAT(connection->ReceiveFor(absl::Seconds(5)), IsEmpty());
  EXPECT_EQ(connection->Receive(), "closed");
  EXPECT_TRUE(request.timed_out());
}

// Packets of the cancelled job come as long as the connection lives.
TEST_F(ClientConnectionsTest, WhatComesForACancelledJobIsNoBreach) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  StartObserved({"inproc://a"});
  Drive();
  const JobRequest gone = client_->SubmitJob("f", "");
  const JobRequest stays = client_->SubmitJob("f", "");
  const auto connection = Accept(played);
  connection->Receive();
  connection->Receive();
  connection->Send(Command::kJobCreated, {"H:1"});
  connection->Send(Command::kJobCreated, {"H:2"});
  stack_.simulation.RunFor(absl::Seconds(1));
  gone.Cancel();
  connection->Send(Command::kWorkData, {"H:1", "part"});
  connection->Send(Command::kWorkComplete, {"H:1", "one"});
  connection->Send(Command::kWorkComplete, {"H:2", "two"});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return stays.finished(); }));
  EXPECT_EQ(stays.result(), "two");
  EXPECT_THAT(warnings_, IsEmpty());
}

// --- what is told of an end that is the client's own -------------------------

TEST_F(ClientConnectionsTest, AnIdleConnectionThatIsReplacedIsNoLoss) {
  stack_.StartServer("a");
  heartbeat_interval_ = absl::Seconds(30);
  StartObserved({"inproc://a"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Placed(), "inproc://a");
    stack_.simulation.RunFor(absl::Minutes(1));
  }
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(Reconnects(), 0);
  EXPECT_THAT(told_,
              Contains(AllOf(HasSubstr("inproc://a"), HasSubstr("idle"))));
  EXPECT_EQ(
      metrics_->Observed("gearman_connection_connect_duration_seconds").count,
      5u);
}

TEST_F(ClientConnectionsTest, AnOldConnectionThatIsReplacedIsNoLoss) {
  stack_.StartServer("a");
  reconnect_.connection_lifetime = absl::Minutes(1);
  StartObserved({"inproc://a"});
  EXPECT_EQ(Placed(), "inproc://a");
  stack_.simulation.RunFor(absl::Minutes(2));
  EXPECT_EQ(Placed(), "inproc://a");
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(Reconnects(), 0);
  EXPECT_THAT(told_, Contains(AllOf(HasSubstr("inproc://a"),
                                    HasSubstr("connection_lifetime"))));
}

TEST_F(ClientConnectionsTest, ARemovedServersConnectionIsNoLoss) {
  stack_.StartServer("a");
  stack_.StartServer("b");
  StartObserved({"inproc://a"});
  EXPECT_EQ(Placed(), "inproc://a");
  ASSERT_TRUE(client_->AddServer("inproc://b").ok());
  ASSERT_TRUE(client_->RemoveServer("inproc://a").ok());
  EXPECT_EQ(Placed(), "inproc://b");
  EXPECT_EQ(OpenConnections(), 1);
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_EQ(Reconnects(), 0);
  EXPECT_THAT(told_,
              Contains(AllOf(HasSubstr("inproc://a"), HasSubstr("removed"))));
}

TEST_F(ClientConnectionsTest, AConnectionThatItsServerEndsIsALoss) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  StartObserved({"inproc://a"});
  Drive();
  const JobRequest request = client_->SubmitJob("f", "");
  const auto connection = Accept(played);
  EXPECT_THAT(connection->Receive(), StartsWith("SUBMIT_JOB f|"));
  connection->Close();
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return request.finished(); }));
  EXPECT_THAT(warnings_,
              Contains(AllOf(HasSubstr("lost"), HasSubstr("inproc://a"))));
  EXPECT_EQ(Reconnects(), 1);
}

// --- questions about jobs at a server that was removed -----------------------

TEST_F(ClientConnectionsTest, AJobAtARemovedServerIsAskedForWhileItLives) {
  stack_.StartServer("a");
  stack_.StartServer("b");
  StartObserved({"inproc://a"});
  const JobRequest request = client_->SubmitJob("nobody does it", "");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({request}).ok());
  ASSERT_TRUE(client_->AddServer("inproc://b").ok());
  ASSERT_TRUE(client_->RemoveServer("inproc://a").ok());
  for (int i = 0; i < 3; ++i) {
    const absl::StatusOr<JobStatus> status = client_->GetJobStatus(request);
    ASSERT_TRUE(status.ok()) << status.status();
    EXPECT_TRUE(status->known);
    EXPECT_FALSE(status->running);
  }
  EXPECT_TRUE(client_->GetJobStatus(request.id()).ok());
  EXPECT_TRUE(client_->Echo("x", "inproc://a").ok());
  request.Cancel();
  stack_.simulation.RunFor(absl::Seconds(1));
  const absl::Status gone = client_->GetJobStatus(request).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kFailedPrecondition) << gone;
  EXPECT_THAT(std::string(gone.message()),
              AllOf(HasSubstr("inproc://a"), HasSubstr("removed"),
                    HasSubstr("AddServer"), HasSubstr(request.handle())));
  EXPECT_EQ(client_->Echo("x", "inproc://a").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(OpenConnections(), 0);
  // Added again, it answers.
  ASSERT_TRUE(client_->AddServer("inproc://a").ok());
  EXPECT_TRUE(client_->GetJobStatus(request).ok());
}

TEST_F(ClientConnectionsTest, AQuestionMakesNoConnectionToARemovedServer) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  StartObserved({"inproc://a"});
  Drive();
  const JobRequest request = client_->SubmitJob("f", "");
  const auto connection = Accept(played);
  EXPECT_THAT(connection->Receive(), StartsWith("SUBMIT_JOB f|"));
  connection->Send(Command::kJobCreated, {"H:1"});
  stack_.simulation.RunFor(absl::Seconds(1));
  ASSERT_TRUE(client_->AddServer("inproc://b").ok());
  ASSERT_TRUE(client_->RemoveServer("inproc://a").ok());
  // The lost connection is noticed when the question is to be asked.
  stack_.simulation.Stop("client");
  connection->Close();
  const absl::Status status =
      client_->GetJobStatus(request, absl::Seconds(5)).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("inproc://a"), HasSubstr("removed")));
  EXPECT_EQ(OpenConnections(), 0);
}

TEST_F(ClientConnectionsTest, AServerThatWasNeverThereIsAMistake) {
  stack_.StartServer("a");
  StartObserved({"inproc://a"});
  JobId id;
  id.server = "inproc://never";
  id.handle = "H:1";
  EXPECT_EQ(client_->GetJobStatus(id).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// A server that was stopped accepts connections and answers nothing. Nobody
// could tell whether a request runs that has been sent there.
TEST_F(ClientServersTest, AServerThatHasFailedGetsNoRequestBeforeItAnswers) {
  testing::PlayedServer hung(&stack_.simulation, stack_.network(), "a");
  stack_.StartServer("b");
  ClientOptions options =
      stack_.ClientDefaults("client", {"inproc://a", "inproc://b"});
  options.server_selector = std::make_shared<OrderedServerSelector>();
  client_ = stack_.MakeClient(std::move(options));
  Drive();
  // The first request is in doubt, because nothing was known of the server.
  const JobRequest first = client_->SubmitBackgroundJob("f", "1");
  const auto lost = hung.Accept();
  EXPECT_EQ(lost->Receive(), "OPTION_REQ exceptions");
  EXPECT_THAT(lost->Receive(), StartsWith("SUBMIT_JOB_BG f|"));
  EXPECT_EQ(lost->Receive(), "closed");
  EXPECT_TRUE(absl::IsUnavailable(first.status())) << first.status();
  // The second one is a trial. It costs time, and is not in doubt.
  stack_.simulation.RunFor(absl::Minutes(5));
  const JobRequest second = client_->SubmitBackgroundJob("f", "2");
  const auto trial = hung.Accept();
  EXPECT_EQ(trial->Receive(), "OPTION_REQ exceptions");
  EXPECT_EQ(trial->Receive(), "closed");
  stack_.simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(second.status().ok()) << second.status();
  EXPECT_EQ(second.job().connection(), "inproc://b");
  // A server that answers gets the request.
  stack_.simulation.RunFor(absl::Minutes(5));
  const JobRequest third = client_->SubmitBackgroundJob("f", "3");
  const auto well = hung.Accept();
  EXPECT_EQ(well->Receive(), "OPTION_REQ exceptions");
  EXPECT_THAT(well->ReceiveFor(absl::Seconds(1)), IsEmpty());
  well->Send(Command::kOptionRes, {"exceptions"});
  EXPECT_THAT(well->Receive(), StartsWith("SUBMIT_JOB_BG f|"));
  well->Send(Command::kJobCreated, {"H:3"});
  stack_.simulation.RunFor(absl::ZeroDuration());
  EXPECT_TRUE(third.finished() && third.status().ok()) << third.status();
}

}  // namespace
}  // namespace gearman
