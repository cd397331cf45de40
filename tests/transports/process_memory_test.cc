#include "gearman/transports/process_memory.h"

#include <cstddef>

#include "gearman/tests/support/test_directory.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

class ProcessMemoryTest : public ::testing::Test {
 protected:
  support::TestDirectory directory_;
};

TEST_F(ProcessMemoryTest, TheLeastLimitOnTheWayToTheRootCounts) {
  directory_.Write("outer/memory.max", "1000\n");
  directory_.Write("outer/inner/memory.max", "max\n");
  EXPECT_EQ(ControlGroupMemory("0::/outer/inner\n", directory_.path()), 1000u);
  directory_.Write("outer/inner/memory.max", "500\n");
  EXPECT_EQ(ControlGroupMemory("0::/outer/inner\n", directory_.path()), 500u);
  EXPECT_EQ(ControlGroupMemory("0::/outer\n", directory_.path()), 1000u);
}

TEST_F(ProcessMemoryTest, ReadsTheLimitOfAContainersRoot) {
  directory_.Write("memory.max", "700\n");
  EXPECT_EQ(ControlGroupMemory("0::/\n", directory_.path()), 700u);
}

TEST_F(ProcessMemoryTest, ReadsTheOlderKindOfGroups) {
  directory_.Write("memory/group/memory.limit_in_bytes", "800\n");
  EXPECT_EQ(ControlGroupMemory("5:cpu,memory:/group\n4:cpuset:/x\n",
                               directory_.path()),
            800u);
}

TEST_F(ProcessMemoryTest, WhatCannotBeReadIsNoLimit) {
  EXPECT_EQ(ControlGroupMemory("", directory_.path()), kShareOfMemory);
  EXPECT_EQ(ControlGroupMemory("nonsense\n0::/gone\n", directory_.path()),
            kShareOfMemory);
}

TEST_F(ProcessMemoryTest, ThisProcessMayHaveSome) {
  EXPECT_GT(ProcessMemory(), size_t{16} << 20);
  EXPECT_LT(ProcessMemory(), kShareOfMemory);
}

TEST(PacketLimitTest, APacketHasHalfOfTheMemoryAtMost) {
  EXPECT_EQ(PacketLimit(1 << 20, 0), size_t{1} << 20);
  EXPECT_EQ(PacketLimit(1 << 20, 4 << 20), size_t{1} << 20);
  EXPECT_EQ(PacketLimit(1 << 20, 1 << 20), size_t{1} << 19);
  EXPECT_EQ(PacketLimit(1 << 20, 1), size_t{65536});
}

}  // namespace
}  // namespace gearman
