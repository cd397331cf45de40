#include "gearman/tools/gearctl/terminal.h"

#include <limits>
#include <string>

#include "gearman/tools/gearctl/text.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

class TerminalTest : public ::testing::Test {
 protected:
  TerminalTest() { UseUtf8(); }
};

TEST_F(TerminalTest, ABarIsAsFullAsTheJobIsDone) {
  EXPECT_EQ(ProgressBar(0, 4, "t", 20), "[          ]   0% t");
  EXPECT_EQ(ProgressBar(2, 4, "t", 20), "[#####     ]  50% t");
  EXPECT_EQ(ProgressBar(4, 4, "t", 20), "[##########] 100% t");
}

TEST_F(TerminalTest, ABarIsNeverWiderThanTheTerminal) {
  for (int columns = 1; columns < 120; ++columns) {
    EXPECT_LT(DisplayWidth(ProgressBar(1, 3, "a task", columns)),
              std::max(columns, 2));
  }
}

TEST_F(TerminalTest, NumbersOfAnySizeAreDrawn) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(ProgressBar(9, 4, "t", 20), "[##########] 100% t");
  EXPECT_EQ(ProgressBar(-9, 4, "t", 20), "[          ]   0% t");
  EXPECT_EQ(ProgressBar(kMost, kMost, "t", 20), "[##########] 100% t");
}

TEST_F(TerminalTest, WithoutADenominatorTheNumberIsShown) {
  EXPECT_EQ(ProgressBar(17, 0, "lines done", 80), "17 lines done");
  EXPECT_EQ(ProgressBar(17, -1, "lines done", 8), "17 line");
}

TEST_F(TerminalTest, AScreenIsCutToTheTerminal) {
  TerminalSize size;
  size.columns = 3;
  size.rows = 2;
  EXPECT_EQ(ScreenOf("abcd\ne\nf\n", size), "\x1b[Habc\x1b[K\r\ne\x1b[K\x1b[J");
}

TEST_F(TerminalTest, TheLastLineOfAScreenDoesNotScrollIt) {
  TerminalSize size;
  size.rows = 1;
  EXPECT_EQ(ScreenOf("one\n", size), "\x1b[Hone\x1b[K\x1b[J");
}

TEST_F(TerminalTest, WhatIsNoTerminalHasTheUsualSize) {
  const TerminalSize size = SizeOfTerminal(-1);
  EXPECT_EQ(size.columns, 80);
  EXPECT_EQ(size.rows, 24);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
