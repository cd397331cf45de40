// Client against servers played by hand: echoes and questions for a status.
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(ClientTest, EchoComesBackWithItsRoundTripTime) {
  auto client = MakeClient();
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    EXPECT_EQ(server.ReceiveBody(kEchoReq), "ping");
    server.Send(kEchoRes, {"ping"});
  });
  const absl::StatusOr<EchoReply> reply = client->Echo("ping", "", kLong);
  server_thread.join();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->data, "ping");
  EXPECT_EQ(reply->server, listener_.address());
  EXPECT_GT(reply->round_trip_time, absl::ZeroDuration());
}

TEST_F(ClientTest, AsksForAStatusByHandleOrByUnique) {
  auto client = MakeClient();
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    EXPECT_EQ(server.ReceiveBody(kGetStatus), "H:7");
    server.Send(kStatusRes, {"H:7", "1", "1", "3", "4"});
    EXPECT_EQ(server.ReceiveBody(kGetStatusUnique), "report");
    server.Send(kStatusResUnique, {"report", "1", "0", "0", "0", "2"});
  });
  const absl::StatusOr<JobStatus> by_handle =
      client->GetJobStatus({listener_.address(), "H:7", ""}, kLong);
  const absl::StatusOr<JobStatus> by_unique =
      client->GetJobStatus({"", "", "report"}, kLong);
  server_thread.join();
  ASSERT_TRUE(by_handle.ok()) << by_handle.status();
  EXPECT_TRUE(by_handle->running);
  EXPECT_EQ(by_handle->numerator, 3);
  ASSERT_TRUE(by_unique.ok()) << by_unique.status();
  EXPECT_TRUE(by_unique->known);
  EXPECT_FALSE(by_unique->running);
  EXPECT_EQ(by_unique->client_count, 2);
}

// Trap 24 and 26.
TEST_F(ClientTest, AJobThatTheServerDoesNotKnowIsNoError) {
  auto client = MakeClient();
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    server.ReceiveBody(kGetStatus);
    server.Send(kStatusRes, {"H:7", "0", "0", "0", "0"});
  });
  const absl::StatusOr<JobStatus> status =
      client->GetJobStatus({listener_.address(), "H:7", ""}, kLong);
  server_thread.join();
  ASSERT_TRUE(status.ok());
  EXPECT_FALSE(status->known);
  EXPECT_EQ(status->denominator, 0);
}

TEST_F(ClientTest, GetJobStatusUpdatesTheRequest) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob("t", "");
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  ASSERT_TRUE(client->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  std::thread server_thread([&server] {
    EXPECT_EQ(server.ReceiveBody(kGetStatus), "H:1");
    server.Send(kStatusRes, {"H:1", "1", "0", "", ""});
  });
  ASSERT_TRUE(client->GetJobStatus(request, kLong).ok());
  server_thread.join();
  EXPECT_TRUE(request.job_status().known);
  EXPECT_FALSE(request.job_status().running);
}

TEST_F(ClientTest, ManyStatusesAreAskedAtOnce) {
  auto client = MakeClient();
  std::vector<JobId> ids;
  for (int i = 0; i < 50; ++i) {
    ids.push_back({listener_.address(), absl::StrCat("H:", i), ""});
  }
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    // All questions come before the first answer.
    std::string answers;
    for (int i = 0; i < 50; ++i) {
      const std::string handle = server.ReceiveBody(kGetStatus);
      answers += support::ResponsePacket(
          kStatusRes, {handle, "1", "1", absl::StrCat(i), "50"});
    }
    server.SendBytes(answers);
  });
  const auto statuses = client->GetJobStatuses(absl::MakeConstSpan(ids), kLong);
  server_thread.join();
  ASSERT_THAT(statuses, SizeIs(50));
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(statuses[i].ok());
    EXPECT_EQ(statuses[i]->numerator, i);
  }
}

TEST_F(ClientTest, OneServersUnknownDoesNotHideThatAnotherDidNotAnswer) {
  support::RawListener gone;
  gone.Close();
  ClientOptions options = Options();
  options.servers = {listener_.address(), gone.address()};
  auto client = MakeClient(std::move(options));
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    server.ReceiveBody(kGetStatusUnique);
    server.Send(kStatusResUnique, {"report", "0", "0", "0", "0", "0"});
    server.ReceiveBody(kGetStatusUnique);
    server.Send(kStatusResUnique, {"report", "1", "0", "0", "0", "1"});
  });
  const absl::StatusOr<JobStatus> unknown =
      client->GetJobStatus({"", "", "report"}, kLong);
  const absl::StatusOr<JobStatus> known =
      client->GetJobStatus({"", "", "report"}, kLong);
  server_thread.join();
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(unknown.status().message()),
              HasSubstr(gone.address()));
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_TRUE(known->known);
}

TEST_F(ClientTest, AStatusThatCantBeAskedForSaysWhy) {
  auto client = MakeClient();
  EXPECT_EQ(client->GetJobStatus(JobId{}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client->GetJobStatus(JobId{"", "H:1", ""}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(client->GetJobStatus(JobId{"tcp://elsewhere:1", "H:1", ""})
                      .status()
                      .message()),
      HasSubstr("tcp://elsewhere:1"));
  // Trap 8.
  EXPECT_EQ(
      client->GetJobStatus(JobId{listener_.address(), std::string(64, 'h'), ""})
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace gearman
