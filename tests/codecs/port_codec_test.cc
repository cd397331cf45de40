#include "gearman/codecs/port_codec.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RequestPacket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using wire::DecodeResult;

std::vector<std::string> Decode(PortCodec* codec, const std::string& stream,
                                size_t chunk) {
  std::vector<std::string> events;
  for (size_t done = 0; done < stream.size();) {
    const auto span = codec->Prepare();
    const size_t piece = std::min({chunk, span.size(), stream.size() - done});
    std::memcpy(span.data(), stream.data() + done, piece);
    codec->Commit(piece);
    done += piece;
    PortEvent event;
    DecodeResult result;
    while ((result = codec->Next(&event)) == DecodeResult::kMessage) {
      const auto* line = std::get_if<admin::CommandLine>(&event);
      events.push_back(line != nullptr
                           ? absl::StrCat("line ", line->line)
                           : wire::Describe(std::get<wire::ToServer>(event)));
    }
    if (result == DecodeResult::kError) break;
  }
  return events;
}

// Trap 5.
TEST(PortCodecTest, TellsPacketsAndLinesOfOneStreamApartByTheirFirstByte) {
  const std::string stream =
      absl::StrCat(RequestPacket(4, {}), "status\r\n", RequestPacket(3, {}),
                   RequestPacket(15, {"H:1"}), "workers\n", "version\r\n");
  for (size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    PortCodec codec;
    EXPECT_THAT(Decode(&codec, stream, chunk),
                ElementsAre("PreSleep", "line status", "ResetAbilities",
                            wire::Describe(wire::GetStatus{"H:1"}),
                            "line workers", "line version"))
        << "chunks of " << chunk;
    EXPECT_EQ(codec.offset(), stream.size());
  }
}

TEST(PortCodecTest, ALineOfTextMayHoldWhateverIsNoLineFeed) {
  PortCodec codec;
  EXPECT_THAT(Decode(&codec, std::string("a\0b\r\n", 5), 5),
              ElementsAre(std::string("line a\0b", 8)));
}

TEST(PortCodecTest, RefusesALineThatNeverEnds) {
  PortCodec codec;
  EXPECT_THAT(Decode(&codec, std::string(admin::kMaxLineBytes + 1, 'x'), 1000),
              ElementsAre());
  EXPECT_EQ(codec.error().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(codec.error().message()),
              HasSubstr("a line of text of more than 8192 bytes"));
}

TEST(PortCodecTest, RefusesALineOfTooManyWordsWhereItBegins) {
  PortCodec codec;
  EXPECT_THAT(Decode(&codec, "status\r\na b c d e f\r\n", 100),
              ElementsAre("line status"));
  EXPECT_THAT(std::string(codec.error().message()),
              AllOf(HasSubstr("more than 5 words"), HasSubstr("byte 8 ")));
}

TEST(PortCodecTest, RefusesTheBeginOfAnotherProtocol) {
  for (const std::string& begin : {
           std::string("GET / HTTP/1.1\r\n"),
           std::string("POST /jobs HTTP/1.0\n"),
           std::string("PRI * HTTP/2.0\r\n"),
           std::string("OPTIONS rtsp://host/ RTSP/1.0\r\n"),
           std::string("SSH-2.0-OpenSSH_9.2\r\n"),
           std::string("EHLO host\r\n"),
           std::string("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"),
           std::string("*1\r\n"),
           std::string("\x16\x03\x01\x02", 4),
           std::string("\x80", 1),
       }) {
    PortCodec codec;
    EXPECT_THAT(Decode(&codec, begin, 100), ElementsAre()) << begin;
    EXPECT_EQ(codec.error().code(), absl::StatusCode::kDataLoss) << begin;
    EXPECT_THAT(std::string(codec.error().message()),
                HasSubstr("another protocol"));
  }
}

TEST(PortCodecTest, TakesWordsOfOtherProtocolsBehindACommand) {
  PortCodec codec;
  EXPECT_THAT(
      Decode(&codec, "\r\nstatus\r\ncreate function HTTP/1.1\r\n", 9),
      ElementsAre("line ", "line status", "line create function HTTP/1.1"));
  EXPECT_TRUE(codec.error().ok()) << codec.error();
}

TEST(PortCodecTest, NamesAPacketThatIsNone) {
  PortCodec codec;
  EXPECT_THAT(Decode(&codec, std::string("\0REX\0\0\0\1\0\0\0\0", 12), 12),
              ElementsAre());
  EXPECT_THAT(std::string(codec.error().message()),
              StartsWith("the peer broke the protocol at byte 0"));
}

}  // namespace
}  // namespace gearman
