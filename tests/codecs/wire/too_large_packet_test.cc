// A packet that is larger than its receiver takes: its payload is skipped, and
// the packets behind it arrive.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using support::RawPacket;
using support::RequestPacket;
using support::ResponsePacket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kLimit = 1000;

DecoderOptions Limited() {
  DecoderOptions options;
  options.max_packet_bytes = kLimit;
  return options;
}

// A response whose whole packet has `bytes` bytes.
std::string Response(uint32_t type, const std::vector<std::string>& arguments,
                     size_t bytes) {
  std::vector<std::string> all = arguments;
  all.emplace_back();
  all.back().assign(bytes - ResponsePacket(type, all).size(), 'x');
  return ResponsePacket(type, all);
}

TEST(TooLargePacketTest, IsYieldedWithItsArgumentsAndSizes) {
  const Decoded decoded =
      Decode<ToClient>(Response(13, {"H:1"}, 2000), 1 << 20, Limited());
  EXPECT_TRUE(decoded.error.ok()) << decoded.error;
  EXPECT_THAT(
      decoded.messages,
      ElementsAre("TooLargePacket H:1: a WORK_COMPLETE packet of 2000 bytes is "
                  "larger than 1000 bytes (max_packet_bytes)"));
}

TEST(TooLargePacketTest, IsOneFromOneByteBeyondTheLimitOn) {
  const std::string next = ResponsePacket(14, {"H:2"});
  for (const size_t bytes :
       {kLimit - 1, kLimit, kLimit + 1, 2 * kLimit, 100 * kLimit}) {
    const std::string stream =
        absl::StrCat(next, Response(13, {"H:1"}, bytes), next);
    for (const size_t chunk : {size_t{1}, size_t{7}, stream.size()}) {
      const Decoded decoded = Decode<ToClient>(stream, chunk, Limited());
      EXPECT_TRUE(decoded.error.ok()) << decoded.error;
      ASSERT_EQ(decoded.messages.size(), 3u);
      EXPECT_EQ(absl::StartsWith(decoded.messages[1], "TooLargePacket"),
                bytes > kLimit)
          << bytes;
      EXPECT_EQ(decoded.messages[2], decoded.messages[0]);
      EXPECT_FALSE(decoded.in_packet);
    }
  }
}

TEST(TooLargePacketTest, KeepsEveryArgumentOfEveryKindThatHasData) {
  for (const CommandInfo& info : Commands()) {
    if (!info.has_data || !info.server_to_worker) continue;
    std::vector<std::string> arguments;
    for (size_t i = 0; i < info.argument_count; ++i) {
      arguments.push_back(std::string(info.arguments[i]));
    }
    Decoder<ToWorker> decoder(Limited());
    ToWorker event;
    int events = 0;
    const uint32_t type = static_cast<uint32_t>(info.command);
    Feed(decoder, Response(type, arguments, 5000), 100, &event, [&] {
      ++events;
      const auto& packet = std::get<TooLargePacket>(event);
      EXPECT_EQ(packet.info->command, info.command);
      for (const std::string& name : arguments) {
        EXPECT_EQ(packet.argument(name), name) << info.name;
      }
      EXPECT_EQ(packet.argument("none of its arguments"), "");
      EXPECT_EQ(packet.packet_bytes, 5000u);
      EXPECT_EQ(packet.max_packet_bytes, kLimit);
    });
    EXPECT_EQ(events, 1) << info.name;
  }
}

TEST(TooLargePacketTest, IsYieldedAsSoonAsItsArgumentsAreHere) {
  Decoder<ToClient> decoder(Limited());
  ToClient event;
  char header[kHeaderBytes];
  WriteHeader({true, 13, 0xffffffff}, header);
  const std::string begin =
      std::string(header, sizeof(header)) + std::string("H:1\0", 4);
  int events = 0;
  for (size_t i = 0; i < begin.size(); ++i) {
    EXPECT_EQ(events, 0);
    EXPECT_EQ(Feed(decoder, begin.substr(i, 1), 1, &event, [&] { ++events; }),
              DecodeResult::kNeedMore);
  }
  EXPECT_EQ(events, 1);
  EXPECT_EQ(std::get<TooLargePacket>(event).packet_bytes, 4294967307u);
  EXPECT_TRUE(decoder.in_packet());
}

TEST(TooLargePacketTest, TakesNoMemoryForItsPayload) {
  Decoder<ToServer> decoder;
  ToServer event;
  char header[kHeaderBytes];
  WriteHeader({false, 7, 0xffffffff}, header);
  int events = 0;
  Feed(decoder, std::string(header, sizeof(header)) + std::string("f\0u\0", 4),
       100, &event, [&] { ++events; });
  const std::string part(1 << 20, 'x');
  for (uint64_t sent = 4; sent < 0xffffffff; sent += part.size()) {
    Feed(decoder,
         absl::string_view(part).substr(
             0, std::min<uint64_t>(part.size(), 0xffffffff - sent)),
         part.size(), &event, [] { FAIL(); });
    ASSERT_LE(decoder.capacity(), 512u << 10);
  }
  EXPECT_FALSE(decoder.in_packet());
  EXPECT_EQ(decoder.offset(), uint64_t{0xffffffff} + kHeaderBytes);
  Feed(decoder, RequestPacket(4), 100, &event, [&] { ++events; });
  EXPECT_EQ(Describe(event), "PreSleep");
  EXPECT_EQ(events, 2);
}

TEST(TooLargePacketTest, ThatAServerRefusesAnywayIsSkippedAsWell) {
  const std::string stream = absl::StrCat(
      RawPacket(kResponseMagic, 7, std::string(5000, 'x')), RequestPacket(4));
  const Decoded decoded = Decode<ToServer>(stream, 100, Limited());
  EXPECT_TRUE(decoded.error.ok()) << decoded.error;
  ASSERT_EQ(decoded.messages.size(), 2u);
  EXPECT_THAT(decoded.messages[0], HasSubstr("INVALID_MAGIC"));
  EXPECT_EQ(decoded.messages[1], "PreSleep");
}

TEST(TooLargePacketTest, BreaksTheStreamWhenItIsAllArguments) {
  const Decoded decoded = Decode<ToServer>(
      RequestPacket(1, {std::string(2000, 'f')}).substr(0, 12), 100, Limited());
  EXPECT_EQ(decoded.error.code(), absl::StatusCode::kDataLoss);
  for (const char* part : {"CAN_DO", "2000", "1000", "max_packet_bytes"}) {
    EXPECT_THAT(std::string(decoded.error.message()), HasSubstr(part));
  }
}

TEST(TooLargePacketTest, BreaksTheStreamWhenItsArgumentsDoNotEnd) {
  const Decoded decoded = Decode<ToClient>(
      RawPacket(kResponseMagic, 13, std::string(70000, 'h')), 1000, Limited());
  EXPECT_EQ(decoded.error.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(decoded.error.message()), HasSubstr("'handle'"));
}

}  // namespace
}  // namespace wire
}  // namespace gearman
