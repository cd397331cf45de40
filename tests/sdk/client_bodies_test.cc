// A client whose jobs' data comes from sources, and a server that the test
// plays.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/body_source.h"
#include "gearman/plugins/server_selection/round_robin_selector.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::gearman::testing::FunctionSource;
using ::gearman::testing::PatternBytes;
using ::gearman::testing::PatternSource;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kMiB = 1 << 20;

JobSpec BodySpec(std::shared_ptr<BodySource> body, std::string unique = "u") {
  JobSpec spec("store", "");
  spec.body = std::move(body);
  spec.options.unique = std::move(unique);
  return spec;
}

// Has so many bytes, and fails when the byte at `fails_at` is asked for.
std::shared_ptr<BodySource> Failing(uint64_t size, uint64_t fails_at) {
  return std::make_shared<FunctionSource>(
      size,
      [fails_at](uint64_t offset,
                 absl::Span<char> into) -> absl::StatusOr<size_t> {
        if (offset >= fails_at) return absl::DataLossError("the disk is worn");
        const size_t size = static_cast<size_t>(
            std::min<uint64_t>({into.size(), 1000, fails_at - offset}));
        for (size_t i = 0; i < size; ++i) {
          into[i] = gearman::testing::PatternByte(offset + i);
        }
        return size;
      });
}

class ClientBodiesTest : public ClientTest {
 protected:
  // The kernel takes little of a body that its server does not read: up to
  // 4 MiB at the client's end, and this at the server's.
  void LimitKernel() { listener_.LimitReceiveBuffer(kMiB / 16); }
  // The body of the packet of a job with this data.
  static std::string Sent(const std::string& data,
                          const std::string& unique = "u") {
    const std::string nul(1, '\0');
    return "store" + nul + unique + nul + data;
  }
  static std::string MessageOf(const JobRequest& request) {
    return std::string(request.status().message());
  }
};

TEST_F(ClientBodiesTest, ABodyArrivesAsAnyDataDoes) {
  const auto client = MakeClient();
  std::unique_ptr<PlayedServer> server;
  for (const size_t size : {size_t{0}, size_t{1}, 3 * kMiB + 5}) {
    const JobRequest request =
        client->SubmitJob(BodySpec(std::make_shared<PatternSource>(size)));
    EXPECT_EQ(request.body()->size(), size);
    EXPECT_TRUE(request.data().empty());
    if (server == nullptr) server = std::make_unique<PlayedServer>(&listener_);
    EXPECT_EQ(server->ReceiveBody(kSubmitJob), Sent(PatternBytes(0, size)));
    server->Send(kJobCreated, {"H:1"});
    server->Send(kWorkComplete, {"H:1", "stored"});
    ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
    EXPECT_EQ(request.result(), "stored");
  }
}

TEST_F(ClientBodiesTest, PacketsBehindABodyFollowIt) {
  const auto client = MakeClient();
  const JobRequest first =
      client->SubmitJob(BodySpec(std::make_shared<PatternSource>(kMiB), "1"));
  JobSpec plain("store", "plain");
  plain.options.unique = "2";
  const JobRequest second = client->SubmitJob(std::move(plain));
  const JobRequest third =
      client->SubmitJob(BodySpec(std::make_shared<PatternSource>(kMiB), "3"));
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), Sent(PatternBytes(0, kMiB), "1"));
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), Sent("plain", "2"));
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), Sent(PatternBytes(0, kMiB), "3"));
}

// A body counts only with the bytes of it that are held. With its whole size
// the client would take nothing more.
TEST_F(ClientBodiesTest, ABodyThatWaitsDoesNotFillTheClient) {
  ClientOptions options = Options();
  options.limits.max_output_bytes = 8 * kMiB;
  options.limits.when_full = WhenFull::kFail;
  const auto client = MakeClient(std::move(options));
  std::vector<JobRequest> requests;
  for (int i = 0; i < 20; ++i) {
    requests.push_back(client->SubmitJob(
        BodySpec(std::make_shared<PatternSource>(10 * kMiB), absl::StrCat(i))));
    EXPECT_FALSE(requests.back().finished()) << requests.back().status();
  }
}

TEST_F(ClientBodiesTest, ItsSizeHasTheLimitOfPackets) {
  ClientOptions options = Options();
  options.limits.max_packet_bytes = kMiB;
  const auto client = MakeClient(std::move(options));
  for (const uint64_t size : {uint64_t{kMiB}, UINT64_MAX}) {
    const JobRequest request =
        client->SubmitJob(BodySpec(std::make_shared<PatternSource>(size)));
    EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(MessageOf(request),
                HasSubstr(absl::StrCat("the payload has ", size, " bytes")));
  }
}

// The limit of memory is for what comes: a body that is sent is not held.
TEST_F(ClientBodiesTest, TheLimitOfMemoryIsNotItsLimit) {
  ClientOptions options = Options();
  options.limits.max_memory_bytes = kMiB;
  const auto client = MakeClient(std::move(options));
  const JobRequest request =
      client->SubmitJob(BodySpec(std::make_shared<PatternSource>(3 * kMiB)));
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), Sent(PatternBytes(0, 3 * kMiB)));
}

TEST_F(ClientBodiesTest, RefusesWhatCanNotBeRight) {
  ClientOptions options = Options();
  options.unique_mode = UniqueMode::kPayload;
  const auto client = MakeClient(std::move(options));

  JobSpec both = BodySpec(std::make_shared<PatternSource>(5));
  both.data = "data";
  const JobRequest two = client->SubmitJob(std::move(both));
  EXPECT_EQ(two.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(two), HasSubstr("data and a body"));

  JobSpec hashed("store", "");
  hashed.body = std::make_shared<PatternSource>(5);
  const JobRequest unknown = client->SubmitJob(std::move(hashed));
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(unknown), HasSubstr("UniqueMode::kPayload"));
}

TEST_F(ClientBodiesTest, ASourceThatFailsEndsItsRequestWithItsError) {
  ClientOptions options = Options();
  options.max_connection_attempts = 1;
  const auto client = MakeClient(std::move(options));
  const JobRequest before = client->SubmitJob(ReverseSpec("before"));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  // Nothing can be sent to a client that has closed the connection.
  ASSERT_TRUE(client->WaitUntilJobsAccepted({before}, kLong).ok());
  std::vector<JobSpec> specs;
  specs.push_back(BodySpec(Failing(10 * kMiB, 2 * kMiB)));
  specs.push_back(ReverseSpec("behind"));
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs(std::move(specs));
  const JobRequest& request = requests[0];
  const JobRequest& behind = requests[1];
  const auto rest = server.connection().ReceiveUntilClosed();
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_LT(rest->size(), 3 * kMiB);

  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(request.state(), JobState::kUnknown);
  EXPECT_THAT(MessageOf(request),
              AllOf(HasSubstr("the data of task \"store\" could not be read "
                              "from its source"),
                    HasSubstr(" of 10485760 bytes, then the disk is worn"),
                    HasSubstr(listener_.address()),
                    HasSubstr("trying again can't help")));

  // The others are lost, as after any loss.
  EXPECT_EQ(client->Wait(before, kLong).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(before), AllOf(HasSubstr("outcome unknown"),
                                       HasSubstr("the disk is worn")));
  EXPECT_EQ(client->Wait(behind, kLong).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(behind), HasSubstr("closed by this side"));
  EXPECT_EQ(client->health().servers[0].failures, 0)
      << "the server is not to blame";
}

// The packet is not whole, however much of it has left.
TEST_F(ClientBodiesTest, ASourceMayFailAtAnyByte) {
  const auto client = MakeClient();
  for (const uint64_t at : {uint64_t{0}, uint64_t{1}, uint64_t{262144},
                            uint64_t{300000}, uint64_t{kMiB - 1}}) {
    const JobRequest request = client->SubmitJob(BodySpec(Failing(kMiB, at)));
    auto connection = listener_.Accept();
    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_TRUE(connection->ReceiveUntilClosed().ok());
    EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kDataLoss)
        << request.status();
    EXPECT_THAT(MessageOf(request),
                HasSubstr(absl::StrCat(at, " of 1048576 bytes, then")));
    EXPECT_EQ(request.connection_attempts(), 1);
  }
}

// A server that is lost in the middle of a body can't have accepted the job, so
// nobody need have marked it as idempotent.
TEST_F(ClientBodiesTest, ARepeatableBodyIsSentAgainAfterALoss) {
  LimitKernel();
  const auto client = MakeClient();
  const JobRequest request =
      client->SubmitJob(BodySpec(std::make_shared<PatternSource>(8 * kMiB)));
  {
    PlayedServer lost(&listener_);
    ASSERT_TRUE(lost.connection().Receive(kMiB).ok());
    lost.connection().Reset();
  }
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), Sent(PatternBytes(0, 8 * kMiB)));
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", "stored"});
  ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  ASSERT_EQ(request.attempts().size(), 1u);
  EXPECT_FALSE(request.attempts()[0].bytes_sent);
}

// The whole body has left, so the server may have accepted the job.
TEST_F(ClientBodiesTest, AWholeBodyInDoubtIsNotSentAgain) {
  const auto client = MakeClient();
  const JobRequest request =
      client->SubmitJob(BodySpec(std::make_shared<PatternSource>(kMiB)));
  {
    PlayedServer lost(&listener_);
    lost.ReceiveBody(kSubmitJob);
  }
  EXPECT_EQ(client->Wait(request, kLong).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(request), HasSubstr("outcome unknown"));
  ASSERT_EQ(request.attempts().size(), 1u);
  EXPECT_TRUE(request.attempts()[0].bytes_sent);
}

TEST_F(ClientBodiesTest, ABodyThatCanBeReadOnceIsSentOnce) {
  LimitKernel();
  const auto client = MakeClient();
  JobSpec spec =
      BodySpec(std::make_shared<PatternSource>(8 * kMiB, /*repeatable=*/false));
  spec.options.idempotent = true;
  JobRequest request = client->SubmitJob(std::move(spec));
  {
    PlayedServer lost(&listener_);
    ASSERT_TRUE(lost.connection().Receive(kMiB).ok());
    lost.connection().Reset();
  }
  EXPECT_EQ(client->Wait(request, kLong).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(request),
              HasSubstr("the source of its data can't be read again"));

  ASSERT_TRUE(request.Reset().ok());
  ASSERT_TRUE(client->SubmitMultipleRequests({&request, 1}).ok());
  EXPECT_EQ(request.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(request), HasSubstr("not repeatable"));
}

// A server that refuses connections has read nothing.
TEST_F(ClientBodiesTest, ABodyThatWasNotReadIsTriedAtTheNextServer) {
  support::RawListener gone;
  ClientOptions options = Options();
  options.servers = {gone.address(), listener_.address()};
  gone.Close();
  const auto client = MakeClient(std::move(options));
  std::unique_ptr<PlayedServer> server;
  for (int i = 0; i < 2; ++i) {
    const JobRequest request = client->SubmitJob(
        BodySpec(std::make_shared<PatternSource>(kMiB, /*repeatable=*/false)));
    if (server == nullptr) server = std::make_unique<PlayedServer>(&listener_);
    EXPECT_EQ(server->ReceiveBody(kSubmitJob), Sent(PatternBytes(0, kMiB)));
    server->Send(kJobCreated, {"H:1"});
    server->Send(kWorkComplete, {"H:1", "stored"});
    EXPECT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  }
}

// The protocol can't take a part of a packet back.
TEST_F(ClientBodiesTest, ACancelledRequestsBodyIsSentToItsEnd) {
  const auto client = MakeClient();
  const JobRequest request =
      client->SubmitJob(BodySpec(std::make_shared<PatternSource>(16 * kMiB)));
  PlayedServer server(&listener_);
  request.Cancel();
  EXPECT_EQ(request.status().code(), absl::StatusCode::kCancelled);
  const JobRequest next = client->SubmitJob(ReverseSpec("next"));
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), Sent(PatternBytes(0, 16 * kMiB)));
  EXPECT_THAT(server.ReceiveBody(kSubmitJob), HasSubstr("next"));
}

// The request that shares a submission sends nothing of its own.
TEST_F(ClientBodiesTest, EqualUniquesSendOneBody) {
  const auto client = MakeClient();
  std::atomic<int> reads{0};
  const auto counted = [&reads] {
    return std::make_shared<FunctionSource>(
        100, [&reads](uint64_t, absl::Span<char> into) {
          ++reads;
          std::fill(into.begin(), into.end(), 'b');
          return into.size();
        });
  };
  const JobRequest first = client->SubmitJob(BodySpec(counted()));
  const JobRequest second = client->SubmitJob(BodySpec(counted()));
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitJob), Sent(std::string(100, 'b')));
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", "stored"});
  EXPECT_TRUE(client->Wait(first, kLong).ok()) << first.status();
  EXPECT_TRUE(client->Wait(second, kLong).ok()) << second.status();
  EXPECT_EQ(reads, 1);
}

// A server that takes a body as fast as it comes does not keep the client to
// itself.
TEST_F(ClientBodiesTest, AnotherServerIsServedWhileABodyPasses) {
  support::RawListener other;
  ClientOptions options = Options();
  options.servers = {listener_.address(), other.address()};
  options.server_selector = std::make_shared<RoundRobinServerSelector>();
  options.limits.max_packet_bytes = size_t{4} << 30;
  const auto client = MakeClient(std::move(options));
  std::atomic<bool> enough{false};
  const JobRequest endless =
      client->SubmitJob(BodySpec(std::make_shared<FunctionSource>(
          4000000000u,
          [&enough](uint64_t, absl::Span<char> into) -> absl::StatusOr<size_t> {
            if (enough) return absl::CancelledError("enough");
            return into.size();
          })));
  const bool is_first = endless.connection() == listener_.address();
  std::thread reader([&takes = is_first ? listener_ : other] {
    auto connection = takes.Accept();
    while (connection.ok() && connection->Receive(kMiB).ok()) {
    }
  });
  const JobRequest plain = client->SubmitJob(ReverseSpec("plain"));
  PlayedServer server(is_first ? &other : &listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", "well"});
  EXPECT_TRUE(client->Wait(plain, kLong).ok()) << plain.status();
  EXPECT_FALSE(endless.finished()) << endless.status();
  enough = true;
  EXPECT_EQ(client->Wait(endless, kLong).code(), absl::StatusCode::kCancelled);
  reader.join();
}

}  // namespace
}  // namespace gearman
