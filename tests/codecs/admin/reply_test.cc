#include "gearman/codecs/admin/reply.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Row>
std::string Encoded(const Row& row) {
  wire::OutputBuffer out;
  Encode(row, out);
  return wire::Drain(out);
}

TEST(StatusRowTest, IsReadAsItIsWritten) {
  const std::string line = Encoded(StatusRow{"resize", 12, 3, 4});
  EXPECT_EQ(line, "resize\t12\t3\t4\n");
  const auto row = ParseStatusRow("resize\t12\t3\t4");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->function, "resize");
  EXPECT_EQ(row->total, 12);
  EXPECT_EQ(row->running, 3);
  EXPECT_EQ(row->workers, 4);
}

// Trap 59.
TEST(StatusRowTest, IsReadFromTheRightSoThatNamesMayHoldTabs) {
  const auto row = ParseStatusRow("a\tb\t1\t%d c\t2\t1\t0");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->function, "a\tb\t1\t%d c");
  EXPECT_EQ(row->total, 2);
  const auto priority = ParsePriorityStatusRow("a\tb\t3\t2\t1\t0");
  ASSERT_TRUE(priority.ok()) << priority.status();
  EXPECT_EQ(priority->function, "a\tb");
  EXPECT_EQ(priority->high, 3);
  EXPECT_EQ(priority->normal, 2);
  EXPECT_EQ(priority->low, 1);
  EXPECT_EQ(priority->workers, 0);
}

TEST(StatusRowTest, MayHaveAnEmptyNameAndCountsBelowZero) {
  const auto row = ParseStatusRow("\t0\t4294967295\t1");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->function, "");
  EXPECT_EQ(row->running, 4294967295);
}

TEST(StatusRowTest, OfAnotherShapeIsDataLossAndShown) {
  for (const absl::string_view line :
       {"", "resize", "resize\t1\t2", "resize\t1\tx\t2", "resize\t1\t2\t"}) {
    const absl::Status status = ParseStatusRow(line).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << line;
  }
  EXPECT_THAT(std::string(ParseStatusRow("\x01odd").status().message()),
              HasSubstr("\\x01odd"));
  EXPECT_LT(ParseStatusRow(std::string(100000, 'x')).status().message().size(),
            300u);
}

TEST(PriorityStatusRowTest, IsReadAsItIsWritten) {
  EXPECT_EQ(Encoded(PriorityStatusRow{"f", 3, 2, 1, 4}), "f\t3\t2\t1\t4\n");
  EXPECT_FALSE(ParsePriorityStatusRow("f\t3\t2\t1").ok());
}

TEST(WorkerRowTest, IsReadAsItIsWritten) {
  WorkerRow written;
  written.descriptor = 38;
  written.peer = "127.0.0.1";
  written.id = "w-1";
  written.functions = {"g", "f"};
  EXPECT_EQ(Encoded(written), "38 127.0.0.1 w-1 : g f\n");
  const auto row = ParseWorkerRow("38 127.0.0.1 w-1 : g f");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->descriptor, 38);
  EXPECT_EQ(row->peer, "127.0.0.1");
  EXPECT_EQ(row->id, "w-1");
  EXPECT_THAT(row->functions, ElementsAre("g", "f"));
}

// Trap 58.
TEST(WorkerRowTest, MayHaveAnIdOfSpacesAndColonsAndAPeerOfGarbage) {
  const auto row = ParseWorkerRow("40 \x02\xfe a : b :c : f :g");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->peer, "\x02\xfe");
  EXPECT_EQ(row->id, "a : b :c");
  EXPECT_THAT(row->functions, ElementsAre("f", ":g"));
}

TEST(WorkerRowTest, MayHaveNoFunctions) {
  for (const absl::string_view line :
       {"35 127.0.0.1 - :", "35 127.0.0.1 - : "}) {
    const auto row = ParseWorkerRow(line);
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_EQ(row->id, "-");
    EXPECT_THAT(row->functions, IsEmpty());
  }
}

TEST(WorkerRowTest, OfAnotherShapeIsDataLoss) {
  for (const absl::string_view line :
       {"", "x", "35", "35 127.0.0.1", "x 127.0.0.1 - : f", "35 : f"}) {
    EXPECT_EQ(ParseWorkerRow(line).status().code(), absl::StatusCode::kDataLoss)
        << line;
  }
}

TEST(JobRowTest, IsReadAsItIsWritten) {
  EXPECT_EQ(Encoded(JobRow{"H:lap:1", 2, true, false}), "H:lap:1\t2\t1\t0\n");
  const auto row = ParseJobRow("H:a\tb:1\t2\t0\t1");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->handle, "H:a\tb:1");
  EXPECT_EQ(row->retries, 2);
  EXPECT_FALSE(row->ignored);
  EXPECT_TRUE(row->background);
  EXPECT_FALSE(ParseJobRow("H:1\t1\t1").ok());
}

TEST(LineReplyTest, IsOkWithOrWithoutAText) {
  EXPECT_EQ(ParseLineReply("OK").kind, LineReply::Kind::kOk);
  EXPECT_EQ(ParseLineReply("OK").text, "");
  EXPECT_EQ(ParseLineReply("OK 1.1.20").text, "1.1.20");
  EXPECT_EQ(ParseLineReply("ok 4711").kind, LineReply::Kind::kOk);
}

// Trap 12.
TEST(LineReplyTest, HasTheCodeOfAnErrorApartFromItsText) {
  const LineReply reply =
      ParseLineReply("ERR UNKNOWN_COMMAND Unknown+server+commandx");
  EXPECT_EQ(reply.kind, LineReply::Kind::kError);
  EXPECT_EQ(reply.code, "UNKNOWN_COMMAND");
  EXPECT_EQ(reply.text, "Unknown server commandx");
}

// Trap 60.
TEST(LineReplyTest, MayBeBareOrHaveALowerCaseCodeOrNone) {
  EXPECT_EQ(ParseLineReply("1.1.20").kind, LineReply::Kind::kBare);
  EXPECT_EQ(ParseLineReply("1.1.20").text, "1.1.20");
  EXPECT_EQ(ParseLineReply("").kind, LineReply::Kind::kBare);
  EXPECT_EQ(ParseLineReply("ERR unknown_command x").code, "UNKNOWN_COMMAND");
  const LineReply without = ParseLineReply("ERR function not found");
  EXPECT_EQ(without.kind, LineReply::Kind::kError);
  EXPECT_EQ(without.code, "");
  EXPECT_EQ(without.text, "function not found");
}

TEST(LineReplyTest, OfAServerIsWhatAClientReads) {
  wire::OutputBuffer out;
  EncodeOk(out);
  EncodeOk("1.2", out);
  Encode(Refusal::kUnknownJob, out);
  Encode(Refusal::kFunctionNotFound, out);
  EncodeUniqueRow("a b", out);
  EncodeListEnd(out);
  EXPECT_EQ(wire::Drain(out),
            "OK\r\nOK 1.2\nERR UNKNOWN_JOB\r\nERR function not found\r\n"
            "a b\n.\n");
  EXPECT_EQ(ParseLineReply("ERR UNKNOWN_JOB").code, "UNKNOWN_JOB");
}

}  // namespace
}  // namespace admin
}  // namespace gearman
