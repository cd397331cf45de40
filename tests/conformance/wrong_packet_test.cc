// Tests of a server with packets that no client or worker should send.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/conformance/differences.h"
#include "gearman/tests/conformance/fixture.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace conformance {
namespace {

using support::RawPacket;
using support::RequestPacket;
using ::testing::IsEmpty;

constexpr absl::string_view kRequest("\0REQ", 4);
constexpr absl::string_view kResponse("\0RES", 4);

class WrongPacketConformance : public ConformanceTest {
 protected:
  // The server lives on, and serves others.
  void ExpectAlive() {
    EXPECT_EQ(Connect().Call(Command::kEchoReq, {"alive"}),
              Packet(Command::kEchoRes, {"alive"}));
  }
};
INSTANTIATE_TEST_SUITE_P(Servers, WrongPacketConformance,
                         ::testing::ValuesIn(Variants()), VariantName);

TEST_P(WrongPacketConformance, UnknownMagicEndsTheConnection) {
  Peer& peer = Connect();
  peer.SendBytes(std::string("\0BAD\0\0\0\x10\0\0\0\0", 12));
  EXPECT_TRUE(peer.ClosedByServer());
  ExpectAlive();
}

TEST_P(WrongPacketConformance, MagicOfAReplyIsRefused) {
  Peer& peer = Connect();
  peer.SendBytes(RawPacket(kResponse, 16, "x"));
  EXPECT_THAT(peer.Receive(), IsError("INVALID_MAGIC"));
  EXPECT_EQ(peer.Call(Command::kEchoReq, {"x"}),
            Packet(Command::kEchoRes, {"x"}));
}

TEST_P(WrongPacketConformance, UnknownTypesEndTheConnection) {
  for (const uint32_t type : {0u, 43u, 99u, 65535u}) {
    Peer& peer = Connect();
    peer.SendBytes(RawPacket(kRequest, type, ""));
    EXPECT_TRUE(peer.ClosedByServer()) << type;
  }
  ExpectAlive();
}

TEST_P(WrongPacketConformance, PacketsThatOnlyAServerSendsAreRefused) {
  Peer& peer = Connect();
  for (const Command command : {Command::kNoop, Command::kNoJob}) {
    EXPECT_THAT(peer.Call(command), IsError("INVALID_COMMAND"));
  }
  EXPECT_THAT(peer.Call(Command::kJobCreated, {"H:1"}),
              IsError("INVALID_COMMAND"));
  EXPECT_THAT(peer.Call(Command::kEchoRes, {"x"}), IsError("INVALID_COMMAND"));
  EXPECT_THAT(peer.Call(Command::kAllYours), IsError("INVALID_COMMAND"));
  EXPECT_THAT(peer.Call(Command::kSubmitJobSched,
                        {"f", "u", "1", "1", "1", "1", "1", "data"}),
              IsError("INVALID_COMMAND"));
  EXPECT_EQ(peer.Call(Command::kEchoReq, {"x"}),
            Packet(Command::kEchoRes, {"x"}));
}

TEST_P(WrongPacketConformance, BodyWhereNoneBelongsIsIgnored) {
  Peer& peer = Connect();
  peer.SendBytes(RawPacket(kRequest, 4, "what is this?"));
  peer.SendBytes(RawPacket(kRequest, 9, "and this?"));
  EXPECT_EQ(peer.Receive(), NoJob());
  EXPECT_THAT(peer.Drain(), IsEmpty());
}

TEST_P(WrongPacketConformance, MissingArgument) {
  Peer& peer = Connect();
  peer.SendBytes(RawPacket(kRequest, 7, "function without a unique"));
  if (OnGearmand(Difference::kMissingArgument)) {
    // gearmand takes the NUL out of the next packet and loses its place.
    peer.SendBytes(RequestPacket(16, {"x"}));
    EXPECT_TRUE(peer.ClosedByServer());
  } else {
    EXPECT_TRUE(peer.ClosedByServer());
  }
  ExpectAlive();
}

TEST_P(WrongPacketConformance, AnswerOfAHandleAlone) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.SendBytes(RawPacket(kRequest, 13, Handle(1)));
  if (OnGearmand(Difference::kAnswerOfAHandleAlone)) {
    // The server does so for any missing argument.
    worker.SendBytes(RequestPacket(16, {"x"}));
    EXPECT_TRUE(worker.ClosedByServer());
  } else {
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkComplete, {Handle(1), ""}));
    EXPECT_THAT(worker.Drain(), IsEmpty());
  }
  ExpectAlive();
}

TEST_P(WrongPacketConformance, HugeSizeWithNothingBehindItBlocksNobody) {
  Peer& peer = Connect();
  peer.SendBytes(std::string("\0REQ\0\0\0\x07\xff\xff\xff\xff", 12));
  ExpectAlive();
}

TEST_P(WrongPacketConformance, HugeEpoch) {
  Peer& peer = Connect();
  peer.Send(Command::kSubmitJobEpoch, {"f", "u", "99999999999999999999", ""});
  if (OnGearmand(Difference::kHugeEpoch)) {
    // Nothing comes, and later packets end the connection.
    EXPECT_TRUE(Eventually([&peer] {
      peer.Send(Command::kGetStatus, {""});
      return peer.Readable(absl::ZeroDuration());
    }));
  } else {
    EXPECT_THAT(peer.Receive(), IsError("ARGUMENT_TOO_LARGE"));
  }
  ExpectAlive();
}

TEST_P(WrongPacketConformance, HugeTimeLimit) {
  Peer& worker = Connect();
  Peer& admin = Connect();
  worker.Send(Command::kCanDoTimeout, {"f", "9999999999999999999"});
  if (OnGearmand(Difference::kHugeTimeLimit)) {
    EXPECT_EQ(admin.AskList("status\r\n"), ".\n");
  } else {
    EXPECT_THAT(worker.Drain(), IsEmpty());
    EXPECT_EQ(admin.AskList("status\r\n"), "f\t0\t0\t1\n.\n");
  }
}

TEST_P(WrongPacketConformance, AnswersAfterAHalfClose) {
  // In process there is no half of a stream to close.
  if (server().port() == 0) GTEST_SKIP();
  auto connection = support::RawConnection::Connect(server().port());
  ASSERT_TRUE(connection.ok()) << connection.status();
  std::string packets;
  for (int i = 0; i < 100; ++i) {
    packets += RequestPacket(16, {absl::StrCat(i)});
  }
  ASSERT_TRUE(connection->Send(packets).ok());
  connection->ShutdownWrite();
  const auto answers = connection->ReceiveUntilClosed();
  ASSERT_TRUE(answers.ok()) << answers.status();
  if (!OnGearmand(Difference::kAnswersAfterHalfClose)) {
    EXPECT_EQ(answers->size(), packets.size());
  }
  ExpectAlive();
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
