#include "gearman/codecs/wire/progress.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(ProgressTest, ReadsDecimalNumbers) {
  EXPECT_EQ(ParseProgress("0"), 0);
  EXPECT_EQ(ParseProgress("7"), 7);
  EXPECT_EQ(ParseProgress("4294967295"), 4294967295);
  EXPECT_EQ(ParseProgress("9223372036854775807"), kMax);
}

// Texts that workers send and gearmand passes on.
// Trap 25.
TEST(ProgressTest, TextThatIsNoIntegerIsTolerated) {
  EXPECT_EQ(ParseProgress("0.5"), 0);
  EXPECT_EQ(ParseProgress("12.7"), 12);
  EXPECT_EQ(ParseProgress("-1"), -1);
  EXPECT_EQ(ParseProgress("+3"), 3);
  EXPECT_EQ(ParseProgress("  42"), 42);
  EXPECT_EQ(ParseProgress("42%"), 42);
  EXPECT_EQ(ParseProgress("99999999999"), 99999999999);
  EXPECT_EQ(ParseProgress("half"), 0);
  EXPECT_EQ(ParseProgress("-"), 0);
  EXPECT_EQ(ParseProgress("--1"), 0);
  EXPECT_EQ(ParseProgress(std::string("\0"
                                      "5",
                                      2)),
            0);
  EXPECT_EQ(ParseProgress("\xff"), 0);
}

// Trap 60.
TEST(ProgressTest, AnEmptyFieldCountsAsNothing) {
  EXPECT_EQ(ParseProgress(""), 0);
  EXPECT_EQ(ParseProgress(" "), 0);
}

TEST(ProgressTest, IsBoundedByTheLargestNumbers) {
  EXPECT_EQ(ParseProgress("9223372036854775808"), kMax);
  EXPECT_EQ(ParseProgress(std::string(10000, '9')), kMax);
  EXPECT_EQ(ParseProgress("-" + std::string(10000, '9')), kMin);
  EXPECT_EQ(ParseProgress("-9223372036854775807"), -kMax);
}

}  // namespace
}  // namespace wire
}  // namespace gearman
