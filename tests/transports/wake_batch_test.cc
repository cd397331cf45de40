#include "gearman/transports/wake_batch.h"

#include <memory>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "gtest/gtest.h"

namespace gearman {
namespace {

struct CountingSleeper : Sleeper {
  void Rouse() override { ++roused; }
  int roused = 0;
};

TEST(WakeBatchTest, WithoutABatchASleeperIsRousedAtOnce) {
  const auto sleeper = std::make_shared<CountingSleeper>();
  WakeBatch::Rouse(sleeper);
  EXPECT_EQ(sleeper->roused, 1);
}

TEST(WakeBatchTest, RousesAllWhenItEnds) {
  const auto first = std::make_shared<CountingSleeper>();
  const auto second = std::make_shared<CountingSleeper>();
  {
    WakeBatch batch;
    WakeBatch::Rouse(first);
    WakeBatch::Rouse(second);
    EXPECT_EQ(first->roused + second->roused, 0);
  }
  EXPECT_EQ(first->roused, 1);
  EXPECT_EQ(second->roused, 1);
}

TEST(WakeBatchTest, TheInnermostOneCounts) {
  const auto outer_one = std::make_shared<CountingSleeper>();
  const auto inner_one = std::make_shared<CountingSleeper>();
  {
    WakeBatch outer;
    {
      WakeBatch inner;
      WakeBatch::Rouse(inner_one);
    }
    EXPECT_EQ(inner_one->roused, 1);
    WakeBatch::Rouse(outer_one);
    EXPECT_EQ(outer_one->roused, 0);
  }
  EXPECT_EQ(outer_one->roused, 1);
}

TEST(WakeBatchTest, BelongsToItsThread) {
  const auto sleeper = std::make_shared<CountingSleeper>();
  WakeBatch batch;
  std::thread([&] { WakeBatch::Rouse(sleeper); }).join();
  EXPECT_EQ(sleeper->roused, 1);
}

TEST(WakeBatchTest, KeepsASleeperAliveUntilItIsRoused) {
  auto sleeper = std::make_shared<CountingSleeper>();
  const std::weak_ptr<CountingSleeper> weak = sleeper;
  {
    WakeBatch batch;
    WakeBatch::Rouse(std::move(sleeper));
    EXPECT_FALSE(weak.expired());
  }
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace gearman
