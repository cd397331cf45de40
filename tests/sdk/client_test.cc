// Client against servers played by hand: what it sends, options and waiting.
// Callbacks are in client_callbacks_test.cc, what it asks in
// client_queries_test.cc, what it says when things go wrong in
// client_failures_test.cc.
#include "gearman/sdk/client.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string UniqueOf(const std::string& body) {
  const std::vector<std::string> arguments = absl::StrSplit(body, '\0');
  return arguments.size() > 1 ? arguments[1] : "";
}

// --- what goes out -----------------------------------------------------------

TEST_F(ClientTest, RunReturnsTheResult) {
  auto client = MakeClient();
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    const std::string body = server.ReceiveBody(kSubmitJob);
    EXPECT_THAT(body, HasSubstr(std::string("reverse\0", 8)));
    server.Send(kJobCreated, {"H:1"});
    server.Send(kWorkComplete, {"H:1", "olleh"});
  });
  const absl::StatusOr<std::string> result = client->Run("reverse", "hello");
  server_thread.join();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "olleh");
}

TEST_F(ClientTest, RunMapsAFailedJobToAborted) {
  auto client = MakeClient();
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:1"});
    server.Send(kWorkFail, {"H:1"});
  });
  EXPECT_EQ(client->Run("reverse", "hello").status().code(),
            absl::StatusCode::kAborted);
  server_thread.join();
}

// Trap 22.
TEST_F(ClientTest, AsksEachNewConnectionForExceptions) {
  auto client = MakeClient();
  for (int connection = 0; connection < 2; ++connection) {
    const JobRequest request = client->SubmitBackgroundJob("t", "");
    PlayedServer server(&listener_);  // expects the question
    server.ReceiveBody(kSubmitJobBg);
    server.Send(kJobCreated, {"H:1"});
    ASSERT_TRUE(client->Wait(request, kLong).ok());
  }
}

TEST_F(ClientTest, AsksForNoExceptionsWhenTold) {
  ClientOptions options = Options();
  options.exceptions = false;
  auto client = MakeClient(options);
  client->SubmitBackgroundJob("t", "d");
  absl::StatusOr<support::RawConnection> server = listener_.Accept();
  ASSERT_TRUE(server.ok());
  const absl::StatusOr<std::string> packet = server->ReceivePacket();
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ((*packet)[7], static_cast<char>(kSubmitJobBg));
}

TEST_F(ClientTest, AServerThatKnowsNoExceptionsIsUsedAllTheSame) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob("t", "d");
  absl::StatusOr<support::RawConnection> server = listener_.Accept();
  ASSERT_TRUE(server.ok());
  ASSERT_TRUE(
      server
          ->Send(support::ResponsePacket(kError, {"unknown_option", "what?"}) +
                 support::ResponsePacket(kJobCreated, {"H:1"}) +
                 support::ResponsePacket(kWorkComplete, {"H:1", "r"}))
          .ok());
  EXPECT_TRUE(client->Wait(request, kLong).ok());
}

// Trap 49: background jobs too, of which a persistent queue keeps one for each
// unique and task.
TEST_F(ClientTest, MakesARandomUniqueOf128BitsInHex) {
  auto client = MakeClient();
  std::set<std::string> uniques;
  for (int i = 0; i < 100; ++i) client->SubmitBackgroundJob("t", "same");
  PlayedServer server(&listener_);
  for (int i = 0; i < 100; ++i) {
    const std::string unique = UniqueOf(server.ReceiveBody(kSubmitJobBg));
    EXPECT_THAT(unique, SizeIs(32));
    EXPECT_EQ(unique.find_first_not_of("0123456789abcdef"), std::string::npos);
    uniques.insert(unique);
  }
  EXPECT_THAT(uniques, SizeIs(100));
}

TEST_F(ClientTest, MakesTheUniqueFromThePayloadWhenTold) {
  ClientOptions options = Options();
  options.unique_mode = UniqueMode::kPayload;
  auto client = MakeClient(options);
  client->SubmitBackgroundJob("t", "same");
  client->SubmitBackgroundJob("t", "same");
  client->SubmitBackgroundJob("t", "other");
  client->SubmitBackgroundJob("u", "same");
  PlayedServer server(&listener_);
  std::vector<std::string> uniques;
  for (int i = 0; i < 4; ++i) {
    uniques.push_back(UniqueOf(server.ReceiveBody(kSubmitJobBg)));
  }
  EXPECT_EQ(uniques[0], uniques[1]);
  EXPECT_NE(uniques[0], uniques[2]);
  EXPECT_NE(uniques[0], uniques[3]);
  // The value is fixed for every machine and version: FNV-1a, 128 bits.
  EXPECT_THAT(uniques[0], SizeIs(32));
}

TEST_F(ClientTest, SendsTheSpecialAndTheEmptyUniqueWhenTold) {
  for (const auto& expected : {std::make_pair(UniqueMode::kDash, "-"),
                               std::make_pair(UniqueMode::kNone, "")}) {
    ClientOptions options = Options();
    options.unique_mode = expected.first;
    auto client = MakeClient(options);
    client->SubmitBackgroundJob("t", "d");
    PlayedServer server(&listener_);
    EXPECT_EQ(UniqueOf(server.ReceiveBody(kSubmitJobBg)), expected.second);
  }
}

TEST_F(ClientTest, PutsThePrefixBeforeTasksOnTheWireOnly) {
  ClientOptions options = Options();
  options.task_prefix = "staging:";
  auto client = MakeClient(options);
  const JobRequest request = client->SubmitBackgroundJob("t", "d");
  PlayedServer server(&listener_);
  EXPECT_THAT(server.ReceiveBody(kSubmitJobBg),
              ::testing::StartsWith(std::string("staging:t\0", 10)));
  EXPECT_EQ(request.task(), "t");
}

TEST_F(ClientTest, SendsADelayedJobWithItsEpoch) {
  auto client = MakeClient();
  JobSpec spec("t", "data");
  spec.options.unique = "u";
  spec.options.run_at = absl::FromUnixSeconds(4000000000);
  const JobRequest request = client->SubmitJob(std::move(spec));
  EXPECT_TRUE(request.background());
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitJobEpoch), std::string("t\0u\0"
                                                             "4000000000\0data",
                                                             19));
}

TEST_F(ClientTest, RoundsTheTimeOfADelayedJobUp) {
  auto client = MakeClient();
  JobSpec spec("t", "data");
  spec.options.unique = "u";
  spec.options.run_at =
      absl::FromUnixSeconds(4000000000) + absl::Nanoseconds(1);
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitJobEpoch), std::string("t\0u\0"
                                                             "4000000001\0data",
                                                             19));
}

// Trap 9.
TEST_F(ClientTest, RefusesATimeThatNoServerCanHold) {
  auto client = MakeClient();
  for (const absl::Time time : {absl::InfiniteFuture(), absl::InfinitePast()}) {
    JobSpec spec("t", "data");
    spec.options.run_at = time;
    EXPECT_EQ(client->SubmitJob(std::move(spec)).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

// Trap 3, 4 and 17.
TEST_F(ClientTest, RefusesWhatNoServerTakesBeforeSendingAnything) {
  auto client = MakeClient();
  CallOptions nul_unique, long_unique;
  nul_unique.unique = std::string("a\0b", 3);
  long_unique.unique = std::string(64, 'u');
  const JobRequest refused[] = {client->SubmitJob(std::string("t\0u", 3), "d"),
                                client->SubmitJob(std::string(9000, 't'), "d"),
                                client->SubmitJob("t", "d", nul_unique),
                                client->SubmitJob("t", "d", long_unique)};
  for (const JobRequest& request : refused) {
    EXPECT_TRUE(request.finished());
    EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument)
        << request.status();
    EXPECT_EQ(request.state(), JobState::kUnknown);
  }
  // Nothing of them is on the wire: the next packet is the next job's.
  const JobRequest fine = client->SubmitJob("t", "d");
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  EXPECT_TRUE(client->WaitUntilJobsAccepted({&fine, 1}, kLong).ok());
}

TEST_F(ClientTest, ThousandSubmissionsLeaveInFewWritesAndGetTheirOwnHandles) {
  auto client = MakeClient();
  std::vector<JobSpec> specs;
  for (int i = 0; i < 1000; ++i) specs.emplace_back("t", absl::StrCat(i));
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs(std::move(specs));
  PlayedServer server(&listener_);
  std::string replies;
  for (int i = 0; i < 1000; ++i) {
    server.ReceiveBody(kSubmitJob);
    replies += support::ResponsePacket(kJobCreated, {absl::StrCat("H:", i)});
  }
  // Results in the opposite order.
  for (int i = 999; i >= 0; --i) {
    replies += support::ResponsePacket(
        kWorkComplete, {absl::StrCat("H:", i), absl::StrCat("result ", i)});
  }
  server.SendBytes(replies);
  ASSERT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(requests[i].handle(), absl::StrCat("H:", i));
    EXPECT_EQ(requests[i].result(), absl::StrCat("result ", i));
  }
}

// --- options -----------------------------------------------------------------

TEST_F(ClientTest, CallOptionsMergeOverTheClientsFieldByField) {
  ClientOptions options = Options();
  options.priority = Priority::kLow;
  options.timeout = absl::Hours(1);
  options.max_connection_attempts = 4;
  auto client = MakeClient(options);
  const JobRequest plain = client->SubmitBackgroundJob("t", "");
  CallOptions call;
  call.priority = Priority::kHigh;
  const JobRequest high = client->SubmitBackgroundJob("t", "", call);
  EXPECT_EQ(plain.priority(), Priority::kLow);
  EXPECT_EQ(high.priority(), Priority::kHigh);
  EXPECT_EQ(high.max_connection_attempts(), 4);
}

TEST_F(ClientTest, OptionsThatCantBeRightAreRefusedByName) {
  ClientOptions options = Options();
  options.connect_timeout = absl::ZeroDuration();
  EXPECT_THAT(std::string(Client::Create(options).status().message()),
              HasSubstr("connect_timeout"));
  options = Options();
  options.servers = {"localhost:port"};
  EXPECT_EQ(Client::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options.servers = {"gopher://localhost"};
  const absl::Status unknown_scheme = Client::Create(options).status();
  EXPECT_EQ(unknown_scheme.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown_scheme.message()), HasSubstr("tcp://"));
  options.servers = {"localhost:1", "tcp://localhost:1"};
  EXPECT_THAT(std::string(Client::Create(options).status().message()),
              HasSubstr("twice"));
}

TEST_F(ClientTest, CallsWithValuesThatCantBeRightAreRefused) {
  auto client = MakeClient();
  CallOptions no_time, no_attempts, delayed_high;
  no_time.timeout = absl::ZeroDuration();
  no_attempts.max_connection_attempts = 0;
  delayed_high.run_at = absl::FromUnixSeconds(4000000000);
  delayed_high.priority = Priority::kHigh;
  for (const CallOptions& call : {no_time, no_attempts, delayed_high}) {
    EXPECT_EQ(client->SubmitJob("t", "", call).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

// --- waiting -----------------------------------------------------------------

TEST_F(ClientTest, OneTimeoutHoldsForAllThatAreWaitedFor) {
  auto client = MakeClient();
  std::vector<JobSpec> specs(3, JobSpec("t", ""));
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs(std::move(specs));
  PlayedServer server(&listener_);
  for (int i = 0; i < 3; ++i) {
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {absl::StrCat("H:", i)});
  }
  server.Send(kWorkComplete, {"H:1", "done"});
  ASSERT_TRUE(client->Wait(requests[1], kLong).ok());
  const absl::Status status =
      client->WaitUntilJobsCompleted(requests, absl::Milliseconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("2 of 3"));
  EXPECT_TRUE(requests[0].timed_out());
  EXPECT_FALSE(requests[1].timed_out());
  EXPECT_TRUE(requests[2].timed_out());
}

TEST_F(ClientTest, WhatIsUnknownIsSubmittedAgainAndTheRestLeftAlone) {
  auto client = MakeClient();
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs({JobSpec("t", "lost"), JobSpec("t", "done")});
  {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:1"});
    server.Send(kJobCreated, {"H:2"});
    server.Send(kWorkComplete, {"H:2", "result"});
    EXPECT_TRUE(client->Wait(requests[1], kLong).ok());
  }
  EXPECT_EQ(client->Wait(requests[0], kLong).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(requests[0].state(), JobState::kUnknown);
  ASSERT_TRUE(client->SubmitMultipleRequests(requests).ok());
  PlayedServer server(&listener_);
  EXPECT_THAT(server.ReceiveBody(kSubmitJob), HasSubstr("lost"));
  server.Send(kJobCreated, {"H:3"});
  server.Send(kWorkComplete, {"H:3", "at last"});
  ASSERT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
  EXPECT_EQ(requests[0].result(), "at last");
  EXPECT_EQ(requests[1].result(), "result");
}

TEST_F(ClientTest, ARequestInFlightElsewhereIsNamed) {
  auto first = MakeClient();
  auto second = MakeClient();
  const JobRequest request = first->SubmitJob("t", "");
  EXPECT_EQ(second->SubmitMultipleRequests({&request, 1}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second->Wait(request, kLong).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientTest, WaitingForWhatWasNeverSubmittedIsAMistake) {
  auto client = MakeClient();
  const JobRequest request(JobSpec("t", ""));
  EXPECT_EQ(client->Wait(request).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientTest, ManyThreadsWaitAndEachGetsItsOwn) {
  auto client = MakeClient();
  constexpr int kThreads = 16;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&client, &right, i] {
      const absl::StatusOr<std::string> result =
          client->Run("t", absl::StrCat("data ", i));
      if (result.ok() && *result == absl::StrCat("data ", i)) ++right;
    });
  }
  PlayedServer server(&listener_);
  std::vector<std::string> data;
  for (int i = 0; i < kThreads; ++i) {
    const std::vector<std::string> arguments =
        absl::StrSplit(server.ReceiveBody(kSubmitJob), '\0');
    data.push_back(arguments.back());
    server.Send(kJobCreated, {absl::StrCat("H:", i)});
  }
  // The last one first: its thread need not be the one that drives.
  for (int i = kThreads - 1; i >= 0; --i) {
    server.Send(kWorkComplete, {absl::StrCat("H:", i), data[i]});
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kThreads);
}

// --- driving by hand ---------------------------------------------------------

TEST_F(ClientTest, ACallerOnlyClientWorksByTheCallersThread) {
  ClientOptions options = Options();
  options.drive_mode = DriveMode::kCallerOnly;
  auto client = MakeClient(options);
  const JobRequest request = client->SubmitJob("t", "d");
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:1"});
    server.Send(kWorkComplete, {"H:1", "r"});
  });
  while (!request.finished()) {
    client->RunOnce(Clock::Real()->Now() + absl::Seconds(1));
  }
  server_thread.join();
  EXPECT_EQ(request.result(), "r");
}

}  // namespace
}  // namespace gearman
