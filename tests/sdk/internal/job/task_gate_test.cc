#include "gearman/sdk/internal/job/task_gate.h"

#include "absl/time/time.h"
#include "gearman/sdk/worker_options.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(3600);

TaskOptions Limits(int max_running, double per_second, int burst) {
  TaskOptions options;
  options.max_running = max_running;
  options.rate.jobs_per_second = per_second;
  options.rate.burst = burst;
  return options;
}

TEST(TaskGate, AdmitsEveryJobOfATaskWithoutALimit) {
  TaskGate gate;
  gate.SetLimits(TaskOptions(), kStart);
  EXPECT_FALSE(gate.limited());
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(gate.Admits());
    gate.Begin(kStart);
  }
  EXPECT_EQ(gate.next_token(), absl::InfiniteFuture());
  gate.set_paused(true);
  EXPECT_FALSE(gate.Admits());
}

TEST(TaskGate, TheLowerLimitIsItsRoom) {
  TaskGate gate;
  gate.SetLimits(Limits(3, 1, 2), kStart);
  EXPECT_EQ(gate.Room(), 2);
  gate.Begin(kStart);
  gate.Begin(kStart);
  EXPECT_EQ(gate.Room(), 0);
  EXPECT_FALSE(gate.Admits());
  EXPECT_EQ(gate.next_token(), kStart + absl::Seconds(1));
  gate.Refresh(kStart + absl::Seconds(2));
  EXPECT_EQ(gate.Room(), 1);
  gate.End();
  EXPECT_EQ(gate.Room(), 2);
  gate.CountHeldBack(1);
  EXPECT_EQ(gate.Room(), 1);
  // A job that comes now stands behind the one that is held back.
  EXPECT_FALSE(gate.Admits());
  EXPECT_TRUE(gate.AdmitsHeldBack());
  gate.set_paused(true);
  EXPECT_EQ(gate.Room(), 0);
  EXPECT_FALSE(gate.AdmitsHeldBack());
}

TEST(TaskGate, AJobThatIsTakenBackGivesUpItsPlaceAndItsToken) {
  TaskGate gate;
  gate.SetLimits(Limits(2, 1, 2), kStart);
  gate.Begin(kStart);
  gate.Begin(kStart);
  gate.TakeBack();
  EXPECT_EQ(gate.Room(), 1);
  EXPECT_EQ(gate.next_token(), absl::InfiniteFuture());
}

TEST(TaskGate, ATokenThatComesBackLateFindsTheBucketFull) {
  TaskGate gate;
  gate.SetLimits(Limits(0, 1, 2), kStart);
  gate.Begin(kStart);
  gate.Refresh(kStart + absl::Hours(1));
  EXPECT_EQ(gate.Room(), 2);
  gate.TakeBack();
  EXPECT_EQ(gate.Room(), 2);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
