// Tests of the decoder with good streams, cut in every way.
// decoder_error_test.cc has bad streams, and decoder_memory_test.cc the
// decoder's memory.
#include "gearman/codecs/wire/decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/progress.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using support::RawPacket;
using support::RequestPacket;
using support::ResponsePacket;

template <typename Receiver>
class DecoderTest : public testing::Test {};
using Receivers = testing::Types<ToServer, ToClient, ToWorker>;
TYPED_TEST_SUITE(DecoderTest, Receivers);

TYPED_TEST(DecoderTest, ReadsEveryPacket) {
  for (const auto& example : Examples<TypeParam>()) {
    const Decoded decoded = Decode<TypeParam>(example.packet);
    EXPECT_TRUE(decoded.error.ok()) << example.name << decoded.error;
    EXPECT_EQ(decoded.messages,
              std::vector<std::string>{Describe(example.message)})
        << example.name;
  }
}

TYPED_TEST(DecoderTest, ReadsWhatTheEncoderWrites) {
  for (const auto& example : Examples<TypeParam>()) {
    OutputBuffer out;
    ASSERT_TRUE(EncodeTo(example.message, out).ok()) << example.name;
    const Decoded decoded = Decode<TypeParam>(Drain(out));
    EXPECT_EQ(decoded.messages,
              std::vector<std::string>{Describe(example.message)})
        << example.name;
  }
}

// Trap 1.
TYPED_TEST(DecoderTest, FramesCutAtAnyByteParseTheSame) {
  for (const auto& example : Examples<TypeParam>()) {
    for (size_t cut = 0; cut <= example.packet.size(); ++cut) {
      Decoder<TypeParam> decoder;
      TypeParam event;
      std::vector<std::string> messages;
      const auto on_event = [&] { messages.push_back(Describe(event)); };
      const absl::string_view packet = example.packet;
      Feed(decoder, packet.substr(0, cut), cut, &event, on_event);
      ASSERT_EQ(messages.size(), cut == packet.size() ? 1u : 0u)
          << example.name << " cut at " << cut;
      EXPECT_EQ(decoder.in_packet(), cut > 0 && cut < packet.size());
      Feed(decoder, packet.substr(cut), packet.size(), &event, on_event);
      ASSERT_TRUE(decoder.error().ok()) << decoder.error();
      ASSERT_EQ(messages, std::vector<std::string>{Describe(example.message)})
          << example.name << " cut at " << cut;
      EXPECT_FALSE(decoder.in_packet());
      EXPECT_EQ(decoder.offset(), packet.size());
    }
  }
}

// Trap 1.
TYPED_TEST(DecoderTest, ManyFramesInOneReadParseTheSame) {
  std::string stream;
  std::vector<std::string> expected;
  for (int i = 0; i < 50; ++i) {
    for (const auto& example : Examples<TypeParam>()) {
      absl::StrAppend(&stream, example.packet);
      expected.push_back(Describe(example.message));
    }
  }
  for (const size_t chunk : {1, 2, 3, 7, 12, 13, 100, 1000, 65536, 1 << 20}) {
    const Decoded decoded = Decode<TypeParam>(stream, chunk);
    ASSERT_TRUE(decoded.error.ok()) << decoded.error;
    ASSERT_EQ(decoded.messages, expected) << "in pieces of " << chunk;
    EXPECT_FALSE(decoded.in_packet);
  }
}

TYPED_TEST(DecoderTest, NeedsMoreAtFirst) {
  Decoder<TypeParam> decoder;
  TypeParam event;
  EXPECT_EQ(decoder.Next(&event), DecodeResult::kNeedMore);
  EXPECT_FALSE(decoder.in_packet());
  EXPECT_EQ(decoder.offset(), 0u);
  EXPECT_EQ(decoder.capacity(), 0u);
}

TYPED_TEST(DecoderTest, ReadingNothingChangesNothing) {
  Decoder<TypeParam> decoder;
  TypeParam event;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(decoder.Prepare().empty());
    decoder.Commit(0);
    EXPECT_EQ(decoder.Next(&event), DecodeResult::kNeedMore);
  }
}

// --- large payloads ----------------------------------------------------------

std::string Large(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  }
  return bytes;
}

TEST(LargePayloadTest, ComeWholeWhateverTheirSizeAndChunks) {
  for (const size_t size :
       {16383, 16384, 16385, 65536, 100000, 1 << 20, (1 << 20) + 1, 5000000}) {
    const std::string data = Large(size);
    const std::string stream =
        absl::StrCat(ResponsePacket(28, {"H:1", "before"}),
                     ResponsePacket(13, {"H:1", data}),
                     ResponsePacket(28, {"H:1", "after"}));
    for (const size_t chunk : {size_t{1000}, size_t{16384}, stream.size()}) {
      Decoder<ToClient> decoder;
      ToClient event;
      int count = 0;
      Feed(decoder, stream, chunk, &event, [&] {
        switch (count++) {
          case 0:
            EXPECT_EQ(std::get<WorkData>(event).data.view(), "before");
            break;
          case 1:
            EXPECT_EQ(std::get<WorkComplete>(event).handle, "H:1");
            EXPECT_TRUE(std::get<WorkComplete>(event).data.view() == data);
            break;
          default:
            EXPECT_EQ(std::get<WorkData>(event).data.view(), "after");
        }
      });
      ASSERT_TRUE(decoder.error().ok()) << decoder.error();
      EXPECT_EQ(count, 3) << size << " in pieces of " << chunk;
      EXPECT_EQ(decoder.offset(), stream.size());
    }
  }
}

TEST(LargePayloadTest, IsReadIntoTheStringThatIsMovedOut) {
  const std::string data = Large(1 << 20);
  const std::string packet = RequestPacket(7, {"f", "u", data});
  Decoder<ToServer> decoder;
  ToServer event;
  const size_t head = 100;
  Feed(decoder, packet.substr(0, head), head, &event, [] { FAIL(); });
  // From here on the decoder's memory is the payload's.
  const absl::Span<char> memory = decoder.Prepare();
  const size_t address_offset = head - (12 + 4);
  std::string rest = packet.substr(head);
  std::memcpy(memory.data(), rest.data(), memory.size());
  const char* const address = memory.data();
  decoder.Commit(memory.size());
  EXPECT_EQ(decoder.Next(&event), DecodeResult::kNeedMore);
  Feed(decoder, rest.substr(memory.size()), packet.size(), &event, [] {});
  auto& submit = std::get<SubmitJob>(event);
  EXPECT_EQ(submit.function, "f");
  EXPECT_EQ(submit.unique, "u");
  EXPECT_FALSE(submit.data.borrowed());
  const std::string taken = std::move(submit.data).TakeString();
  EXPECT_EQ(taken.data() + address_offset, address);
  EXPECT_TRUE(taken == data);
}

// The decoder passes on only the first part of an ERROR's text, because that is
// copied into messages and logs. It finds the next packet all the same.
TEST(LargePayloadTest, ErrorTextIsReadLikeAnyOtherAndCut) {
  const std::string text = Large(50000);
  const Decoded decoded = Decode<ToClient>(
      ResponsePacket(19, {"QUEUE_ERROR", text}) + ResponsePacket(14, {"H:1"}),
      1000);
  ASSERT_EQ(decoded.messages.size(), 2u);
  EXPECT_EQ(
      decoded.messages[0],
      Describe(Error{"QUEUE_ERROR", absl::string_view(text).substr(0, 4096)}));
  EXPECT_EQ(decoded.messages[1], Describe(WorkFail{"H:1"}));
}

// A reader may take more into the decoder before it looks at what is there.
TEST(LargePayloadTest, StaysWholeWhenMoreIsReadBeforeNext) {
  const std::string data = Large(40000);
  const std::string packet = ResponsePacket(13, {"H:1", data});
  Decoder<ToClient> decoder;
  ToClient event;
  Feed(decoder, absl::string_view(packet).substr(0, 1000), 1000, &event,
       [] { FAIL(); });
  absl::string_view rest = absl::string_view(packet).substr(1000);
  const std::string next = ResponsePacket(14, {"H:2"});
  for (absl::string_view part : {rest, absl::string_view(next)}) {
    while (!part.empty()) {
      const absl::Span<char> memory = decoder.Prepare();
      ASSERT_FALSE(memory.empty());
      const size_t size = std::min(memory.size(), part.size());
      std::memcpy(memory.data(), part.data(), size);
      decoder.Commit(size);
      part.remove_prefix(size);
    }
  }
  ASSERT_EQ(decoder.Next(&event), DecodeResult::kMessage);
  EXPECT_EQ(std::get<WorkComplete>(event).handle, "H:1");
  EXPECT_TRUE(std::get<WorkComplete>(event).data.view() == data);
  ASSERT_EQ(decoder.Next(&event), DecodeResult::kMessage);
  EXPECT_EQ(std::get<WorkFail>(event).handle, "H:2");
}

// --- views -------------------------------------------------------------------

TEST(DecodedViewsTest, OfAllEventsOfOneReadStayUntilTheNextPrepare) {
  std::string stream;
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&stream, ResponsePacket(8, {absl::StrCat("H:", i)}));
  }
  Decoder<ToClient> decoder;
  ToClient event;
  std::vector<absl::string_view> handles;
  Feed(decoder, stream, stream.size(), &event,
       [&] { handles.push_back(std::get<JobCreated>(event).handle); });
  ASSERT_EQ(handles.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(handles[i], absl::StrCat("H:", i));
}

TEST(DecodedViewsTest, SmallDataIsBorrowedAndCanBeTaken) {
  Decoder<ToClient> decoder;
  ToClient event;
  std::string taken;
  Feed(decoder, ResponsePacket(13, {"H:1", "result"}), 1000, &event, [&] {
    auto& complete = std::get<WorkComplete>(event);
    EXPECT_TRUE(complete.data.borrowed());
    taken = std::move(complete.data).TakeString();
  });
  EXPECT_EQ(taken, "result");
}

// --- traps -------------------------------------------------------------------

// Trap 2.
TEST(DecoderTrapTest, TheNulBeforeEmptyDataIsNotData) {
  EXPECT_EQ(Decode<ToServer>(RequestPacket(7, {"f", "u", ""})).messages,
            std::vector<std::string>{Describe(
                SubmitJob{Priority::kNone, false, "f", "u", Payload()})});
}

// Trap 3.
TEST(DecoderTrapTest, NulsInDataSurvive) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  every_byte += every_byte;
  const std::string packet = ResponsePacket(13, {"H:1", every_byte});
  for (const size_t chunk : {size_t{1}, packet.size()}) {
    EXPECT_EQ(Decode<ToClient>(packet, chunk).messages,
              std::vector<std::string>{
                  Describe(WorkComplete{"H:1", Payload::View(every_byte)})});
  }
}

// Trap 6.
TEST(DecoderTrapTest, AHandleOfSpacesTabsAndColonsComesAsItIs) {
  constexpr char kHandle[] = "H a\tb::c \xff:1";
  EXPECT_EQ(Decode<ToClient>(absl::StrCat(ResponsePacket(8, {kHandle}),
                                          ResponsePacket(13, {kHandle, "d"})))
                .messages,
            (std::vector<std::string>{
                Describe(JobCreated{kHandle}),
                Describe(WorkComplete{kHandle, Payload::View("d")})}));
}

// Trap 10.
TEST(DecoderTrapTest, AReduceSubmitOfFourArgumentsIsRefused) {
  const std::string data = "data";
  EXPECT_TRUE(Decode<ToServer>(RequestPacket(37, {"f", "u", "r", "", data}))
                  .error.ok());
  const Decoded decoded =
      Decode<ToServer>(RequestPacket(37, {"f", "u", "r", data}));
  EXPECT_EQ(decoded.error.code(), absl::StatusCode::kDataLoss);
}

// Trap 11.
TEST(DecoderTrapTest, GrabJobAllMayBeAnsweredWithAUnique) {
  for (const std::string& packet :
       {ResponsePacket(31, {"H:1", "f", "u", "d"}),
        ResponsePacket(40, {"H:1", "f", "u", "r", "d"})}) {
    const Decoded decoded = Decode<ToWorker>(packet);
    ASSERT_EQ(decoded.messages.size(), 1u) << decoded.error;
    EXPECT_TRUE(absl::StartsWith(decoded.messages[0], "JobAssign"));
  }
}

// Trap 12.
TEST(DecoderTrapTest, AnErrorsCodeStandsApartFromItsText) {
  Decoder<ToClient> decoder;
  ToClient event;
  int count = 0;
  const std::string stream = absl::StrCat(
      ResponsePacket(19,
                     {"JOB_NOT_FOUND", "Job given in work result not found"}),
      ResponsePacket(19, {"JOB_NOT_FOUND", "gearman_server_job_get()"}));
  Feed(decoder, stream, stream.size(), &event, [&] {
    ++count;
    EXPECT_EQ(std::get<Error>(event).code, "JOB_NOT_FOUND");
  });
  EXPECT_EQ(count, 2);
}

// Trap 21.
TEST(DecoderTrapTest, AWorkFailWhoseHandleEndsInNulNamesItsJob) {
  const std::string handle("H:host:4");
  for (const std::string& nuls :
       {std::string(), std::string(1, '\0'), std::string(3, '\0')}) {
    EXPECT_EQ(Decode<ToClient>(ResponsePacket(14, {handle + nuls})).messages,
              std::vector<std::string>{Describe(WorkFail{handle})});
    EXPECT_EQ(Decode<ToServer>(RequestPacket(14, {handle + nuls})).messages,
              std::vector<std::string>{Describe(WorkFail{handle})});
    EXPECT_EQ(Decode<ToServer>(RequestPacket(15, {handle + nuls})).messages,
              std::vector<std::string>{Describe(GetStatus{handle})});
    EXPECT_EQ(Decode<ToClient>(ResponsePacket(8, {handle + nuls})).messages,
              std::vector<std::string>{Describe(JobCreated{handle})});
  }
}

// Trap 25.
TEST(DecoderTrapTest, AStatusOfNoIntegersIsPassedOnAsText) {
  for (const char* number :
       {"0.5", "-1", "4294967295", "99999999999", "", "x"}) {
    EXPECT_EQ(
        Decode<ToClient>(ResponsePacket(12, {"H:1", number, number})).messages,
        std::vector<std::string>{Describe(WorkStatus{"H:1", number, number})});
  }
}

// Trap 57.
TEST(DecoderTrapTest, PacketsBehindACancelledJobsFailAreStillRead) {
  const std::string stream = absl::StrCat(ResponsePacket(14, {"H:1"}),
                                          ResponsePacket(28, {"H:1", "d"}),
                                          ResponsePacket(13, {"H:1", "r"}));
  const Decoded decoded = Decode<ToClient>(stream);
  EXPECT_TRUE(decoded.error.ok()) << decoded.error;
  EXPECT_EQ(decoded.messages.size(), 3u);
}

// Trap 60.
TEST(DecoderTrapTest, EmptyProgressFieldsAreAccepted) {
  Decoder<ToClient> decoder;
  ToClient event;
  int count = 0;
  Feed(decoder, ResponsePacket(20, {"H:1", "1", "1", "", ""}), 1000, &event,
       [&] {
         ++count;
         const auto& result = std::get<StatusResult>(event);
         EXPECT_EQ(ParseProgress(result.numerator), 0);
         EXPECT_EQ(ParseProgress(result.denominator), 0);
       });
  EXPECT_EQ(count, 1);
}

// Trap 60.
TEST(DecoderTrapTest, LowerCaseCodesAreAccepted) {
  const Decoded decoded =
      Decode<ToClient>(ResponsePacket(19, {"unknown_option", "no"}));
  EXPECT_EQ(decoded.messages,
            std::vector<std::string>{Describe(Error{"unknown_option", "no"})});
}

// Trap 61.
TEST(DecoderTrapTest, AnErrorTextWithNulsIsOneText) {
  const std::string text("a\0b\0c", 5);
  const std::string packet = ResponsePacket(19, {"invalid_args", text});
  EXPECT_EQ(Decode<ToClient>(packet).messages,
            std::vector<std::string>{Describe(Error{"invalid_args", text})});
  EXPECT_EQ(Decode<ToWorker>(packet).messages,
            std::vector<std::string>{Describe(Error{"invalid_args", text})});
}

// --- what a server does with the odd
// ------------------------------------------

TEST(ServerDecoderTest, SwallowsTheBodyOfAPacketThatHasNone) {
  const std::string body("body\0of bytes", 13);
  std::string stream;
  for (const uint32_t type : {3, 4, 9, 24, 30, 39}) {
    absl::StrAppend(&stream, RawPacket(kRequestMagic, type, body));
  }
  for (const size_t chunk : {size_t{1}, stream.size()}) {
    EXPECT_EQ(
        Decode<ToServer>(stream, chunk).messages,
        (std::vector<std::string>{
            "ResetAbilities", "PreSleep", Describe(GrabJob{GrabKind::kPlain}),
            "AllYours", Describe(GrabJob{GrabKind::kUnique}),
            Describe(GrabJob{GrabKind::kAll})}));
  }
}

TEST(ServerDecoderTest, AnswersEachResponseMagicAndReadsOn) {
  for (uint32_t type = 1; type <= kLastCommand; ++type) {
    const std::string stream =
        absl::StrCat(RawPacket(kResponseMagic, type, std::string(1000, 'x')),
                     RequestPacket(4));
    for (const size_t chunk : {size_t{1}, size_t{100}, stream.size()}) {
      const Decoded decoded = Decode<ToServer>(stream, chunk);
      EXPECT_TRUE(decoded.error.ok()) << decoded.error;
      EXPECT_EQ(decoded.messages,
                (std::vector<std::string>{
                    Describe(RefusedPacket{"INVALID_MAGIC",
                                           "Request magic expected"}),
                    "PreSleep"}))
          << type;
    }
  }
}

TEST(ServerDecoderTest, AnswersEachPacketThatOnlyAServerSendsAndReadsOn) {
  for (const CommandInfo& info : Commands()) {
    if (info.to_server()) continue;
    const std::string stream = absl::StrCat(
        RawPacket(kRequestMagic, static_cast<uint32_t>(info.command), "x"),
        RequestPacket(4));
    const Decoded decoded = Decode<ToServer>(stream, 5);
    EXPECT_TRUE(decoded.error.ok()) << decoded.error;
    EXPECT_EQ(
        decoded.messages,
        (std::vector<std::string>{
            Describe(RefusedPacket{"INVALID_COMMAND", "Command not expected"}),
            "PreSleep"}))
        << info.name;
  }
}

TEST(ServerDecoderTest, CutsAForwardedArgumentAtItsNul) {
  const std::string odd(
      "2\0"
      "3",
      3);
  EXPECT_EQ(Decode<ToServer>(RequestPacket(12, {"H:1", "1", odd})).messages,
            std::vector<std::string>{Describe(WorkStatus{"H:1", "1", "2"})});
  EXPECT_EQ(Decode<ToServer>(RequestPacket(41, {odd})).messages,
            std::vector<std::string>{Describe(GetStatusUnique{"2"})});
}

TEST(ServerDecoderTest, ReadsAUniqueOfAnyLength) {
  // gearmand answers one that is too long with an ERROR: the engine's business.
  const std::string unique(8000, 'u');
  EXPECT_EQ(Decode<ToServer>(RequestPacket(18, {"f", unique, "d"})).messages,
            std::vector<std::string>{Describe(SubmitJob{
                Priority::kNone, true, "f", unique, Payload::View("d")})});
}

}  // namespace
}  // namespace wire
}  // namespace gearman
