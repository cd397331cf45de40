#include "gearman/tools/gearctl/output.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/text/safe_text.h"
#include "gearman/tools/gearctl/text.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

class OutputTest : public ::testing::Test {
 protected:
  OutputTest() { UseUtf8(); }
};

TEST_F(OutputTest, JsonKeepsTheOrderInWhichFieldsWereSet) {
  JsonObject object;
  object.Set("zebra", "z");
  object.SetNumber("count", 3);
  object.SetBool("ape", true);
  EXPECT_EQ(object.ToLine(), "{\"zebra\":\"z\",\"count\":3,\"ape\":true}\n");
}

TEST_F(OutputTest, AnEmptyJsonObjectIsOneToo) {
  EXPECT_EQ(JsonObject().ToLine(), "{}\n");
}

TEST_F(OutputTest, JsonIsOneLineWhateverTheText) {
  JsonObject object;
  object.Set("text", "a\n\"b\"\\");
  EXPECT_EQ(object.ToLine(), "{\"text\":\"a\\n\\\"b\\\"\\\\\"}\n");
}

TEST_F(OutputTest, BytesThatAreNoTextAreBase64InJson) {
  JsonObject object;
  object.Set("result", "\xff\xfe");
  object.SetList("data", {"text", "\xff"});
  object.SetList("warnings", {"one", "two"});
  EXPECT_EQ(object.ToLine(),
            "{\"result_base64\":\"//4=\",\"data_base64\":[\"dGV4dA==\","
            "\"/w==\"],\"warnings\":[\"one\",\"two\"]}\n");
}

TEST_F(OutputTest, ATableIsAlignedNumbersToTheRight) {
  Table table({"TASK", "QUEUED", "SERVER"});
  table.AddRow({"resize", "7", "a"});
  table.AddRow({"\xc3\xa4", "1234567", "b"});
  EXPECT_EQ(table.ToString(),
            "TASK     QUEUED  SERVER\n"
            "resize        7  a\n"
            "\xc3\xa4       1234567  b\n");
}

TEST_F(OutputTest, ADashCountsAsANumber) {
  Table table({"N", "X"});
  table.AddRow({"-", "x"});
  table.AddRow({"100", "y"});
  EXPECT_EQ(table.ToString(), "  N  X\n  -  x\n100  y\n");
}

TEST_F(OutputTest, ACellOfControlCharactersIsEscaped) {
  Table table({"TASK"});
  table.AddRow({"\x1b[2J"});
  EXPECT_EQ(table.ToString(), "TASK\n\\x1b[2J\n");
}

TEST_F(OutputTest, EachHostileNameIsOneRowOfATable) {
  Table table({"TASK", "QUEUED"});
  for (const support::HostileName& name : support::HostileNames()) {
    table.AddRow({name.name, "7"});
  }
  const std::string text = table.ToString();
  EXPECT_TRUE(support::IsSafeLines(text)) << text;
  const std::vector<std::string> lines =
      absl::StrSplit(text, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), support::HostileNames().size() + 1);
  for (const std::string& line : lines) EXPECT_LT(DisplayWidth(line), 300);
}

TEST_F(OutputTest, HostileNamesAreWholeInJson) {
  for (const support::HostileName& name : support::HostileNames()) {
    JsonObject object;
    object.Set("task", name.name);
    const std::string line = object.ToLine();
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    google::protobuf::Struct read;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(line, &read).ok())
        << line;
    if (IsUtf8(name.name)) {
      EXPECT_EQ(read.fields().at("task").string_value(), name.name);
    } else {
      EXPECT_EQ(read.fields().at("task_base64").string_value(),
                absl::Base64Escape(name.name));
    }
  }
}

TEST_F(OutputTest, ALongCellIsCutAndPadsNoOtherRow) {
  Table table({"TASK", "N"});
  table.AddRow({"short", "1"});
  table.AddRow({std::string(8000, 'x'), "2"});
  const std::vector<std::string> lines = absl::StrSplit(table.ToString(), '\n');
  EXPECT_EQ(lines[1], "short" + std::string(59 + 2, ' ') + "1");
  EXPECT_EQ(lines[2], std::string(255, 'x') + "\xe2\x80\xa6  2");
}

TEST_F(OutputTest, RowsAreWrittenAsTheyCome) {
  size_t written = 0;
  Table table({"JOB", "N"}, [&](absl::string_view text) {
    written += static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  });
  for (size_t i = 0; i < Table::kMeasuredRows; ++i) table.AddRow({"job", "1"});
  EXPECT_EQ(written, Table::kMeasuredRows + 1);
  table.AddRow({"job", "2"});
  EXPECT_EQ(written, Table::kMeasuredRows + 2);
  table.Finish();
  EXPECT_EQ(written, Table::kMeasuredRows + 2);
}

TEST_F(OutputTest, ATableWithoutRowsIsItsHeading) {
  EXPECT_EQ(Table({"TASK", "QUEUED"}).ToString(), "TASK  QUEUED\n");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
