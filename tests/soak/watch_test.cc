#include "gearman/tests/soak/watch.h"

#include <unistd.h>

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace soak {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMiB = 1 << 20;

Resources Sample(int64_t resident_mib, int64_t descriptors, int64_t threads) {
  Resources sample;
  sample.resident_bytes = resident_mib * kMiB;
  sample.descriptors = descriptors;
  sample.threads = threads;
  return sample;
}

TEST(WatchTest, WhatStaysAsItIsDoesNotGrow) {
  Watch watch;
  for (int i = 0; i < 40; ++i) watch.Add(Sample(50 + i % 3, 20 - i % 2, 7));
  EXPECT_THAT(watch.Growth({}), IsEmpty());
}

TEST(WatchTest, WhatGrowsByLittleEachTimeIsNamed) {
  Watch memory;
  Watch descriptors;
  Watch threads;
  for (int i = 0; i < 40; ++i) {
    memory.Add(Sample(50 + i, 20, 7));
    descriptors.Add(Sample(50, 20 + i, 7));
    threads.Add(Sample(50, 20, 7 + i / 4));
  }
  EXPECT_THAT(memory.Growth({}),
              ElementsAre(HasSubstr("resident bytes grew from")));
  EXPECT_THAT(descriptors.Growth({}),
              ElementsAre("descriptors grew from 35 to 55, and 4 more are "
                          "allowed"));
  EXPECT_THAT(threads.Growth({}), ElementsAre(HasSubstr("threads grew from")));
}

TEST(WatchTest, WarmingUpAndSinglePeaksAreNoGrowth) {
  Watch watch;
  for (int i = 0; i < 40; ++i) {
    watch.Add(Sample(i < 10 ? 10 + 4 * i : 50, i < 10 ? i : 12, 7));
  }
  for (int i = 0; i < 8; ++i) watch.Add(Sample(50, 12, 7));
  watch.Add(Sample(900, 500, 100));
  EXPECT_THAT(watch.Growth({}), IsEmpty());
}

TEST(WatchTest, FewSamplesTellNothing) {
  Watch watch;
  for (size_t i = 0; i + 1 < Watch::kFewest; ++i) watch.Add(Sample(50, 20, 7));
  EXPECT_THAT(watch.Growth({}), ElementsAre(HasSubstr("only 7 samples")));
}

TEST(WatchTest, MeasuresThisProcess) {
  const Resources before = MeasureResources();
  EXPECT_GT(before.resident_bytes, 0);
  EXPECT_GE(before.threads, 1);
  std::vector<char> touched(64 * kMiB, 'x');
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Resources after = MeasureResources();
  EXPECT_GE(after.resident_bytes, before.resident_bytes + 60 * kMiB);
  EXPECT_EQ(after.descriptors, before.descriptors + 2);
  EXPECT_EQ(touched.back(), 'x');
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace soak
}  // namespace gearman
