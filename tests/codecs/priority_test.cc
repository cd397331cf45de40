#include "gearman/codecs/priority.h"

#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(PriorityTest, HasGearmansNames) {
  EXPECT_EQ(PriorityName(Priority::kNone), "none");
  EXPECT_EQ(PriorityName(Priority::kLow), "low");
  EXPECT_EQ(PriorityName(Priority::kHigh), "high");
}

TEST(PriorityTest, IsTheNormalOneByDefault) {
  EXPECT_EQ(Priority(), Priority::kNone);
}

}  // namespace
}  // namespace gearman
