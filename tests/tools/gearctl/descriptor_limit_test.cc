#include "gearman/tools/gearctl/descriptor_limit.h"

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

rlimit Limit() {
  rlimit limit = {};
  EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  return limit;
}

TEST(DescriptorLimitTest, IsRaisedToWhatIsNeeded) {
  rlimit low = Limit();
  ASSERT_GE(low.rlim_max, 200u);
  low.rlim_cur = 100;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  RaiseDescriptorLimit(200);
  EXPECT_EQ(Limit().rlim_cur, 200u);
  RaiseDescriptorLimit(150);
  EXPECT_EQ(Limit().rlim_cur, 200u);
}

TEST(DescriptorLimitTest, NeverPassesTheHardLimit) {
  const rlimit before = Limit();
  ASSERT_GT(before.rlim_max, 100u);
  const rlimit low = {100, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  RaiseDescriptorLimit(before.rlim_max + 1);
  EXPECT_EQ(Limit().rlim_cur, before.rlim_max);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
