#include "gearman/tools/gearctl/text.h"

#include <string>

#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

class TextTest : public ::testing::Test {
 protected:
  TextTest() { UseUtf8(); }
};

TEST_F(TextTest, ControlSequencesAreShownNotObeyed) {
  EXPECT_EQ(Printable("plain \xc3\xa4"), "plain \xc3\xa4");
  EXPECT_EQ(Printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(Printable("a\n\"b\""), "a\\x0a\"b\"");
  EXPECT_EQ(Printable("\xff!"), "\\xff!");
}

TEST_F(TextTest, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("\xc3\xa4"), 1);
  EXPECT_EQ(DisplayWidth("\xe6\xbc\xa2"), 2);  // a wide character
  EXPECT_EQ(DisplayWidth("\xff"), 1);
}

TEST_F(TextTest, CuttingKeepsCharactersWhole) {
  EXPECT_EQ(CutToWidth("abc", 2), "ab");
  EXPECT_EQ(CutToWidth("abc", 9), "abc");
  EXPECT_EQ(CutToWidth("\xc3\xa4\xc3\xa4", 1), "\xc3\xa4");
  EXPECT_EQ(CutToWidth("a\xe6\xbc\xa2", 2), "a");
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
