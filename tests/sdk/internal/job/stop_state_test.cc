#include "gearman/sdk/internal/job/stop_state.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

TEST(StopStateTest, ACallbackOfAJobThatHasEndedIsDroppedAtOnce) {
  StopState state;
  state.End();
  const auto owned = std::make_shared<int>(0);
  state.OnStop([owned] {});
  EXPECT_EQ(owned.use_count(), 1);
}

// A callback may own its own token, and would never be freed if it stayed.
TEST(StopStateTest, NoCallbackStaysBehindWhileItsJobEnds) {
  constexpr int kRounds = 100000;
  std::vector<StopState> states(kRounds);
  const auto owned = std::make_shared<int>(0);
  std::atomic<int> adding{-1};
  std::atomic<int> ending{-1};
  // Each thread waits until the other one is in its round, too.
  const auto meet = [](std::atomic<int>* mine, const std::atomic<int>& other,
                       int round) {
    mine->store(round);
    while (other.load() < round) std::this_thread::yield();
  };
  std::thread ends([&] {
    for (int round = 0; round < kRounds; ++round) {
      meet(&ending, adding, round);
      states[static_cast<size_t>(round)].End();
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    StopState::Callback callback = [owned] {};
    meet(&adding, ending, round);
    states[static_cast<size_t>(round)].OnStop(std::move(callback));
  }
  ends.join();
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
