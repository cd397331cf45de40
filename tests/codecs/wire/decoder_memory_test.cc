// The decoder's memory follows what arrives, not what is announced, and is
// given back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/spare_strings.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using support::ResponsePacket;

// WORK_COMPLETE of H:1 whose header announces `data_bytes` of data, up to it.
std::string Announcing(uint32_t data_bytes) {
  char header[kHeaderBytes];
  WriteHeader({true, 13, data_bytes + 4}, header);
  return std::string(header, sizeof(header)) + std::string("H:1\0", 4);
}

TEST(DecoderMemoryTest, IsNoneBeforeTheFirstRead) {
  EXPECT_EQ(Decoder<ToClient>().capacity(), 0u);
}

TEST(DecoderMemoryTest, IsSmallForSmallPackets) {
  Decoder<ToClient> decoder;
  ToClient event;
  const std::string packet = ResponsePacket(13, {"H:1", "result"});
  for (int i = 0; i < 10000; ++i) {
    Feed(decoder, packet, packet.size(), &event, [] {});
  }
  EXPECT_LE(decoder.capacity(), 16384u);
}

TEST(DecoderMemoryTest, IsNotAllocatedForAPayloadThatIsTooLarge) {
  DecoderOptions options;
  options.max_packet_bytes = 4u << 20;
  Decoder<ToClient> decoder(options);
  ToClient event;
  EXPECT_EQ(Feed(decoder, Announcing(100u << 20), 100, &event, [] {}),
            DecodeResult::kNeedMore);
  EXPECT_LE(decoder.capacity(), 16384u);
}

TEST(DecoderMemoryTest, FollowsWhatArrivesOfALargePayload) {
  Decoder<ToClient> decoder;
  ToClient event;
  Feed(decoder, Announcing(60u << 20), 100, &event, [] { FAIL(); });
  decoder.Prepare();
  EXPECT_LE(decoder.capacity(), 2u << 20);
  size_t arrived = 0;
  const std::string bytes(1 << 16, 'x');
  while (arrived < (10u << 20)) {
    Feed(decoder, bytes, bytes.size(), &event, [] { FAIL(); });
    arrived += bytes.size();
    ASSERT_LE(decoder.capacity(), (2u << 20) + 8 * arrived) << arrived;
  }
}

TEST(DecoderMemoryTest, LeavesWithThePayload) {
  Decoder<ToClient> decoder;
  ToClient event;
  const std::string packet =
      ResponsePacket(13, {"H:1", std::string(20 << 20, 'x')});
  Feed(decoder, packet, 1 << 16, &event, [] {});
  EXPECT_EQ(std::get<WorkComplete>(event).data.size(), 20u << 20);
  EXPECT_LE(decoder.capacity(), 512u << 10);
}

TEST(DecoderMemoryTest, IsGivenBackAfterABurst) {
  Decoder<ToClient> decoder;
  ToClient event;
  const std::string packet = ResponsePacket(13, {"H:1", "result"});
  std::string burst;
  for (int i = 0; i < 100000; ++i) burst += packet;
  Feed(decoder, burst, burst.size(), &event, [] {});
  EXPECT_GT(decoder.capacity(), 16384u);
  EXPECT_LE(decoder.capacity(), 512u << 10);
  for (int i = 0; i < 200; ++i) {
    Feed(decoder, packet, packet.size(), &event, [] {});
  }
  EXPECT_LE(decoder.capacity(), 16384u);
}

TEST(DecoderMemoryTest, IsBoundedForArgumentsWithoutEnd) {
  Decoder<ToClient> decoder;
  ToClient event;
  char header[kHeaderBytes];
  WriteHeader({true, 13, 60u << 20}, header);
  Feed(decoder, std::string(header, sizeof(header)), 12, &event, [] {});
  DecodeResult result = DecodeResult::kNeedMore;
  const std::string bytes(1000, 'x');
  for (int i = 0; i < 1000 && result == DecodeResult::kNeedMore; ++i) {
    result = Feed(decoder, bytes, bytes.size(), &event, [] { FAIL(); });
  }
  EXPECT_EQ(result, DecodeResult::kError);
  EXPECT_LE(decoder.capacity(), 512u << 10);
}

TEST(DecoderMemoryTest, OfAPayloadIsUsedAgainForAnotherOne) {
  for (const size_t size : {125000u, 400000u, 1000000u, 2000000u}) {
    Decoder<ToClient> decoder;
    ToClient event;
    std::string memory(1000000, 'y');
    const char* const place = memory.data();
    decoder.Recycle(std::move(memory));
    std::string data(size, 'x');
    data.back() = 'z';
    Feed(decoder, ResponsePacket(13, {"H:1", data}), 10000, &event, [] {});
    Payload& payload = std::get<WorkComplete>(event).data;
    EXPECT_TRUE(payload.view() == data) << size;
    // A payload for which the memory is too small stays where it is.
    EXPECT_EQ(payload.view().data() == place, size <= 1000000) << size;
  }
}

// A program that keeps many small payloads must not keep the memory of large
// ones.
TEST(DecoderMemoryTest, OfALargePayloadIsNotUsedForASmallOne) {
  Decoder<ToClient> decoder;
  ToClient event;
  decoder.Recycle(std::string(4 << 20, 'y'));
  const std::string data(20000, 'x');
  Feed(decoder, ResponsePacket(13, {"H:1", data}), 10000, &event, [] {});
  const std::string payload =
      std::move(std::get<WorkComplete>(event).data).TakeString();
  EXPECT_TRUE(payload == data);
  EXPECT_LE(payload.capacity(), 8 * data.size());
}

TEST(DecoderMemoryTest, OfPayloadsIsKeptWithinABoundAndNotForEver) {
  Decoder<ToClient> decoder;
  ToClient event;
  for (int i = 0; i < 10; ++i) decoder.Recycle(std::string(1 << 20, 'y'));
  decoder.Recycle("small");
  EXPECT_GE(decoder.capacity(), 3u << 20);
  EXPECT_LE(decoder.capacity(), 4u << 20);
  const std::string packet = ResponsePacket(13, {"H:1", "result"});
  for (int i = 0; i < 200; ++i) {
    Feed(decoder, packet, packet.size(), &event, [] {});
  }
  EXPECT_LE(decoder.capacity(), 16384u);
}

TEST(DecoderMemoryTest, OfAPayloadIsUsedByAnotherDecoderThatSharesIt) {
  SpareStrings spares(4 << 20);
  DecoderOptions options;
  options.spares = &spares;
  Decoder<ToClient> decoder(options);
  Decoder<ToClient> other(options);
  ToClient event;
  std::string memory(1000000, 'y');
  const char* const place = memory.data();
  other.Recycle(std::move(memory));
  EXPECT_EQ(other.capacity(), 0u);
  const std::string data(900000, 'x');
  Feed(decoder, ResponsePacket(13, {"H:1", data}), 10000, &event, [] {});
  const std::string payload =
      std::move(std::get<WorkComplete>(event).data).TakeString();
  EXPECT_TRUE(payload == data);
  EXPECT_EQ(payload.data(), place);
}

// The decoder does not keep the body of a packet that a server refuses.
TEST(DecoderMemoryTest, IsNotUsedForTheBodyOfARefusedPacket) {
  Decoder<ToServer> decoder;
  ToServer event;
  char header[kHeaderBytes];
  WriteHeader({true, 13, 60u << 20}, header);
  int events = 0;
  Feed(decoder, std::string(header, sizeof(header)), 12, &event,
       [&] { ++events; });
  const std::string bytes(1 << 16, 'x');
  for (int i = 0; i < (60 << 20) / (1 << 16); ++i) {
    EXPECT_TRUE(decoder.in_packet());
    Feed(decoder, bytes, bytes.size(), &event, [&] { ++events; });
  }
  EXPECT_FALSE(decoder.in_packet());
  EXPECT_EQ(events, 1);
  EXPECT_LE(decoder.capacity(), 512u << 10);
}

// The bytes of a packet up to its payload are read, and the payload is put.
// Gives the decoder as much of `stream` as it takes with each read, and calls
// `on_event` for each event. Returns the number of reads.
template <typename OnEvent>
size_t ReadBurst(Decoder<ToClient>& decoder, absl::string_view stream,
                 OnEvent&& on_event) {
  ToClient event;
  size_t reads = 0;
  for (; !stream.empty(); ++reads) {
    const absl::Span<char> memory = decoder.Prepare();
    const size_t bytes = stream.copy(memory.data(), memory.size());
    decoder.Commit(bytes);
    stream.remove_prefix(bytes);
    while (decoder.Next(&event) == DecodeResult::kMessage) on_event(event);
  }
  return reads;
}

// A read that took the next packets into the buffer would make copies of their
// payloads necessary.
TEST(DecoderMemoryTest, LargePayloadsOfABurstAreReadIntoTheirStrings) {
  Decoder<ToClient> decoder;
  const std::string data(64 << 10, 'x');
  const std::string packet = ResponsePacket(13, {"H:1", data});
  std::string burst;
  for (int i = 0; i < 8; ++i) burst += packet;
  int moved = 0;
  ReadBurst(decoder, burst, [&](const ToClient& event) {
    const Payload& payload = std::get<WorkComplete>(event).data;
    EXPECT_EQ(payload.view(), data);
    moved += payload.borrowed() ? 0 : 1;
  });
  EXPECT_EQ(moved, 8);
  EXPECT_LE(decoder.capacity(), 32768u);
}

TEST(DecoderMemoryTest, SmallPacketsBehindALargePayloadAreReadTogether) {
  Decoder<ToClient> decoder;
  ToClient event;
  const std::string large =
      ResponsePacket(13, {"H:1", std::string(64 << 10, 'x')});
  Feed(decoder, large, large.size(), &event, [] {});
  std::string burst;
  while (burst.size() < 10000) burst += ResponsePacket(13, {"H:1", "small"});
  EXPECT_LE(ReadBurst(decoder, burst, [](const ToClient&) {}), 2u);
}

TEST(DecoderMemoryTest, TakesALargePayloadWhole) {
  Decoder<ToClient> decoder;
  ToClient event;
  std::string payload(100000, 'p');
  const char* const bytes = payload.data();
  const std::string packet = ResponsePacket(13, {"H:1", payload});
  const std::string next = ResponsePacket(8, {"H:2"});
  for (int i = 0; i < 2; ++i) {
    Feed(decoder, packet.substr(0, packet.size() - payload.size()), 7, &event,
         [] { FAIL() << "a message without its payload"; });
    EXPECT_TRUE(decoder.in_packet());
    ASSERT_EQ(decoder.wanted_payload(), 100000u);
    EXPECT_LT(decoder.capacity(), 100000u);
    decoder.PutPayload(Payload(std::move(payload)));
    ASSERT_EQ(decoder.Next(&event), DecodeResult::kMessage);
    WorkComplete& complete = std::get<WorkComplete>(event);
    EXPECT_EQ(complete.handle, "H:1");
    EXPECT_EQ(complete.data.view().data(), bytes);
    payload = std::move(complete.data).TakeString();
    EXPECT_EQ(decoder.wanted_payload(), 0u);
    EXPECT_FALSE(decoder.in_packet());
  }
  EXPECT_EQ(decoder.offset(), 2 * packet.size());
  int messages = 0;
  Feed(decoder, next, next.size(), &event, [&messages] { ++messages; });
  EXPECT_EQ(messages, 1);
}

TEST(DecoderMemoryTest, APayloadOfWhichAByteIsHereIsRead) {
  Decoder<ToClient> decoder;
  ToClient event;
  const std::string packet =
      ResponsePacket(13, {"H:1", std::string(100000, 'p')});
  Feed(decoder, packet.substr(0, packet.size() - 99999), 4096, &event, [] {});
  EXPECT_EQ(decoder.wanted_payload(), 0u);
}

}  // namespace
}  // namespace wire
}  // namespace gearman
