// Payloads that pass in pieces as they arrive.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using ::gearman::testing::PatternBytes;
using support::ResponsePacket;

constexpr uint32_t kComplete = 13;
constexpr uint32_t kFail = 14;
constexpr uint32_t kEcho = 17;
constexpr uint32_t kData = 28;

// Collects what a decoder yields, and puts pieces together.
struct Received {
  // "DATA H:1 SIZE" for a payload that came in pieces, "whole H:1 SIZE" for one
  // that did not, and "other".
  std::vector<std::string> events;
  std::vector<std::string> payloads;
  size_t largest_piece = 0;
  uint64_t left = 0;

  void operator()(PayloadBegins& event) {
    EXPECT_EQ(left, 0u);
    left = event.size;
    events.push_back(
        absl::StrCat(event.info->name, " ", event.argument, " ", event.size));
    payloads.emplace_back();
  }
  void operator()(PayloadPiece& event) {
    EXPECT_FALSE(event.bytes.empty());
    left -= event.bytes.size();
    EXPECT_EQ(event.left, left);
    largest_piece = std::max(largest_piece, event.bytes.size());
    payloads.back().append(event.bytes.data(), event.bytes.size());
  }
  void operator()(WorkData& event) { Whole(event.handle, event.data); }
  void operator()(WorkComplete& event) { Whole(event.handle, event.data); }
  void operator()(TooLargePacket& event) {
    events.push_back(absl::StrCat("too large ", event.packet_bytes));
  }
  template <typename Other>
  void operator()(Other&) {
    events.emplace_back("other");
  }
  void Whole(absl::string_view handle, const Payload& data) {
    EXPECT_EQ(left, 0u) << "inside a payload";
    events.push_back(absl::StrCat("whole ", handle, " ", data.size()));
    payloads.emplace_back(data.view());
  }
};

class PiecesTest : public ::testing::Test {
 protected:
  PiecesTest() { options_.max_piecewise_bytes = 1 << 30; }

  // Feeds `bytes` in reads of at most `most` bytes. Payloads for handles that
  // begin with "P" pass in pieces.
  Received Decode(absl::string_view bytes, size_t most) {
    Decoder<ToClient> decoder(options_);
    decoder.set_passes_in_pieces([this](const CommandInfo& info,
                                        absl::string_view handle) {
      ++asked_;
      return info.command != Command::kEchoRes && absl::StartsWith(handle, "P");
    });
    Received received;
    ToClient event;
    while (!bytes.empty()) {
      const absl::Span<char> memory = decoder.Prepare();
      const size_t part = std::min({most, memory.size(), bytes.size()});
      std::copy_n(bytes.begin(), part, memory.begin());
      bytes.remove_prefix(part);
      decoder.Commit(part);
      while (decoder.Next(&event) == DecodeResult::kMessage) {
        std::visit(received, event);
      }
      EXPECT_TRUE(decoder.error().ok()) << decoder.error();
      capacity_ = std::max(capacity_, decoder.capacity());
    }
    EXPECT_FALSE(decoder.in_packet());
    EXPECT_EQ(received.left, 0u);
    return received;
  }

  DecoderOptions options_;
  int asked_ = 0;
  size_t capacity_ = 0;
};

TEST_F(PiecesTest, EachByteComesOnceHoweverTheStreamIsCut) {
  const std::string large = PatternBytes(3, 100000);
  const std::string bytes = absl::StrCat(
      ResponsePacket(kData, {"P:1", large}), ResponsePacket(kFail, {"H:3"}),
      ResponsePacket(kData, {"H:2", large}),
      ResponsePacket(kData, {"P:1", "small"}),
      ResponsePacket(kComplete, {"P:1", large}),
      ResponsePacket(kComplete, {"P:4", ""}));
  for (const size_t most :
       {size_t{1}, size_t{7}, size_t{1000}, size_t{16384}, size_t{99999}}) {
    const Received received = Decode(bytes, most);
    EXPECT_EQ(received.events,
              (std::vector<std::string>{
                  "WORK_DATA P:1 100000", "other", "whole H:2 100000",
                  "whole P:1 5", "WORK_COMPLETE P:1 100000", "whole P:4 0"}))
        << most;
    EXPECT_TRUE(received.payloads ==
                (std::vector<std::string>{large, large, "small", large, ""}))
        << most;
  }
}

TEST_F(PiecesTest, APayloadOfAnySizeTakesOneBuffer) {
  const std::string bytes =
      ResponsePacket(kComplete, {"P:1", PatternBytes(0, 20 << 20)});
  const Received received = Decode(bytes, bytes.size());
  EXPECT_EQ(received.payloads[0].size(), 20u << 20);
  EXPECT_LE(capacity_, 256u << 10);
  EXPECT_LE(received.largest_piece, 256u << 10);
}

TEST_F(PiecesTest, ItHasALimitOfItsOwn) {
  options_.max_packet_bytes = 50000;
  options_.max_piecewise_bytes = 100017;
  const std::string fits(100000, 'x');
  const std::string bytes =
      absl::StrCat(ResponsePacket(kComplete, {"P:1", fits}),
                   ResponsePacket(kComplete, {"P:1", fits + "xx"}),
                   ResponsePacket(kComplete, {"H:2", fits}));
  for (const size_t most : {size_t{1000}, size_t{1000000}}) {
    EXPECT_EQ(
        Decode(bytes, most).events,
        (std::vector<std::string>{"WORK_COMPLETE P:1 100000",
                                  "too large 100018", "too large 100016"}));
  }
}

TEST_F(PiecesTest, NobodyIsAskedAboutSmallAndWholePackets) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    bytes += ResponsePacket(kData, {"P:1", std::string(1000, 'd')});
  }
  bytes += ResponsePacket(kEcho, {std::string(100000, 'e')});
  Decode(bytes, 300);
  Decode(bytes, bytes.size());
  EXPECT_EQ(asked_, 0);
}

// The bytes are not filled in, because nobody looks at them.
TEST_F(PiecesTest, ThePayloadOfTheLargestPacketPasses) {
  constexpr uint64_t kBody = UINT32_MAX;
  DecoderOptions options;
  options.max_piecewise_bytes = static_cast<size_t>(kBody + kHeaderBytes);
  Decoder<ToClient> decoder(options);
  decoder.set_passes_in_pieces(
      [](const CommandInfo&, absl::string_view) { return true; });
  std::string head = ResponsePacket(kComplete, {"P:1", ""});
  WriteHeader({/*response=*/true, kComplete, static_cast<uint32_t>(kBody)},
              &head[0]);
  std::copy(head.begin(), head.end(), decoder.Prepare().begin());
  decoder.Commit(head.size());
  ToClient event;
  ASSERT_EQ(decoder.Next(&event), DecodeResult::kMessage);
  uint64_t left = std::get<PayloadBegins>(event).size;
  EXPECT_EQ(left, kBody - 4);
  while (left > 0) {
    ASSERT_EQ(decoder.Next(&event), DecodeResult::kNeedMore);
    const size_t part =
        static_cast<size_t>(std::min<uint64_t>(left, decoder.Prepare().size()));
    decoder.Commit(part);
    ASSERT_EQ(decoder.Next(&event), DecodeResult::kMessage);
    left -= part;
    ASSERT_EQ(std::get<PayloadPiece>(event).bytes.size(), part);
    ASSERT_EQ(std::get<PayloadPiece>(event).left, left);
  }
  EXPECT_FALSE(decoder.in_packet());
  EXPECT_EQ(decoder.offset(), kBody + kHeaderBytes);
  EXPECT_LE(decoder.capacity(), 256u << 10);
}

}  // namespace
}  // namespace wire
}  // namespace gearman
