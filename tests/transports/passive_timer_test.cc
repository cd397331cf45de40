// PassiveTimer: who is woken, and that nobody sleeps for too long.
#include "gearman/transports/inproc/passive_timer.h"

#include <atomic>
#include <memory>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/time/time.h"
#include "gearman/transports/poller.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

absl::Time At(int seconds) { return absl::FromUnixSeconds(seconds); }

struct CountingWaker : Waker {
  void Wake() override { ++wakes; }
  std::atomic<int> wakes{0};
};

class PassiveTimerTest : public ::testing::Test {
 protected:
  std::shared_ptr<PassiveTimer> timer_ = std::make_shared<PassiveTimer>();
  std::shared_ptr<CountingWaker> waker_ = std::make_shared<CountingWaker>();
  PassiveTimer::Watcher watcher_{timer_, waker_};
};

TEST_F(PassiveTimerTest, IsInfiniteUntilItIsSet) {
  EXPECT_EQ(timer_->Get(), absl::InfiniteFuture());
  EXPECT_EQ(watcher_.Ask(), absl::InfiniteFuture());
  timer_->Set(At(5));
  EXPECT_EQ(watcher_.Ask(), At(5));
  timer_->Set(absl::InfinitePast());
  EXPECT_EQ(watcher_.Ask(), absl::InfinitePast());
}

TEST_F(PassiveTimerTest, IsNeverBeforeTheTimeThatWasSet) {
  const absl::Time odd = At(5) + absl::Nanoseconds(1) / 4;
  timer_->Set(odd);
  EXPECT_GE(timer_->Get(), odd);
  EXPECT_LE(timer_->Get(), odd + absl::Nanoseconds(1));
}

TEST_F(PassiveTimerTest, WakesWhoWouldSleepForTooLong) {
  watcher_.Ask();
  timer_->Set(At(9));
  EXPECT_EQ(waker_->wakes, 1);
}

TEST_F(PassiveTimerTest, WakesNobodyForALaterTime) {
  timer_->Set(At(5));
  watcher_.Ask();
  timer_->Set(At(9));
  EXPECT_EQ(waker_->wakes, 0);
}

TEST_F(PassiveTimerTest, WakesNobodyWhoWakesUpInTime) {
  timer_->Set(At(5));
  watcher_.Ask();
  timer_->Set(absl::InfiniteFuture());
  timer_->Set(At(7));
  EXPECT_EQ(waker_->wakes, 0);
  timer_->Set(At(4));
  EXPECT_EQ(waker_->wakes, 1);
}

TEST_F(PassiveTimerTest, WakesWhoHasNotAskedAgainOnce) {
  watcher_.Ask();
  for (int i = 100; i > 0; --i) timer_->Set(At(i));
  EXPECT_EQ(waker_->wakes, 1);
  EXPECT_EQ(watcher_.Ask(), At(1));
  timer_->Set(At(0));
  EXPECT_EQ(waker_->wakes, 2);
}

TEST_F(PassiveTimerTest, WakesNobodyWhoHasNotAskedOrHasLeft) {
  auto waker = std::make_shared<CountingWaker>();
  {
    PassiveTimer::Watcher left(timer_, waker);
    left.Ask();
  }
  timer_->Set(At(9));
  EXPECT_EQ(waker->wakes, 0);
  EXPECT_EQ(waker_->wakes, 0);
}

// Whatever the order: who was told a later time than the last one is woken.
TEST_F(PassiveTimerTest, LosesNoWakingBetweenThreads) {
  for (int round = 0; round < 2000; ++round) {
    timer_->Set(At(9));
    watcher_.Ask();
    const int before = waker_->wakes;
    std::atomic<bool> go{false};
    std::thread setter([&] {
      while (!go.load()) {
      }
      timer_->Set(At(5));
    });
    go.store(true);
    const absl::Time told = watcher_.Ask();
    setter.join();
    EXPECT_TRUE(told == At(5) || waker_->wakes > before);
  }
}

// Thousands of clients in one process come and go. Quadratic, this was minutes.
TEST_F(PassiveTimerTest, ServesManyWatchers) {
  std::vector<std::unique_ptr<PassiveTimer::Watcher>> watchers;
  for (int i = 0; i < 100000; ++i) {
    watchers.push_back(std::make_unique<PassiveTimer::Watcher>(timer_, waker_));
    watchers.back()->Ask();
  }
  timer_->Set(At(5));
  EXPECT_EQ(waker_->wakes, 100000);
  timer_->Set(At(4));
  EXPECT_EQ(waker_->wakes, 100000);
  watchers.clear();
}

}  // namespace
}  // namespace gearman
