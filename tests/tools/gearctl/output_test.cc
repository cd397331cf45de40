#include "gearman/tools/gearctl/output.h"

#include <string>

#include "gearman/tools/gearctl/text.h"
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

TEST_F(OutputTest, ATableWithoutRowsIsItsHeading) {
  EXPECT_EQ(Table({"TASK", "QUEUED"}).ToString(), "TASK  QUEUED\n");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
