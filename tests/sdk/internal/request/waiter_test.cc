#include "gearman/sdk/internal/request/waiter.h"

#include <array>
#include <cstddef>

#include "gearman/sdk/internal/request/operation.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

class WaiterTest : public ::testing::Test {
 protected:
  void Finish(size_t i) {
    finished_[i] = true;
    ReleaseWaiters(&operations_[i], /*finished=*/true);
  }
  Operation* Next() {
    while (left_ > 0) {
      if (!finished_[--left_]) return &operations_[left_];
    }
    return nullptr;
  }

  std::array<Operation, 3> operations_{Operation(Operation::Kind::kEcho),
                                       Operation(Operation::Kind::kEcho),
                                       Operation(Operation::Kind::kEcho)};
  std::array<bool, 3> finished_{};
  size_t left_ = 3;
};

TEST_F(WaiterTest, OfABatchItWatchesOneAtATime) {
  const auto next = [this] { return Next(); };
  Waiter waiter(next, /*for_accepted=*/false);
  EXPECT_EQ(operations_[0].waiters, nullptr);
  EXPECT_EQ(operations_[1].waiters, nullptr);
  EXPECT_NE(operations_[2].waiters, nullptr);
  Finish(2);
  EXPECT_FALSE(waiter.done());
  EXPECT_NE(operations_[1].waiters, nullptr);
  Finish(1);
  EXPECT_FALSE(waiter.done());
  Finish(0);
  EXPECT_TRUE(waiter.done());
}

TEST_F(WaiterTest, TheLastOneOfABatchMayEndItAll) {
  const auto next = [this] { return Next(); };
  Waiter waiter(next, /*for_accepted=*/false);
  Finish(0);
  Finish(1);
  EXPECT_FALSE(waiter.done());
  Finish(2);
  EXPECT_TRUE(waiter.done());
}

TEST_F(WaiterTest, NothingToWaitForIsDone) {
  finished_.fill(true);
  const auto next = [this] { return Next(); };
  EXPECT_TRUE(Waiter(next, /*for_accepted=*/false).done());
}

TEST_F(WaiterTest, AcceptanceIsEnoughForThoseWhoWaitForIt) {
  const auto next = [this] { return Next(); };
  Waiter accepted(next, /*for_accepted=*/true);
  left_ = 3;
  Waiter ended(next, /*for_accepted=*/false);
  left_ = 0;
  ReleaseWaiters(&operations_[2], /*finished=*/false);
  EXPECT_TRUE(accepted.done());
  EXPECT_FALSE(ended.done());
  Finish(2);
  EXPECT_TRUE(ended.done());
}

TEST_F(WaiterTest, WhoeverStopsWaitingIsInNoList) {
  const auto next = [this] { return Next(); };
  {
    const Waiter waiter(next, /*for_accepted=*/false);
    EXPECT_NE(operations_[2].waiters, nullptr);
  }
  EXPECT_EQ(operations_[2].waiters, nullptr);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
