// A repeated submission that joined a job which an earlier attempt left behind,
// and which its server then drops without a word: on a virtual clock.
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
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using wire::Command;

constexpr absl::Duration kInterval = absl::Seconds(30);

class ClientDroppedJobTest : public ::testing::Test {
 protected:
  ~ClientDroppedJobTest() override { stack_.simulation.Stop("client"); }

  ClientOptions Options(const std::string& server = "inproc://jobs") {
    ClientOptions options = stack_.ClientDefaults("client", {server});
    options.max_connection_attempts = 3;
    // Requests that share a submission are repeated at one time.
    options.retry_policy = std::make_shared<ImmediateRetryPolicy>();
    options.idempotent = true;
    return options;
  }
  void Start(ClientOptions options) {
    client_ = stack_.MakeClient(std::move(options));
    stack_.simulation.Drive(
        "client", [this] { return client_->RunOnce(absl::InfinitePast()); });
  }
  JobRequest Submit(CallOptions options = {}) {
    return client_->SubmitJob("resize", "", std::move(options));
  }
  static CallOptions WithUnique(const std::string& unique) {
    CallOptions options;
    options.unique = unique;
    return options;
  }
  // The next connection of the client.
  std::unique_ptr<testing::PlayedConnection> Accept() {
    auto connection = played_.Accept();
    EXPECT_EQ(connection->Receive(), "OPTION_REQ exceptions");
    connection->Send(Command::kOptionRes, {"exceptions"});
    return connection;
  }
  // Takes a submission, and returns its packet.
  static std::string Take(testing::PlayedConnection& connection,
                          const std::string& handle) {
    std::string packet = connection.Receive();
    EXPECT_THAT(packet, StartsWith("SUBMIT_JOB resize|"));
    connection.Send(Command::kJobCreated, {handle});
    return packet;
  }
  // Loses the request after its first acceptance, and accepts it once more on
  // the connection server_, with the same handle.
  void Repeat(const JobRequest& request) {
    auto first = Accept();
    packet_ = Take(*first, "H:1");
    RunUntil([&] { return request.state() == JobState::kCreated; });
    first->Close();
    server_ = Accept();
    EXPECT_EQ(Take(*server_, "H:1"), packet_);
    RunUntil([&] {
      return request.state() == JobState::kCreated &&
             request.connection_attempts() == 2;
    });
  }
  template <typename Condition>
  void RunUntil(Condition condition) {
    EXPECT_TRUE(stack_.simulation.RunUntil(condition));
  }
  void Answer(const std::string& handle, const std::string& known) {
    server_->Send(Command::kStatusRes, {handle, known, "0", "0", "0"});
  }
  absl::Time now() { return stack_.simulation.now(); }

  testing::SimulatedStack stack_{1};
  testing::PlayedServer played_{&stack_.simulation, stack_.network(), "jobs"};
  std::unique_ptr<Client> client_;
  std::unique_ptr<testing::PlayedConnection> server_;
  std::string packet_;  // the first submission
};

// Trap 18.
TEST_F(ClientDroppedJobTest, IsSubmittedAgainWithItsUnique) {
  Start(Options());
  const JobRequest request = Submit();
  Repeat(request);
  const absl::Time accepted = now();
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(server_->Receive(), "GET_STATUS H:1");
    EXPECT_EQ(now() - accepted, i * kInterval);
    Answer("H:1", i < 3 ? "1" : "0");
  }
  EXPECT_EQ(Take(*server_, "H:2"), packet_);
  server_->Send(Command::kWorkComplete, {"H:2", "done"});
  RunUntil([&] { return request.finished(); });
  EXPECT_EQ(request.result(), "done");
  const std::vector<AttemptRecord> failed = request.attempts();
  ASSERT_THAT(failed, SizeIs(2));
  EXPECT_EQ(failed[1].reason, FailureReason::kLostAfterAcceptance);
  EXPECT_THAT(std::string(failed[1].status.message()),
              AllOf(HasSubstr("inproc://jobs"), HasSubstr("\"H:1\"")));
  EXPECT_THAT(server_->ReceiveFor(absl::Hours(1)), IsEmpty());
}

TEST_F(ClientDroppedJobTest, HasEndedIfItsEndCameBeforeTheAnswer) {
  Start(Options());
  const JobRequest request = Submit();
  Repeat(request);
  EXPECT_EQ(server_->Receive(), "GET_STATUS H:1");
  server_->Send(Command::kWorkComplete, {"H:1", "done"});
  Answer("H:1", "0");
  EXPECT_THAT(server_->ReceiveFor(absl::Hours(1)), IsEmpty());
  EXPECT_EQ(request.result(), "done");
  EXPECT_EQ(request.connection_attempts(), 2);
}

TEST_F(ClientDroppedJobTest, EndsWithAReasonAfterTheLastAttempt) {
  ClientOptions options = Options();
  options.max_connection_attempts = 2;
  Start(std::move(options));
  const JobRequest request = Submit();
  Repeat(request);
  EXPECT_EQ(server_->Receive(), "GET_STATUS H:1");
  Answer("H:1", "0");
  RunUntil([&] { return request.finished(); });
  EXPECT_EQ(request.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(request.status().message()),
              AllOf(HasSubstr("inproc://jobs"), HasSubstr("\"H:1\""),
                    HasSubstr("submit the job again")));
}

// The `standard` policy repeats a submission that was not answered, and whose
// unique is the caller's. The repetition joined the job, which may have run.
TEST_F(ClientDroppedJobTest, IsNotRepeatedIfItMayRunOnceOnly) {
  ClientOptions options = Options();
  options.idempotent = false;
  options.idempotency_policy = std::make_shared<StandardIdempotencyPolicy>();
  Start(std::move(options));
  const JobRequest request = Submit(WithUnique("u"));
  auto first = Accept();
  EXPECT_THAT(first->Receive(), StartsWith("SUBMIT_JOB resize|u"));
  first->Close();
  server_ = Accept();
  Take(*server_, "H:1");
  EXPECT_EQ(server_->Receive(), "GET_STATUS H:1");
  Answer("H:1", "0");
  RunUntil([&] { return request.finished(); });
  EXPECT_EQ(request.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(request.status().message()),
              AllOf(HasSubstr("outcome unknown"), HasSubstr("idempotent")));
  EXPECT_THAT(server_->ReceiveFor(absl::Hours(1)), IsEmpty());
}

TEST_F(ClientDroppedJobTest, IsSubmittedOnceForAllWhoShareIt) {
  Start(Options());
  const JobRequest first = Submit(WithUnique("u"));
  Repeat(first);
  // The second request's first attempt shares the first request's second one.
  const JobRequest second = Submit(WithUnique("u"));
  RunUntil([&] { return second.state() == JobState::kCreated; });
  EXPECT_EQ(server_->Receive(), "GET_STATUS H:1");
  Answer("H:1", "0");
  EXPECT_EQ(Take(*server_, "H:2"), packet_);
  server_->Send(Command::kWorkComplete, {"H:2", "done"});
  RunUntil([&] { return first.finished() && second.finished(); });
  EXPECT_EQ(first.result(), "done");
  EXPECT_EQ(second.result(), "done");
}

TEST_F(ClientDroppedJobTest, IsAskedAfterByWhoStaysOfThoseWhoShareIt) {
  Start(Options());
  JobRequest first = Submit(WithUnique("u"));
  Repeat(first);
  const JobRequest second = Submit(WithUnique("u"));
  const JobRequest third = Submit(WithUnique("u"));
  RunUntil([&] { return third.state() == JobState::kCreated; });
  first.Cancel();
  EXPECT_EQ(server_->Receive(), "GET_STATUS H:1");
  Answer("H:1", "0");
  EXPECT_EQ(Take(*server_, "H:2"), packet_);
  server_->Send(Command::kWorkComplete, {"H:2", "done"});
  RunUntil([&] { return second.finished() && third.finished(); });
  EXPECT_EQ(second.result(), "done");
  EXPECT_EQ(third.result(), "done");
}

// An empty unique never joins.
TEST_F(ClientDroppedJobTest, CantBeWithoutAUnique) {
  ClientOptions options = Options();
  options.unique_mode = UniqueMode::kNone;
  Start(std::move(options));
  Repeat(Submit());
  EXPECT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk heartbeat");
}

TEST_F(ClientDroppedJobTest, IsAskedAfterInTheIntervalOfHeartbeats) {
  ClientOptions options = Options();
  options.heartbeat_interval = absl::Seconds(7);
  Start(std::move(options));
  Repeat(Submit());
  const absl::Time accepted = now();
  EXPECT_EQ(server_->Receive(), "GET_STATUS H:1");
  EXPECT_EQ(now() - accepted, absl::Seconds(7));
}

TEST_F(ClientDroppedJobTest, IsNotAskedAfterWithoutHeartbeats) {
  ClientOptions options = Options();
  options.heartbeat_interval = absl::InfiniteDuration();
  Start(std::move(options));
  Repeat(Submit());
  EXPECT_THAT(server_->ReceiveFor(absl::Hours(1)), IsEmpty());
}

// The embedded server has the job done.
TEST_F(ClientDroppedJobTest, IsNoneAtTheEmbeddedServer) {
  stack_.StartServer("embedded");
  int connections = 0;
  stack_.plan = [&connections](const Address&) {
    testing::FaultPlan plan;
    // Behind the answer to OPTION_REQ, inside JOB_CREATED.
    if (++connections == 1) plan.cut_after_read = 30;
    return plan;
  };
  ClientOptions options = Options("faulty://embedded");
  int questions = 0;
  options.logger =
      Logger(LogLevel::kDebug, [&](LogLevel, absl::string_view message) {
        if (absl::StrContains(message, "GET_STATUS")) ++questions;
      });
  Start(std::move(options));
  const JobRequest request = Submit();
  stack_.simulation.RunFor(absl::Minutes(10));
  EXPECT_EQ(request.state(), JobState::kCreated);
  EXPECT_EQ(request.connection_attempts(), 2);
  EXPECT_GE(questions, 19);
  Worker& worker = stack_.StartWorker("worker", {"inproc://embedded"});
  ASSERT_TRUE(worker
                  .Register("resize",
                            [](JobContext&) -> absl::StatusOr<std::string> {
                              return "done";
                            })
                  .ok());
  RunUntil([&] { return request.finished(); });
  EXPECT_EQ(request.result(), "done");
  EXPECT_EQ(request.connection_attempts(), 2);
}

}  // namespace
}  // namespace gearman
