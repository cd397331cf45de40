#include "gearman/tests/support/wait_for.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

TEST(WaitFor, AsksUntilTheConditionIsTrue) {
  int asked = 0;
  EXPECT_TRUE(WaitFor([&asked] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
}

TEST(WaitFor, GivesUpAtTheBound) {
  int asked = 0;
  EXPECT_FALSE(WaitFor(
      [&asked] {
        ++asked;
        return false;
      },
      absl::Milliseconds(5)));
  EXPECT_GE(asked, 2);
}

TEST(WaitFor, AsksOnceEvenWithoutTime) {
  EXPECT_TRUE(WaitFor([] { return true; }, absl::ZeroDuration()));
}

}  // namespace
}  // namespace support
}  // namespace gearman
