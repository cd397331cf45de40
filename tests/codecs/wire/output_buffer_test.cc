#include "gearman/codecs/wire/output_buffer.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/spare_strings.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

constexpr size_t kLarge = OutputBuffer::kExternalBytes;

std::vector<absl::string_view> Pieces(const OutputBuffer& out,
                                      size_t most = 64) {
  std::vector<absl::string_view> pieces(most);
  pieces.resize(out.Gather(absl::MakeSpan(pieces)));
  return pieces;
}

TEST(OutputBufferTest, LaysSmallBytesSideBySide) {
  OutputBuffer out;
  out.Append("one");
  std::memcpy(out.AppendUninitialized(3), "two", 3);
  out.AppendPayload(Payload(std::string("three")));
  EXPECT_EQ(Pieces(out), (std::vector<absl::string_view>{"onetwothree"}));
  EXPECT_EQ(out.size(), 11u);
}

TEST(OutputBufferTest, IsEmptyAtFirstAndWhenAllIsConsumed) {
  OutputBuffer out;
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(Pieces(out).empty());
  EXPECT_EQ(out.capacity(), 0u);
  out.Append("bytes");
  EXPECT_FALSE(out.empty());
  out.Consume(5);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(Pieces(out).empty());
}

TEST(OutputBufferTest, ConsumesPartOfAPiece) {
  OutputBuffer out;
  out.Append("abcdef");
  out.Consume(2);
  EXPECT_EQ(Pieces(out), (std::vector<absl::string_view>{"cdef"}));
  out.Append("gh");
  EXPECT_EQ(Pieces(out), (std::vector<absl::string_view>{"cdefgh"}));
  EXPECT_EQ(out.total_appended(), 8u);
  EXPECT_EQ(out.total_consumed(), 2u);
}

TEST(OutputBufferTest, PointsAtALargeOwnedPayload) {
  OutputBuffer out;
  std::string large(kLarge, 'x');
  const char* const address = large.data();
  out.Append("before");
  out.AppendPayload(Payload(std::move(large)));
  out.Append("after");
  const auto pieces = Pieces(out);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0], "before");
  EXPECT_EQ(pieces[1].data(), address);
  EXPECT_EQ(pieces[2], "after");
}

TEST(OutputBufferTest, KeepsASharedPayloadAliveUntilItsLastByteIsConsumed) {
  OutputBuffer out;
  auto shared = std::make_shared<const std::string>(kLarge, 's');
  const std::weak_ptr<const std::string> watched = shared;
  out.AppendPayload(Payload(std::move(shared)));
  out.Consume(kLarge - 1);
  EXPECT_FALSE(watched.expired());
  out.Consume(1);
  EXPECT_TRUE(watched.expired());
}

TEST(OutputBufferTest, CopiesWhatIsBorrowedOrSmall) {
  OutputBuffer out;
  std::string borrowed(kLarge, 'b');
  out.AppendPayload(Payload::View(borrowed));
  borrowed.assign(kLarge, '!');
  EXPECT_EQ(Drain(out), std::string(kLarge, 'b'));
  auto shared = std::make_shared<const std::string>(kLarge - 1, 's');
  out.AppendPayload(Payload(shared));
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(OutputBufferTest, SmallBytesBetweenLargePayloadsShareOneChunk) {
  OutputBuffer out;
  for (int i = 0; i < 100; ++i) {
    out.Append("header");
    out.AppendPayload(Payload(std::string(kLarge, 'x')));
  }
  EXPECT_LE(out.capacity(), 4096u);
  EXPECT_EQ(Pieces(out, 300).size(), 200u);
  EXPECT_EQ(Drain(out).size(), 100 * (6 + kLarge));
}

TEST(OutputBufferTest, GathersNoMoreThanThereIsRoomFor) {
  OutputBuffer out;
  for (int i = 0; i < 10; ++i) {
    out.AppendPayload(Payload(std::string(kLarge, 'x')));
  }
  EXPECT_EQ(Pieces(out, 3).size(), 3u);
}

TEST(OutputBufferTest, GatheredPiecesStayWhileMoreIsAppended) {
  OutputBuffer out;
  out.Append("first");
  out.AppendPayload(Payload(std::string(kLarge, 'x')));
  const auto pieces = Pieces(out);
  for (int i = 0; i < 100; ++i) {
    out.Append(std::string(1000, 'y'));
    out.AppendPayload(Payload(std::string(kLarge, 'z')));
  }
  EXPECT_EQ(pieces[0], "first");
  EXPECT_EQ(pieces[1], std::string(kLarge, 'x'));
}

TEST(OutputBufferTest, ClearDropsWhatIsPendingAndCountsItAsConsumed) {
  OutputBuffer out;
  const auto shared = std::make_shared<const std::string>(kLarge, 's');
  out.Append("bytes");
  out.AppendPayload(Payload(shared));
  out.Append("more");
  out.Clear();
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(out.total_consumed(), out.total_appended());
  out.Append("new");
  EXPECT_EQ(Drain(out), "new");
}

TEST(OutputBufferTest, ReusesItsMemoryInSteadyState) {
  OutputBuffer out;
  out.Append(std::string(1000, 'x'));
  out.Consume(1000);
  const size_t capacity = out.capacity();
  const char* const address = out.AppendUninitialized(1000);
  out.Consume(1000);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(out.AppendUninitialized(1000), address);
    out.Consume(1000);
  }
  EXPECT_EQ(out.capacity(), capacity);
}

TEST(OutputBufferTest, GivesABurstsMemoryBack) {
  OutputBuffer out;
  for (int i = 0; i < 10000; ++i) out.Append(std::string(1000, 'x'));
  EXPECT_GE(out.capacity(), 10000000u);
  EXPECT_LE(out.capacity(), 11000000u);
  Drain(out);
  EXPECT_LE(out.capacity(), 2u * 65536u);
  for (int i = 0; i < 200; ++i) {
    out.Append("quiet");
    out.Consume(5);
  }
  EXPECT_LE(out.capacity(), 4096u);
}

TEST(OutputBufferTest, GivesALargeCopysMemoryBackAtOnce) {
  OutputBuffer out;
  out.Append(std::string(10 << 20, 'x'));
  out.Consume(10 << 20);
  EXPECT_LE(out.capacity(), 65536u);
}

TEST(OutputBufferTest, NeverEmptyIsBoundedByWhatIsPending) {
  OutputBuffer out;
  out.Append(std::string(100, 'x'));
  for (int i = 0; i < 100000; ++i) {
    out.Append(std::string(100, 'x'));
    out.Consume(100);
  }
  EXPECT_EQ(out.size(), 100u);
  EXPECT_LE(out.capacity(), 3u * 65536u);
}

// Against a plain string, whatever the order of calls.
TEST(OutputBufferTest, YieldsWhatWasAppendedInOrder) {
  std::mt19937 random(20261124);
  OutputBuffer out;
  std::string pending;
  char next = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string bytes(
        random() % 8 == 0 ? kLarge + random() % 100000 : random() % 3000,
        next++);
    switch (random() % 8) {
      case 0:
        out.AppendPayload(Payload(bytes));
        pending += bytes;
        break;
      case 1:
        out.AppendPayload(Payload(std::make_shared<const std::string>(bytes)));
        pending += bytes;
        break;
      case 2:
        out.AppendPayload(Payload::View(bytes));
        pending += bytes;
        break;
      case 3:
        out.Append(bytes);
        pending += bytes;
        break;
      default: {
        const size_t size = random() % 16 == 0
                                ? pending.size()
                                : random() % (pending.size() + 1);
        std::string gathered;
        for (const absl::string_view piece : Pieces(out, 1 + random() % 5)) {
          absl::StrAppend(&gathered, piece);
        }
        ASSERT_EQ(gathered, pending.substr(0, gathered.size()));
        ASSERT_TRUE(pending.empty() || !gathered.empty());
        out.Consume(size);
        pending.erase(0, size);
        break;
      }
    }
    ASSERT_EQ(out.size(), pending.size());
  }
  EXPECT_EQ(Drain(out), pending);
}

TEST(OutputBufferTest, HoldsTheMemoryOfALargePayloadThatHasBeenWritten) {
  SpareStrings spares(1 << 20);
  OutputBuffer buffer;
  buffer.HoldWritten(&spares);
  buffer.AppendPayload(Payload(std::string(100000, 'x')));
  buffer.AppendPayload(Payload(std::make_shared<std::string>(200000, 'y')));
  buffer.Consume(99999);
  EXPECT_EQ(spares.bytes(), 0u);
  buffer.Consume(1);
  EXPECT_GE(spares.bytes(), 100000u);
  // Another object may have the shared one.
  buffer.Consume(200000);
  EXPECT_LT(spares.bytes(), 200000u);
  EXPECT_LT(buffer.owned_bytes(), 16384u);
}

TEST(OutputBufferTest, GivesAPayloadOutWholeInItsTurn) {
  OutputBuffer out;
  std::string large(kLarge, 'l');
  const char* const bytes = large.data();
  out.Append("before");
  out.AppendPayload(Payload(std::move(large)));
  out.Append("after");
  EXPECT_EQ(out.front_payload(), nullptr);
  std::vector<absl::string_view> pieces(64);
  ASSERT_EQ(out.Gather(absl::MakeSpan(pieces), /*stop_at_payload=*/true), 1u);
  EXPECT_EQ(pieces[0], "before");
  out.Consume(6);
  ASSERT_NE(out.front_payload(), nullptr);
  EXPECT_EQ(out.Gather(absl::MakeSpan(pieces), /*stop_at_payload=*/true), 1u);
  EXPECT_EQ(pieces[0].size(), kLarge);
  const Payload payload = out.TakeFrontPayload();
  EXPECT_EQ(payload.view().data(), bytes);
  EXPECT_EQ(out.size(), 5u);
  EXPECT_LT(out.owned_bytes(), kLarge);
  EXPECT_EQ(out.front_payload(), nullptr);
  EXPECT_EQ(Pieces(out), (std::vector<absl::string_view>{"after"}));
  out.Consume(5);
  EXPECT_EQ(out.total_consumed(), 6 + kLarge + 5);
}

TEST(OutputBufferTest, APayloadWithAConsumedByteIsNotWhole) {
  OutputBuffer out;
  out.AppendPayload(Payload(std::make_shared<std::string>(kLarge, 's')));
  EXPECT_NE(out.front_payload(), nullptr);
  EXPECT_EQ(out.shared_bytes(), kLarge);
  out.Consume(1);
  EXPECT_EQ(out.front_payload(), nullptr);
  out.Clear();
  out.AppendPayload(Payload(std::make_shared<std::string>(kLarge, 's')));
  EXPECT_TRUE(out.TakeFrontPayload().is_shared());
  EXPECT_EQ(out.shared_bytes(), 0u);
  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace wire
}  // namespace gearman
