// Prefetch at the edges of its options; tests/sdk/worker_prefetch_test.cc has
// what it does in a worker.
#include "gearman/sdk/internal/worker/prefetch.h"

#include <cstddef>
#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

// The prefetch of a worker that has done many tiny jobs.
Prefetch Practised(const PrefetchOptions& options, int concurrency) {
  Prefetch prefetch(options, concurrency);
  JobCost task;
  for (int i = 0; i < 1000; ++i) {
    prefetch.OnAssigned(0);
    prefetch.OnDone(&task, 1000);
  }
  return prefetch;
}

TEST(PrefetchTest, HoldsNoMoreThanItsMaximumHoweverManyBytesItMay) {
  PrefetchOptions options;
  for (const size_t bytes : {std::numeric_limits<size_t>::max(),
                             std::numeric_limits<size_t>::max() / 2}) {
    options.max_bytes = bytes;
    EXPECT_EQ(Practised(options, 1).Target({}), 1 + options.max_jobs);
  }
}

TEST(PrefetchTest, AsksForNoMoreJobsThanTheMemoryHolds) {
  Prefetch prefetch({}, 16);
  Prefetch::Load load;
  EXPECT_GE(prefetch.RoomInMemory(load, 1000), 16);
  prefetch.OnAssigned(100);
  load.held_bytes = 100;
  EXPECT_EQ(prefetch.RoomInMemory(load, 1000), 9);
  load.outstanding = 4;
  EXPECT_EQ(prefetch.RoomInMemory(load, 1000), 5);
  load.held_bytes = 2000;
  EXPECT_EQ(prefetch.RoomInMemory(load, 1000), 0);
}

TEST(PrefetchTest, AsksForOneJobWhateverTheMemoryAndForgetsALargeOne) {
  Prefetch prefetch({}, 16);
  prefetch.OnAssigned(5000);
  EXPECT_EQ(prefetch.RoomInMemory({}, 1000), 1);
  for (int i = 0; i < 200; ++i) prefetch.OnAssigned(10);
  EXPECT_EQ(prefetch.RoomInMemory({}, 1000), 100);
}

TEST(PrefetchTest, HasNoBoundsThatOverflow) {
  PrefetchOptions options;
  options.max_jobs = std::numeric_limits<int>::max();
  options.min_jobs = std::numeric_limits<int>::max();
  options.max_wait = absl::InfiniteDuration();
  options.max_bytes = std::numeric_limits<size_t>::max();
  const Prefetch prefetch = Practised(options, 1000);
  EXPECT_GT(prefetch.Target({}), 1000000);
  EXPECT_EQ(prefetch.Room({}, /*alone=*/true), prefetch.Target({}));
  // The sum of the expected costs of many jobs of a task that was never
  // measured.
  Prefetch::Load load;
  for (int i = 0; i < 100000; ++i) {
    ++load.waiting;
    load.waiting_ns += prefetch.Expected(JobCost());
  }
  EXPECT_GT(load.waiting_ns, 0);
  EXPECT_GT(prefetch.Room(load, /*alone=*/false), 0);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
