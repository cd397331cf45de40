// Client against servers played by hand: servers that fail, peers that break
// the protocol, and limits that are reached.
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// --- failures ----------------------------------------------------------------

TEST_F(ClientTest, TriesTheNextServerWhenOneCantBeReached) {
  support::RawListener dead;
  ClientOptions options = Options();
  options.servers = {dead.address(), listener_.address()};
  dead.Close();
  auto client = MakeClient(options);
  std::vector<JobSpec> specs(20, JobSpec("t", ""));
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs(std::move(specs));
  PlayedServer server(&listener_);
  for (int i = 0; i < 20; ++i) {
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {absl::StrCat("H:", i)});
  }
  ASSERT_TRUE(client->WaitUntilJobsAccepted(requests, kLong).ok());
  for (const JobRequest& request : requests) {
    EXPECT_EQ(request.connection(), listener_.address());
    EXPECT_EQ(request.connection_attempts(),
              static_cast<int>(request.attempts().size()) + 1);
  }
}

TEST_F(ClientTest, NamesEveryServerAndWhyEachFailed) {
  support::RawListener dead1, dead2, dead3;
  ClientOptions options = Options();
  options.servers = {dead1.address(), dead2.address(), dead3.address()};
  for (support::RawListener* dead : {&dead1, &dead2, &dead3}) dead->Close();
  auto client = MakeClient(options);
  const absl::StatusOr<std::string> result = client->Run("t", "");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  const std::string message(result.status().message());
  for (const std::string& server : options.servers) {
    EXPECT_THAT(message, HasSubstr(server));
  }
  EXPECT_THAT(message, HasSubstr("Connection refused"));
  EXPECT_THAT(message, HasSubstr("attempt 3 of 3"));
}

TEST_F(ClientTest, ASubmissionOfUnknownOutcomeIsNotRepeatedSilently) {
  support::RawListener other;
  ClientOptions options = Options();
  options.servers = {listener_.address()};
  options.max_connection_attempts = 5;
  auto client = MakeClient(options);
  const JobRequest request = client->SubmitJob("t", "");
  {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
  }
  const absl::Status status = client->Wait(request, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("outcome unknown"));
  EXPECT_EQ(request.connection_attempts(), 1);
  EXPECT_TRUE(request.attempts()[0].bytes_sent);
}

TEST_F(ClientTest, AnIdempotentOneIsRepeatedWithTheSameUnique) {
  ClientOptions options = Options();
  options.max_connection_attempts = 2;
  auto client = MakeClient(options);
  CallOptions call;
  call.idempotent = true;
  const JobRequest request = client->SubmitJob("t", "d", call);
  std::string first;
  {
    PlayedServer server(&listener_);
    first = server.ReceiveBody(kSubmitJob);
  }
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), first);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", "r"});
  EXPECT_TRUE(client->Wait(request, kLong).ok());
}

// Trap 46.
TEST_F(ClientTest, AServerStopEndsEveryPendingRequestWithAnError) {
  auto client = MakeClient();
  std::vector<JobSpec> specs(10, JobSpec("t", ""));
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs(std::move(specs));
  {
    PlayedServer server(&listener_);
    for (int i = 0; i < 10; ++i) server.ReceiveBody(kSubmitJob);
    for (int i = 0; i < 5; ++i) {
      server.Send(kJobCreated, {absl::StrCat("H:", i)});
    }
    ASSERT_TRUE(client
                    ->WaitUntilJobsAccepted(
                        absl::MakeConstSpan(requests).subspan(0, 5), kLong)
                    .ok());
  }
  EXPECT_EQ(client->WaitUntilJobsCompleted(requests, kLong).code(),
            absl::StatusCode::kUnavailable);
  for (const JobRequest& request : requests) {
    EXPECT_EQ(request.state(), JobState::kUnknown);
    EXPECT_THAT(std::string(request.status().message()),
                HasSubstr(listener_.address()));
  }
}

TEST_F(ClientTest, AnErrorInPlaceOfAnAcceptanceFailsOnlyItsOwnRequest) {
  auto client = MakeClient();
  std::vector<JobSpec> specs(3, JobSpec("t", ""));
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs(std::move(specs));
  PlayedServer server(&listener_);
  for (int i = 0; i < 3; ++i) server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kError, {"QUEUE_ERROR", "Job queue is full"});
  server.Send(kJobCreated, {"H:3"});
  const absl::Status status = client->WaitUntilJobsAccepted(requests, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(requests[0].state(), JobState::kCreated);
  EXPECT_EQ(requests[1].state(), JobState::kFailed);
  EXPECT_EQ(requests[2].handle(), "H:3");
}

// Trap 44.
TEST_F(ClientTest, AConnectionThatIsNeverServedEndsByTimeLimit) {
  ClientOptions options = Options();
  options.reply_timeout = absl::Milliseconds(50);
  auto client = MakeClient(options);
  const absl::StatusOr<std::string> result = client->Run("t", "");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("reply_timeout"));
}

TEST_F(ClientTest, AServerThatDoesNotAnswerOptionRequestsIsHintedAt) {
  for (const bool exceptions : {true, false}) {
    ClientOptions options = Options();
    options.reply_timeout = absl::Milliseconds(50);
    options.exceptions = exceptions;
    auto client = MakeClient(options);
    const absl::Status run = client->Run("t", "").status();
    const absl::Status asked =
        client->Echo("x", listener_.address(), absl::Milliseconds(20)).status();
    for (const absl::Status& status : {run, asked}) {
      EXPECT_EQ(absl::StrContains(status.message(), "exceptions = false"),
                exceptions)
          << status;
    }
  }
}

TEST_F(ClientTest, ARestartBetweenTwoCallsIsNotNoticed) {
  ClientOptions options = Options();
  auto client = MakeClient(options);
  for (int round = 0; round < 2; ++round) {
    std::thread server_thread([this] {
      PlayedServer server(&listener_);
      server.ReceiveBody(kEchoReq);
      server.Send(kEchoRes, {"ping"});
    });
    EXPECT_TRUE(client->Echo("ping", "", kLong).ok());
    server_thread.join();
  }
}

// --- a peer that breaks the protocol -----------------------------------------

class ClientBadPeerTest : public ClientTest,
                          public ::testing::WithParamInterface<std::string> {};

TEST_P(ClientBadPeerTest, FailsThatConnectionOnlyWithDataLoss) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob("t", "");
  {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.SendBytes(GetParam());
    server.Close();
  }
  const absl::Status status = client->Wait(request, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(listener_.address()));
  EXPECT_EQ(request.state(), JobState::kUnknown);
  // The process lives on, and so does the client.
  const JobRequest next = client->SubmitJob("t", "");
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", "fine"});
  EXPECT_TRUE(client->Wait(next, kLong).ok());
}

INSTANTIATE_TEST_SUITE_P(
    All, ClientBadPeerTest,
    ::testing::Values(
        std::string("random bytes that are no packet at all"),
        support::ResponsePacket(kWorkComplete, {"H:9", "nobody asked"}),
        support::ResponsePacket(kEchoRes, {"out of turn"}),
        support::ResponsePacket(kJobCreated, {std::string(64, 'h')}),
        // Truncated: it says more than it sends.
        support::ResponsePacket(kJobCreated, {"H:1"}).substr(0, 13),
        // A huge length.
        support::RawPacket(std::string("\0RES", 4), kWorkComplete, "")
                .substr(0, 8) +
            "\x7f\xff\xff\xff",
        support::ResponsePacket(99, {"unknown type"}),
        support::RequestPacket(kJobCreated, {"H:1"}),
        support::ResponsePacket(11, {"H:1", "a worker's packet", ""}),
        support::ResponsePacket(kWorkStatus, {"H:1"})));

// --- limits ------------------------------------------------------------------

class ClientLimitTest : public ClientTest {
 protected:
  std::unique_ptr<Client> ClientWithLimit(WhenFull when_full) {
    ClientOptions options = Options();
    options.limits.max_requests_in_flight = 2;
    options.limits.when_full = when_full;
    return MakeClient(options);
  }
  // Three jobs, of which the last finds no room.
  std::vector<JobRequest> SubmitOneTooMany(Client& client) {
    std::vector<JobSpec> specs(3, JobSpec("t", ""));
    specs[2].options.callbacks.on_complete = [this](const JobRequest&) {
      ++completed_;
    };
    return client.SubmitMultipleJobs(std::move(specs));
  }

  int completed_ = 0;
};

TEST_F(ClientLimitTest, AFullClientFailsTheNextRequestWhenTold) {
  auto client = ClientWithLimit(WhenFull::kFail);
  const auto requests = SubmitOneTooMany(*client);
  EXPECT_EQ(client->Wait(requests[2], kLong).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(completed_, 1);
  EXPECT_FALSE(requests[1].finished());
}

TEST_F(ClientLimitTest, AFullClientDropsTheNextRequestSilentlyWhenTold) {
  auto client = ClientWithLimit(WhenFull::kDrop);
  const auto requests = SubmitOneTooMany(*client);
  EXPECT_TRUE(requests[2].finished());
  EXPECT_EQ(requests[2].status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(completed_, 0);
}

TEST_F(ClientLimitTest, ADroppedRequestHasItsCallbacksWhenSubmittedAgain) {
  auto client = ClientWithLimit(WhenFull::kDrop);
  const auto requests = SubmitOneTooMany(*client);
  ASSERT_TRUE(requests[2].finished());
  requests[0].Cancel();
  ASSERT_TRUE(client->SubmitMultipleRequests({requests[2]}).ok());
  requests[2].Cancel();
  EXPECT_TRUE(absl::IsCancelled(client->Wait(requests[2], kLong)));
  EXPECT_EQ(completed_, 1);
}

TEST_F(ClientLimitTest, AFullClientWaitsForRoomByDefault) {
  auto client = ClientWithLimit(WhenFull::kBlock);
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    for (int i = 0; i < 10; ++i) {
      server.ReceiveBody(kSubmitJobBg);
      server.Send(kJobCreated, {absl::StrCat("H:", i)});
    }
  });
  std::vector<JobSpec> specs(10, JobSpec("t", ""));
  for (JobSpec& spec : specs) spec.background = true;
  const auto requests = client->SubmitMultipleJobs(std::move(specs));
  EXPECT_TRUE(client->WaitUntilJobsAccepted(requests, kLong).ok());
  server_thread.join();
}

TEST_F(ClientLimitTest, WaitingForRoomEndsWithTheRequestsTimeout) {
  auto client = ClientWithLimit(WhenFull::kBlock);
  std::vector<JobSpec> specs(3, JobSpec("t", ""));
  specs[2].options.timeout = absl::Milliseconds(20);
  const auto requests = client->SubmitMultipleJobs(std::move(specs));
  EXPECT_EQ(requests[2].status().code(), absl::StatusCode::kDeadlineExceeded);
}

// Trap 48.
TEST_F(ClientLimitTest, AServerThatDoesNotReadFillsNoMoreThanTheLimit) {
  ClientOptions options = Options();
  options.limits.max_output_bytes = 1 << 20;
  options.limits.when_full = WhenFull::kFail;
  auto client = MakeClient(options);
  size_t refused = 0;
  // The socket takes a few MB; what is beyond the limit is refused.
  for (int i = 0; i < 64; ++i) {
    const JobRequest request =
        client->SubmitBackgroundJob("t", std::string(1 << 20, 'x'));
    refused += request.status().code() == absl::StatusCode::kResourceExhausted;
  }
  EXPECT_GT(refused, 32u);
}

TEST_F(ClientLimitTest, UpdatesThatNobodyTakesEndTheRequestAtTheirLimit) {
  ClientOptions options = Options();
  options.limits.max_update_bytes = 10;
  auto client = MakeClient(options);
  const JobRequest request = client->SubmitJob("t", "");
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkData, {"H:1", "0123456789"});
  server.Send(kWorkData, {"H:1", "!"});
  EXPECT_EQ(client->Wait(request, kLong).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(request.data_updates(), ElementsAre("0123456789"));
}

TEST_F(ClientLimitTest, UpdatesOfAllRequestsTogetherHaveALimit) {
  ClientOptions options = Options();
  options.limits.max_memory_bytes = 1'000'000;
  auto client = MakeClient(options);
  const JobRequest first = client->SubmitJob("t", "");
  const JobRequest second = client->SubmitJob("t", "");
  PlayedServer server(&listener_);
  for (int i = 1; i <= 2; ++i) {
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {absl::StrCat("H:", i)});
  }
  const std::string part(20'000, 'x');
  for (int i = 0; i < 30; ++i) server.Send(kWorkData, {"H:1", part});
  for (int i = 0; i < 30; ++i) server.Send(kWorkData, {"H:2", part});
  const absl::Status status = client->Wait(second, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr(listener_.address()), HasSubstr("max_memory_bytes")));
  // Taking updates makes room again. The other request goes on.
  EXPECT_FALSE(first.finished());
  for (int i = 0; i < 30; ++i) EXPECT_EQ(first.TakeDataUpdate(), part);
  for (int i = 0; i < 30; ++i) server.Send(kWorkData, {"H:1", part});
  server.Send(kWorkComplete, {"H:1", "done"});
  EXPECT_TRUE(client->Wait(first, kLong).ok());
  EXPECT_EQ(first.result(), "done");
}

TEST_F(ClientLimitTest, EmptyUpdatesCountForTheirRecords) {
  ClientOptions options = Options();
  options.limits.max_memory_bytes = 400'000;
  auto client = MakeClient(options);
  const JobRequest request = client->SubmitJob("t", "");
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  std::string updates;
  for (int i = 0; i < 20'000; ++i) {
    updates += support::ResponsePacket(kWorkData, {"H:1", ""});
  }
  server.SendBytes(updates);
  EXPECT_EQ(client->Wait(request, kLong).code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace gearman
