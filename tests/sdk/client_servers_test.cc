// Tests of a client's servers: the list, their health, and the age of
// connections, on a virtual clock.
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/plugins/retry/retry_budget.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/sdk/client_servers_fixture.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using wire::Command;

// --- readiness and health

TEST_F(ClientServersTest, IsReadyWhenOneServerAnswers) {
  stack_.StartServer("b");
  Start({"inproc://a", "inproc://b"});
  const absl::Time begin = now();
  EXPECT_TRUE(client_->WaitForReady(absl::Seconds(10)).ok());
  EXPECT_LT(now() - begin, absl::Seconds(1));
  const Health health = client_->health();
  EXPECT_EQ(health.state, HealthState::kDegraded);
  ASSERT_EQ(health.servers.size(), 2u);
  EXPECT_EQ(health.servers[0].state, ServerState::kFailing);
  EXPECT_FALSE(health.servers[0].last_error.ok());
  EXPECT_EQ(health.servers[1].state, ServerState::kUp);
}

TEST_F(ClientServersTest, ServersThatAreSilentDoNotKeepItFromBeingReady) {
  testing::PlayedServer silent(&stack_.simulation, stack_.network(), "a");
  stack_.StartServer("b");
  Start({"inproc://a", "inproc://b"});
  const absl::Time begin = now();
  EXPECT_TRUE(client_->WaitForReady(absl::Hours(1)).ok());
  EXPECT_LT(now() - begin, absl::Seconds(1));
}

TEST_F(ClientServersTest, WaitsForAServerToCome) {
  Start({"inproc://a"});
  const absl::Time begin = now();
  bool started = false;
  stack_.simulation.Drive("starter", [&] {
    if (started) return absl::InfiniteFuture();
    if (now() < begin + absl::Seconds(20)) return begin + absl::Seconds(20);
    started = true;
    stack_.StartServer("a");
    return absl::InfiniteFuture();
  });
  EXPECT_TRUE(client_->WaitForReady(absl::Minutes(5)).ok());
  EXPECT_GE(now() - begin, absl::Seconds(20));
  // The delay that was running has passed.
  EXPECT_LE(now() - begin, absl::Seconds(45));
  EXPECT_EQ(client_->health().state, HealthState::kReady);
}

TEST_F(ClientServersTest, WaitingForReadyEndsWithWhatEachServerSaid) {
  testing::PlayedServer silent(&stack_.simulation, stack_.network(), "a");
  Start({"inproc://a", "inproc://b"});
  const absl::Time begin = now();
  const absl::Status status = client_->WaitForReady(absl::Seconds(10));
  EXPECT_EQ(now() - begin, absl::Seconds(10));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("inproc://a: no answer so far"),
                    HasSubstr("inproc://b")));
}

TEST_F(ClientServersTest, HealthIsKnownWithoutAsking) {
  stack_.StartServer("a");
  stack_.StartServer("b");
  Start({"inproc://a"});
  EXPECT_EQ(client_->health().servers[0].state, ServerState::kIdle);
  EXPECT_EQ(client_->health().state, HealthState::kReady);
  EXPECT_EQ(Placed(), "inproc://a");
  EXPECT_EQ(client_->health().servers[0].state, ServerState::kUp);
  stack_.KillServer("a");
  const JobRequest request = client_->SubmitBackgroundJob("f", "");
  EXPECT_FALSE(client_->WaitUntilJobsAccepted({request}).ok());
  const Health health = client_->health();
  EXPECT_EQ(health.state, HealthState::kDown);
  EXPECT_GE(health.servers[0].failures, 1);
  EXPECT_THAT(ToString(health),
              AllOf(StartsWith("down: 0 of 1 servers can be used\n"
                               "inproc://a failing (3 times): "),
                    HasSubstr("; left alone until ")));
  stack_.StartServer("a");
  EXPECT_EQ(Placed(), "inproc://a");
  EXPECT_EQ(client_->health().state, HealthState::kReady);
  EXPECT_EQ(ToString(client_->health()),
            "ready: 1 of 1 servers can be used\ninproc://a up\n");
}

TEST_F(ClientServersTest, AsksEachServerHowItIs) {
  stack_.StartServer("a");
  testing::PlayedServer silent(&stack_.simulation, stack_.network(), "b");
  Start({"inproc://a", "inproc://b", "inproc://c"});
  const absl::Time begin = now();
  const Health health = client_->CheckHealth(absl::Seconds(3));
  EXPECT_EQ(now() - begin, absl::Seconds(3));
  EXPECT_EQ(health.state, HealthState::kDegraded);
  ASSERT_EQ(health.servers.size(), 3u);
  EXPECT_EQ(health.servers[0].state, ServerState::kUp);
  EXPECT_LT(health.servers[0].round_trip_time, absl::Seconds(1));
  EXPECT_EQ(health.servers[1].state, ServerState::kFailing);
  EXPECT_EQ(health.servers[1].last_error.code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(health.servers[2].state, ServerState::kFailing);
  EXPECT_EQ(health.servers[2].last_error.code(), absl::StatusCode::kNotFound);
}

// --- the circuit breaker

TEST_F(ClientServersTest, AServerIsAvoidedAfterSoManyFailures) {
  stack_.StartServer("b");
  reconnect_.failures_to_open = 3;
  Start({"inproc://a", "inproc://b"});
  int failures = 0;
  for (int i = 0; i < 200; ++i) {
    const JobRequest request = client_->SubmitBackgroundJob("f", "");
    ASSERT_TRUE(client_->WaitUntilJobsAccepted({request}).ok());
    failures += static_cast<int>(request.attempts().size());
  }
  EXPECT_EQ(failures, 3);
}

TEST_F(ClientServersTest, OneRequestAtATimeTriesAServerThatFailed) {
  stack_.StartServer("b");
  Start({"inproc://a", "inproc://b"});
  while (client_->health().state == HealthState::kReady) Placed();
  stack_.simulation.RunFor(absl::Seconds(3));
  // Server a takes connections again, and does not answer yet.
  testing::PlayedServer half_alive(&stack_.simulation, stack_.network(), "a");
  std::vector<JobRequest> requests;
  for (int i = 0; i < 100; ++i) {
    requests.push_back(client_->SubmitBackgroundJob("f", ""));
  }
  Drive();
  const auto tried = half_alive.Accept();
  EXPECT_EQ(tried->Receive(), "OPTION_REQ exceptions");
  EXPECT_THAT(tried->ReceiveFor(absl::Seconds(1)), ::testing::IsEmpty());
  int accepted = 0;
  for (const JobRequest& request : requests) accepted += request.complete();
  EXPECT_EQ(accepted, 99);
  // The server's answer closes the breaker.
  tried->Send(Command::kOptionRes, {"exceptions"});
  EXPECT_THAT(tried->Receive(), StartsWith("SUBMIT_JOB_BG f|"));
  EXPECT_THAT(tried->ReceiveFor(absl::Seconds(1)), ::testing::IsEmpty());
  tried->Send(Command::kJobCreated, {"H:a:1"});
  EXPECT_TRUE(stack_.simulation.RunUntil(
      [this] { return client_->health().state == HealthState::kReady; }));
}

// A server that is down for good, and a client whose every request would be
// tried three times.
TEST_F(ClientServersTest, ABudgetKeepsRetriesFromAddingATenthToTheLoad) {
  ClientOptions options = stack_.ClientDefaults("client", {"inproc://a"});
  options.retry_policy = std::make_shared<RetryBudgetPolicy>(
      std::make_shared<ExponentialBackoffRetryPolicy>());
  client_ = stack_.MakeClient(std::move(options));
  constexpr int kRequests = 3600;
  int attempts = 0;
  for (int second = 0; second < kRequests / 10; ++second) {
    std::vector<JobRequest> requests;
    for (int i = 0; i < 10; ++i) {
      requests.push_back(client_->SubmitBackgroundJob("f", ""));
    }
    EXPECT_FALSE(client_->WaitUntilJobsAccepted(requests).ok());
    for (const JobRequest& request : requests) {
      attempts += static_cast<int>(request.attempts().size());
    }
    stack_.simulation.RunFor(absl::Seconds(1));
  }
  EXPECT_GE(attempts, kRequests);
  EXPECT_LT(attempts, kRequests * 11 / 10);
}

// --- plugins that throw

class ThrowingRetryPolicy : public RetryPolicy {
 public:
  RetryDecision OnFailure(const AttemptFailure& /*failure*/) override {
    throw std::runtime_error("failure");
  }
  void OnSuccess() override { throw std::runtime_error("success"); }
  int DefaultMaxAttempts(int /*servers*/) const override {
    throw std::runtime_error("attempts");
  }
  absl::string_view name() const override { return "throwing"; }
};

class ThrowingSelector : public ServerSelector {
 public:
  size_t Select(const SelectionQuery& /*query*/,
                absl::Span<const ServerCandidate> /*candidates*/,
                absl::BitGenRef /*random*/) override {
    throw std::runtime_error("choice");
  }
  absl::string_view name() const override { return "throwing"; }
};

TEST_F(ClientServersTest, PoliciesAndSelectorsThatThrowAreDoneWithout) {
  stack_.StartServer("b");
  stack_.StartServer("c");
  ClientOptions options = stack_.ClientDefaults(
      "client", {"inproc://a", "inproc://b", "inproc://c"});
  options.retry_policy = std::make_shared<ThrowingRetryPolicy>();
  options.server_selector = std::make_shared<ThrowingSelector>();
  std::vector<std::string> thrown;
  options.logger =
      Logger(LogLevel::kWarning, [&](LogLevel, absl::string_view message) {
        if (absl::StrContains(message, "has thrown")) {
          thrown.push_back(std::string(message));
        }
      });
  client_ = stack_.MakeClient(std::move(options));
  // The first of all; then the first of those that work.
  const JobRequest lost = client_->SubmitBackgroundJob("f", "");
  EXPECT_THAT(std::string(client_->WaitUntilJobsAccepted({lost}).message()),
              HasSubstr("the retry policy has thrown an exception"));
  EXPECT_EQ(lost.connection(), "inproc://a");
  EXPECT_EQ(lost.max_connection_attempts(), 3);
  EXPECT_EQ(Placed(), "inproc://b");
  EXPECT_THAT(
      thrown,
      ElementsAre("RetryPolicy::DefaultMaxAttempts has thrown: attempts",
                  "ServerSelector::Select has thrown: choice",
                  "RetryPolicy::OnFailure has thrown: failure",
                  "RetryPolicy::DefaultMaxAttempts has thrown: attempts",
                  "ServerSelector::Select has thrown: choice",
                  "RetryPolicy::OnSuccess has thrown: success"));
}

// --- servers that come and go

TEST_F(ClientServersTest, AServerThatIsAddedGetsItsShare) {
  stack_.StartServer("a");
  stack_.StartServer("b");
  Start({"inproc://a"});
  EXPECT_EQ(Placed(), "inproc://a");
  EXPECT_TRUE(client_->AddServer("inproc://b").ok());
  EXPECT_THAT(client_->servers(), ElementsAre("inproc://a", "inproc://b"));
  int at_b = 0;
  for (int i = 0; i < 100; ++i) at_b += Placed() == "inproc://b" ? 1 : 0;
  EXPECT_GT(at_b, 20);
  EXPECT_LT(at_b, 80);
}

TEST_F(ClientServersTest, AServerThatIsRemovedFinishesWhatItHas) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  stack_.StartServer("b");
  Start({"inproc://a"});
  Drive();
  const JobRequest request = client_->SubmitJob("f", "");
  const auto old = Accept(played);
  EXPECT_THAT(old->Receive(), StartsWith("SUBMIT_JOB f|"));
  old->Send(Command::kJobCreated, {"H:1"});
  ASSERT_TRUE(client_->AddServer("inproc://b").ok());
  EXPECT_TRUE(client_->RemoveServer("inproc://a").ok());
  EXPECT_THAT(client_->servers(), ElementsAre("inproc://b"));
  EXPECT_EQ(Placed(), "inproc://b");
  EXPECT_EQ(Placed(), "inproc://b");
  old->Send(Command::kWorkComplete, {"H:1", "done"});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return request.finished(); }));
  EXPECT_EQ(request.result(), "done");
  EXPECT_EQ(request.job().connection(), "inproc://a");
  EXPECT_EQ(old->Receive(), "closed");
}

TEST_F(ClientServersTest, AnIdleConnectionOfARemovedServerIsClosedAtOnce) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  stack_.StartServer("b");
  Start({"inproc://a", "inproc://b"});
  Drive();
  // Asked for its own sake.
  EXPECT_EQ(
      client_->Echo("x", "inproc://a", absl::ZeroDuration()).status().code(),
      absl::StatusCode::kDeadlineExceeded);
  const auto connection = Accept(played);
  EXPECT_EQ(connection->Receive(), "ECHO_REQ x");
  connection->Send(Command::kEchoRes, {"x"});
  stack_.simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(client_->RemoveServer("inproc://a").ok());
  EXPECT_EQ(connection->Receive(), "closed");
}

TEST_F(ClientServersTest, ARequestKnowsItsServerWhateverComesInItsPlace) {
  stack_.StartServer("a");
  stack_.StartServer("b");
  Start({"inproc://a"});
  const JobRequest request = client_->SubmitBackgroundJob("f", "");
  EXPECT_TRUE(client_->WaitUntilJobsAccepted({request}).ok());
  std::string before = "inproc://a";
  for (int i = 0; i < 100; ++i) {
    const std::string next = absl::StrCat("inproc://", i);
    ASSERT_TRUE(client_->AddServer(next).ok());
    ASSERT_TRUE(client_->RemoveServer(before).ok());
    before = next;
  }
  ASSERT_TRUE(client_->AddServer("inproc://b").ok());
  ASSERT_TRUE(client_->RemoveServer(before).ok());
  EXPECT_EQ(Placed(), "inproc://b");
  EXPECT_EQ(request.connection(), "inproc://a");
}

// The job with this unique may be at the server that was removed.
TEST_F(ClientServersTest, WhatIsJoinedByItsUniqueReturnsToARemovedServer) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  ClientOptions options = stack_.ClientDefaults("client", {"inproc://a"});
  options.max_connection_attempts = 2;
  options.retry_policy = std::make_shared<ImmediateRetryPolicy>();
  options.backoff_policy =
      std::make_shared<ConstantBackoffPolicy>(absl::Seconds(10));
  options.idempotency_policy = std::make_shared<StandardIdempotencyPolicy>();
  client_ = stack_.MakeClient(std::move(options));
  Drive();
  CallOptions call;
  call.unique = "u";
  const JobRequest request = client_->SubmitJob("f", "", call);
  auto connection = Accept(played);
  EXPECT_EQ(connection->Receive(), "SUBMIT_JOB f|u|");
  connection->Close();
  stack_.simulation.RunFor(absl::Seconds(1));
  ASSERT_TRUE(client_->AddServer("inproc://b").ok());
  ASSERT_TRUE(client_->RemoveServer("inproc://a").ok());
  // Takes the place of the one that was removed.
  ASSERT_TRUE(client_->AddServer("inproc://c").ok());
  connection = Accept(played);
  EXPECT_EQ(connection->Receive(), "SUBMIT_JOB f|u|");
  connection->Send(Command::kJobCreated, {"H:1"});
  connection->Send(Command::kWorkComplete, {"H:1", "done"});
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return request.finished(); }));
  EXPECT_EQ(request.result(), "done");
  EXPECT_EQ(request.connection(), "inproc://a");
  EXPECT_EQ(connection->Receive(), "closed");
}

TEST_F(ClientServersTest, ChangesThatMakeNoSenseAreRefused) {
  stack_.StartServer("a");
  Start({"inproc://a"});
  EXPECT_EQ(client_->AddServer("inproc://a").code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(client_->AddServer("inproc://").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_->AddServer("carrier-pigeon://a").code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(client_->RemoveServer("inproc://b").code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(client_->RemoveServer("inproc://").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_->RemoveServer("inproc://a").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Placed(), "inproc://a");
}

// --- the life of a connection

TEST_F(ClientServersTest, AnOldIdleConnectionIsReplacedBeforeItIsUsed) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  ClientOptions options = stack_.ClientDefaults("client", {"inproc://a"});
  options.heartbeat_interval = absl::InfiniteDuration();
  client_ = stack_.MakeClient(std::move(options));
  Drive();
  const JobRequest first = client_->SubmitBackgroundJob("f", "");
  const auto old = Accept(played);
  EXPECT_THAT(old->Receive(), StartsWith("SUBMIT_JOB_BG f|"));
  old->Send(Command::kJobCreated, {"H:1"});
  stack_.simulation.RunFor(absl::Minutes(31));
  const JobRequest second = client_->SubmitBackgroundJob("f", "");
  EXPECT_EQ(old->Receive(), "closed");
  const auto fresh = Accept(played);
  EXPECT_THAT(fresh->Receive(), StartsWith("SUBMIT_JOB_BG f|"));
}

TEST_F(ClientServersTest, AnOldBusyConnectionIsReplacedAndFinishesItsJobs) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "a");
  ClientOptions options = stack_.ClientDefaults("client", {"inproc://a"});
  options.heartbeat_interval = absl::InfiniteDuration();
  client_ = stack_.MakeClient(std::move(options));
  Drive();
  const JobRequest first = client_->SubmitJob("f", "");
  const auto old = Accept(played);
  EXPECT_THAT(old->Receive(), StartsWith("SUBMIT_JOB f|"));
  old->Send(Command::kJobCreated, {"H:1"});
  stack_.simulation.RunFor(absl::Minutes(31));
  const JobRequest second = client_->SubmitJob("f", "");
  const auto fresh = Accept(played);
  EXPECT_THAT(fresh->Receive(), StartsWith("SUBMIT_JOB f|"));
  fresh->Send(Command::kJobCreated, {"H:2"});
  old->Send(Command::kWorkComplete, {"H:1", "one"});
  fresh->Send(Command::kWorkComplete, {"H:2", "two"});
  EXPECT_EQ(old->Receive(), "closed");
  EXPECT_TRUE(stack_.simulation.RunUntil([&] { return second.finished(); }));
  EXPECT_EQ(first.result(), "one");
  EXPECT_EQ(second.result(), "two");
  EXPECT_EQ(first.job().connection(), second.job().connection());
  EXPECT_THAT(client_->servers(), ElementsAre("inproc://a"));
  EXPECT_THAT(fresh->ReceiveFor(absl::Minutes(20)), Not(ElementsAre("closed")));
}

}  // namespace
}  // namespace gearman
