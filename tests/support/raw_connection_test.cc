#include "gearman/tests/support/raw_connection.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

// Two ends of one connection.
class RawConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<RawConnection> client =
        RawConnection::Connect(listener_.port());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    absl::StatusOr<RawConnection> server = listener_.Accept();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  RawListener listener_;
  RawConnection client_{-1};
  RawConnection server_{-1};
};

TEST_F(RawConnectionTest, ReceivesExactlyWhatItAsksFor) {
  ASSERT_TRUE(client_.Send("abcdef").ok());
  EXPECT_EQ(*server_.Receive(4), "abcd");
  EXPECT_EQ(*server_.Receive(2), "ef");
}

TEST_F(RawConnectionTest, ReceivesAPacketCutInPieces) {
  const std::string packet = RequestPacket(7, {"f", "u", "data"});
  ASSERT_TRUE(client_.Send(packet.substr(0, 5)).ok());
  ASSERT_TRUE(client_.Send(packet.substr(5) + "x").ok());
  EXPECT_EQ(*server_.ReceivePacket(), packet);
  EXPECT_EQ(*server_.Receive(1), "x");
}

TEST_F(RawConnectionTest, ReceivesALine) {
  ASSERT_TRUE(server_.Send("OK\r\nmore").ok());
  EXPECT_EQ(*client_.ReceiveLine(), "OK\r\n");
}

TEST_F(RawConnectionTest, ReceivesAllUntilThePeerCloses) {
  ASSERT_TRUE(server_.Send("last words").ok());
  server_.Close();
  EXPECT_EQ(*client_.ReceiveUntilClosed(), "last words");
}

TEST_F(RawConnectionTest, SaysWhatCameBeforeThePeerClosed) {
  ASSERT_TRUE(server_.Send("abc").ok());
  server_.Close();
  const absl::Status status = client_.Receive(4).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "3 of 4")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "abc")) << status;
}

TEST_F(RawConnectionTest, StopsWaitingAtTheBound) {
  EXPECT_EQ(client_.Receive(1, absl::Milliseconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(client_.Readable(absl::Milliseconds(1)));
  EXPECT_EQ(listener_.Accept(absl::Milliseconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(RawConnectionTest, StopsSendingAtTheBoundWhenThePeerDoesNotRead) {
  const std::string much(64 << 20, 'x');
  EXPECT_EQ(client_.Send(much, absl::Milliseconds(10)).code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(RawConnectionTest, HalfClosesAndStillReceives) {
  client_.ShutdownWrite();
  EXPECT_EQ(*server_.ReceiveUntilClosed(), "");
  ASSERT_TRUE(server_.Send("answer").ok());
  EXPECT_EQ(*client_.Receive(6), "answer");
}

TEST_F(RawConnectionTest, ResetsTheConnection) {
  server_.Reset();
  const absl::Status status = client_.Receive(1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "reset")) << status;
}

TEST(RawListener, RefusesConnectsOnceClosed) {
  RawListener listener;
  listener.Close();
  EXPECT_EQ(RawConnection::Connect(listener.port()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(RawPacket, HasTheBytesOfTheProtocol) {
  EXPECT_EQ(RequestPacket(16, {"hi"}),
            absl::string_view("\0REQ\0\0\0\x10\0\0\0\x02hi", 14));
  EXPECT_EQ(ResponsePacket(11, {"H:1", "f", ""}),
            absl::string_view("\0RES\0\0\0\x0b\0\0\0\x06H:1\0f\0", 18));
  EXPECT_EQ(RequestPacket(0x01020304),
            absl::string_view("\0REQ\x01\x02\x03\x04\0\0\0\0", 12));
}

}  // namespace
}  // namespace support
}  // namespace gearman
