// A client and payloads that are too large for it: each ends only the request
// that it belongs to.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kLimit = 1000;

// Two jobs are in flight on one connection: H:1, which gets what is too large,
// and its neighbour H:2.
class ClientSizesTest : public ClientTest {
 protected:
  ClientSizesTest()
      : client_(MakeClient(Limited())),
        job_(client_->SubmitJob("t", "")),
        neighbour_(client_->SubmitJob("t", "")) {
    server_ = std::make_unique<PlayedServer>(&listener_);
    for (const char* handle : {"H:1", "H:2"}) {
      server_->ReceiveBody(kSubmitJob);
      server_->Send(kJobCreated, {handle});
    }
  }
  ClientOptions Limited() {
    ClientOptions options = Options();
    options.limits.max_packet_bytes = kLimit;
    return options;
  }
  // A packet of so many bytes for H:1.
  std::string Packet(uint32_t type, size_t bytes) {
    const size_t head = support::ResponsePacket(type, {"H:1", ""}).size();
    return support::ResponsePacket(type,
                                   {"H:1", std::string(bytes - head, 'x')});
  }
  void ExpectTooLarge(absl::string_view packet, size_t bytes) {
    const absl::Status status = client_->Wait(job_, kLong);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr(packet), HasSubstr(absl::StrCat(bytes)),
              HasSubstr("1000 bytes (max_packet_bytes)"), HasSubstr("H:1"),
              HasSubstr("task \"t\""), HasSubstr(listener_.address())));
  }
  void ExpectNeighbourGoesOn() {
    server_->Send(kWorkComplete, {"H:2", "result"});
    ASSERT_TRUE(client_->Wait(neighbour_, kLong).ok()) << neighbour_.status();
    EXPECT_EQ(neighbour_.result(), "result");
  }

  std::unique_ptr<Client> client_;
  JobRequest job_;
  JobRequest neighbour_;
  std::unique_ptr<PlayedServer> server_;
};

class ClientSizesOfPacketsTest
    : public ClientSizesTest,
      public ::testing::WithParamInterface<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Packets, ClientSizesOfPacketsTest,
                         ::testing::Values(kWorkComplete, kWorkException,
                                           kWorkData, kWorkWarning));

TEST_P(ClientSizesOfPacketsTest, APayloadBeyondTheLimitEndsItsJobOnly) {
  server_->SendBytes(Packet(GetParam(), 5000));
  ExpectNeighbourGoesOn();
  ExpectTooLarge(wire::CommandName(GetParam()), 5000);
  // At the server a job goes on after an update: its end is nothing new.
  if (GetParam() == kWorkData || GetParam() == kWorkWarning) {
    server_->Send(kWorkComplete, {"H:1", "late"});
  }
  const JobRequest next = client_->SubmitJob("t", "");
  server_->ReceiveBody(kSubmitJob);
  server_->Send(kJobCreated, {"H:3"});
  server_->Send(kWorkComplete, {"H:3", ""});
  EXPECT_TRUE(client_->Wait(next, kLong).ok()) << next.status();
}

TEST_F(ClientSizesTest, TheLimitItselfIsTakenAndOneByteMoreIsNot) {
  server_->SendBytes(Packet(kWorkComplete, kLimit));
  EXPECT_TRUE(client_->Wait(job_, kLong).ok()) << job_.status();
  job_ = client_->SubmitJob("t", "");
  server_->ReceiveBody(kSubmitJob);
  server_->Send(kJobCreated, {"H:1"});
  server_->SendBytes(Packet(kWorkComplete, kLimit + 1));
  ExpectTooLarge("WORK_COMPLETE", kLimit + 1);
  ExpectNeighbourGoesOn();
}

TEST_F(ClientSizesTest, AResultThatIsAnnouncedAndNeverComesEndsItsJobAtOnce) {
  std::string head("\0RES\0\0\0\x0d\xff\xff\xff\xffH:1\0", 16);
  // The sizes of the pieces do not matter.
  for (const char c : head) server_->SendBytes(std::string(1, c));
  ExpectTooLarge("WORK_COMPLETE", 4294967307u);
  EXPECT_FALSE(neighbour_.finished());
}

TEST_F(ClientSizesTest, AnErrorTextBeyondTheLimitRefusesItsOwnSubmissionOnly) {
  const JobRequest refused = client_->SubmitJob("t", "");
  server_->ReceiveBody(kSubmitJob);
  server_->Send(kError, {"INVALID_COMMAND", std::string(5000, 'x')});
  const absl::Status status = client_->Wait(refused, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
  ExpectNeighbourGoesOn();
}

TEST_F(ClientSizesTest, APayloadThatNoWorkerCouldTakeIsNotSent) {
  // An assignment names the longest handle, task and unique beside the payload.
  JobSpec spec("t", std::string(kLimit, 'x'));
  spec.options.unique = "u";
  const size_t fits = kLimit - 12 - 64 - 2 - 2;
  spec.data.resize(fits + 1);
  const JobRequest refused = client_->SubmitJob(spec);
  const absl::Status status = client_->Wait(refused, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(absl::StrCat(fits + 1)), HasSubstr("1000"),
                    HasSubstr("max_packet_bytes"), HasSubstr("task \"t\"")));
  EXPECT_EQ(refused.connection_attempts(), 0);
  spec.data.resize(fits);
  const JobRequest taken = client_->SubmitJob(spec);
  EXPECT_EQ(server_->ReceiveBody(kSubmitJob).size(), 4 + fits);
  ExpectNeighbourGoesOn();
}

TEST_F(ClientSizesTest, AnEchoThatIsTooLargeIsNotSent) {
  const auto reply = client_->Echo(std::string(kLimit, 'x'));
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument)
      << reply.status();
  ExpectNeighbourGoesOn();
}

}  // namespace
}  // namespace gearman
