#include "gearman/codecs/admin/reply_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::DecodeResult;

// Feeds the stream in pieces of at most `chunk` bytes. Replies come out as
// their lines, joined by "|", with "!" in front of a refused list; or as "too
// large".
std::vector<std::string> Decode(ReplyDecoder* decoder,
                                const std::string& stream, size_t chunk) {
  std::vector<std::string> replies;
  for (size_t done = 0; done < stream.size();) {
    const auto span = decoder->Prepare();
    const size_t piece = std::min({chunk, span.size(), stream.size() - done});
    std::memcpy(span.data(), stream.data() + done, piece);
    decoder->Commit(piece);
    done += piece;
    Reply reply;
    DecodeResult result;
    while ((result = decoder->Next(&reply)) == DecodeResult::kMessage) {
      EXPECT_TRUE(!reply.too_large || reply.lines.empty());
      replies.push_back(reply.too_large
                            ? "too large"
                            : absl::StrCat(reply.list_refused ? "!" : "",
                                           absl::StrJoin(reply.lines, "|")));
    }
    if (result == DecodeResult::kError) break;
  }
  return replies;
}

std::vector<std::string> Decode(const std::vector<ReplyShape>& shapes,
                                const std::string& stream, size_t chunk,
                                ReplyDecoderOptions options = {}) {
  ReplyDecoder decoder(options);
  for (const ReplyShape shape : shapes) decoder.Expect(shape);
  std::vector<std::string> replies = Decode(&decoder, stream, chunk);
  EXPECT_TRUE(decoder.error().ok()) << decoder.error();
  return replies;
}

std::string ErrorOf(const std::vector<ReplyShape>& shapes,
                    const std::string& stream,
                    ReplyDecoderOptions options = {}) {
  ReplyDecoder decoder(options);
  for (const ReplyShape shape : shapes) decoder.Expect(shape);
  Decode(&decoder, stream, stream.size());
  EXPECT_EQ(decoder.error().code(), absl::StatusCode::kDataLoss);
  return std::string(decoder.error().message());
}

// Trap 56.
TEST(ReplyDecoderTest, RepliesCutAtAnyByteAreTheSame) {
  const std::string stream =
      "f\t1\t0\t1\n.x\t0\t0\t0\n.\n"
      "OK 1.1.20\n"
      ".\n"
      "OK\r\nOK\r\nOK 4711\n"
      "ERR UNKNOWN_COMMAND Unknown+server+commandx\r\n";
  for (size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    EXPECT_THAT(Decode({ReplyShape::kList, ReplyShape::kLine, ReplyShape::kList,
                        ReplyShape::kFenced, ReplyShape::kLine},
                       stream, chunk),
                ElementsAre("f\t1\t0\t1|.x\t0\t0\t0", "OK 1.1.20", "", "OK|OK",
                            "ERR UNKNOWN_COMMAND Unknown+server+commandx"))
        << "chunks of " << chunk;
  }
}

TEST(ReplyDecoderTest, ANameEndsNoListWhoseRestIsThere) {
  ReplyDecoderOptions options;
  options.one_at_a_time = true;
  const std::string stream = "ERR a\r\n.\nb\t0\t0\t0\n.\n";
  EXPECT_THAT(Decode({ReplyShape::kList}, stream, stream.size(), options),
              ElementsAre("ERR a\r|.|b\t0\t0\t0"));
  EXPECT_THAT(Decode({ReplyShape::kList}, "f\t0\t0\t0\n.\n", 100, options),
              ElementsAre("f\t0\t0\t0"));
  EXPECT_THAT(Decode({ReplyShape::kList}, "ERR a\r\n", 100, options),
              ElementsAre("!ERR a"));
}

// Trap 55.
TEST(ReplyDecoderTest, SeveralLinesForOneDropDoNotShiftLaterReplies) {
  EXPECT_THAT(Decode({ReplyShape::kFenced, ReplyShape::kLine},
                     "OK\r\nOK\r\nOK\r\nOK 99\nOK 1.1.20\n", 3),
              ElementsAre("OK|OK|OK", "OK 1.1.20"));
  EXPECT_THAT(Decode({ReplyShape::kFenced, ReplyShape::kLine},
                     "ERR function not found\r\nOK 99\nOK 1.1.20\n", 3),
              ElementsAre("ERR function not found", "OK 1.1.20"));
}

TEST(ReplyDecoderTest, AFenceThatAServerDoesNotKnowIsAFenceStill) {
  EXPECT_THAT(Decode({ReplyShape::kFenced, ReplyShape::kLine},
                     "ERR UNKNOWN_COMMAND no drop\r\n"
                     "ERR UNKNOWN_COMMAND no getpid\r\nOK 2\n",
                     7),
              ElementsAre("ERR UNKNOWN_COMMAND no drop", "OK 2"));
}

TEST(ReplyDecoderTest, AListMayBeRefusedByOneLine) {
  EXPECT_THAT(Decode({ReplyShape::kList, ReplyShape::kLine},
                     "ERR UNKNOWN_COMMAND Unknown+server+command\r\nOK\r\n", 5),
              ElementsAre("!ERR UNKNOWN_COMMAND Unknown+server+command", "OK"));
}

TEST(ReplyDecoderTest, AFunctionCalledErrIsNoRefusal) {
  EXPECT_THAT(Decode({ReplyShape::kList}, "ERR f\t1\t0\t0\n.\n", 4),
              ElementsAre("ERR f\t1\t0\t0"));
}

TEST(ReplyDecoderTest, AListMayBeHuge) {
  constexpr int kRows = 100000;
  std::string stream;
  for (int i = 0; i < kRows; ++i)
    absl::StrAppend(&stream, "f", i, "\t0\t0\t0\n");
  stream += ".\n";
  ReplyDecoder decoder;
  decoder.Expect(ReplyShape::kList);
  const std::vector<std::string> replies = Decode(&decoder, stream, 4096);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(std::count(replies[0].begin(), replies[0].end(), '|'), kRows - 1);
}

TEST(ReplyDecoderTest, AListWithoutItsDotIsNoReply) {
  ReplyDecoder decoder;
  decoder.Expect(ReplyShape::kList);
  EXPECT_THAT(Decode(&decoder, "f\t1\t0\t1\n", 100), ElementsAre());
  EXPECT_EQ(decoder.expected(), 1u);
}

TEST(ReplyDecoderTest, RefusesAReplyNobodyAskedFor) {
  EXPECT_THAT(ErrorOf({ReplyShape::kLine}, "OK\r\nOK\r\n"),
              AllOf(HasSubstr("nobody has asked for"), HasSubstr("byte 4")));
}

TEST(ReplyDecoderTest, RefusesABinaryPacket) {
  EXPECT_THAT(
      ErrorOf({ReplyShape::kLine}, std::string("\0RES\0\0\0\x06\0\0\0\0", 12)),
      HasSubstr("got a binary packet"));
}

TEST(ReplyDecoderTest, SkipsAReplyThatIsTooLargeToItsEnd) {
  ReplyDecoderOptions options;
  options.max_reply_bytes = 100;
  for (const size_t chunk : {1, 7, 100000}) {
    EXPECT_THAT(Decode({ReplyShape::kList, ReplyShape::kLine},
                       std::string(90, 'x') + "\n" + std::string(90, 'y') +
                           "\n.\nOK\r\n",
                       chunk, options),
                ElementsAre("too large", "OK"));
    EXPECT_THAT(Decode({ReplyShape::kFenced, ReplyShape::kLine},
                       std::string(200, 'x') + "\nOK\r\nOK 12\r\nOK\r\n", chunk,
                       options),
                ElementsAre("too large", "OK"));
  }
}

TEST(ReplyDecoderTest, SkipsALineThatIsTooLong) {
  ReplyDecoderOptions options;
  options.max_reply_bytes = 100;
  const std::string line(200000, 'x');
  for (const size_t chunk : {9999, 100000, 1000000}) {
    EXPECT_THAT(Decode({ReplyShape::kLine, ReplyShape::kLine},
                       line + "\nOK\r\n", chunk, options),
                ElementsAre("too large", "OK"));
    // A line that ends in "." is not the end of the list.
    EXPECT_THAT(Decode({ReplyShape::kList, ReplyShape::kLine},
                       line + ".\na\n.\nOK\r\n", chunk, options),
                ElementsAre("too large", "OK"));
  }
}

TEST(ReplyDecoderTest, TakesAReplyAtItsLimit) {
  ReplyDecoderOptions options;
  options.max_reply_bytes = 100;
  for (const size_t size : {98, 99, 100}) {
    const std::string line(size, 'x');
    EXPECT_THAT(Decode({ReplyShape::kLine}, line + "\n", 1000, options),
                ElementsAre(size < 100 ? line : "too large"));
  }
}

TEST(ReplyDecoderTest, FindsTheEndOfAReplyThatReachesItsLimitThere) {
  ReplyDecoderOptions options;
  options.max_reply_bytes = 100;
  for (const size_t chunk : {1, 1000}) {
    for (size_t size = 90; size <= 110; ++size) {
      const std::string rows = std::string(size - 1, 'x') + "\n";
      EXPECT_THAT(
          Decode({ReplyShape::kList, ReplyShape::kLine}, rows + ".\nOK\r\n",
                 chunk, options),
          ElementsAre(size <= 98 ? std::string(size - 1, 'x') : "too large",
                      "OK"))
          << size;
      EXPECT_THAT(
          Decode({ReplyShape::kFenced, ReplyShape::kLine},
                 rows + "OK 12\r\nOK\r\n", chunk, options),
          ElementsAre(size <= 93 ? std::string(size - 1, 'x') : "too large",
                      "OK"))
          << size;
    }
  }
}

TEST(ReplyDecoderTest, TakesNoMemoryForAReplyThatIsTooLarge) {
  ReplyDecoderOptions options;
  options.max_reply_bytes = 1000;
  ReplyDecoder decoder(options);
  decoder.Expect(ReplyShape::kList);
  const std::string part(100000, 'x');
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(Decode(&decoder, part, part.size()), ElementsAre());
    ASSERT_LE(decoder.Prepare().size(), 1u << 20);
  }
}

TEST(ReplyDecoderTest, SkipsAReplyOfTooManyLines) {
  ReplyDecoderOptions options;
  options.max_reply_lines = 2;
  EXPECT_THAT(Decode({ReplyShape::kList, ReplyShape::kLine},
                     "a\n\nc\nd\n.\nOK\r\n", 100, options),
              ElementsAre("too large", "OK"));
  for (const ReplyShape shape : {ReplyShape::kList, ReplyShape::kFenced}) {
    ReplyDecoder decoder(options);
    decoder.Expect(shape);
    const std::string end = shape == ReplyShape::kList ? "." : "OK 12\r";
    EXPECT_THAT(Decode(&decoder, "a\n\n" + end + "\n", 100), ElementsAre("a|"));
    EXPECT_TRUE(decoder.error().ok()) << decoder.error();
  }
}

TEST(ReplyLinesTest, AreReadAsTheyWereAppended) {
  ReplyLines lines;
  EXPECT_TRUE(lines.empty());
  EXPECT_THAT(lines, ElementsAre());
  for (const char* line : {"", "f\t1", "", ""}) lines.Append(line);
  EXPECT_THAT(lines, ElementsAre("", "f\t1", "", ""));
  EXPECT_EQ(lines.front(), "");
  EXPECT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines.bytes(), 3u);
}

TEST(ReplyDecoderTest, KnowsTheShapeOfEachReply) {
  EXPECT_EQ(ShapeOf(ShowStatus()), ReplyShape::kList);
  EXPECT_EQ(ShapeOf(ShowPriorityStatus()), ReplyShape::kList);
  EXPECT_EQ(ShapeOf(ShowWorkers()), ReplyShape::kList);
  EXPECT_EQ(ShapeOf(ShowJobs()), ReplyShape::kList);
  EXPECT_EQ(ShapeOf(ShowUniqueJobs()), ReplyShape::kList);
  EXPECT_EQ(ShapeOf(DropFunction{"f"}), ReplyShape::kFenced);
  EXPECT_EQ(ShapeOf(GetVersion()), ReplyShape::kLine);
  EXPECT_EQ(ShapeOf(MaxQueue{"f"}), ReplyShape::kLine);
}

}  // namespace
}  // namespace admin
}  // namespace gearman
