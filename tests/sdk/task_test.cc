#include "gearman/sdk/task.h"

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

// An event that a test makes happen. The coroutine that waits goes on in
// Happen.
class Event {
 public:
  void Happen() {
    const internal::Resumption waiter = std::move(waiter_);
    waiter.Resume();
  }
  bool awaited() const { return static_cast<bool>(waiter_); }

  // GCC 12 copies an awaiter that a coroutine reaches through a lambda's
  // capture; this one refers to the event.
  struct Awaiter {
    bool await_ready() const { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) const {
      event->waiter_ = internal::Resumption(coroutine);
    }
    void await_resume() const {}
    Event* event;
  };
  Awaiter operator co_await() { return {this}; }

 private:
  internal::Resumption waiter_;
};

// Sets a flag when it is destroyed.
struct Flag {
  explicit Flag(bool* flag) : flag(flag) {}
  ~Flag() { *flag = true; }
  bool* const flag;
};

Task<int> Give(int value) { co_return value; }
Task<int> GiveAfter(Event* event, int value) {
  co_await* event;
  co_return value;
}
Task<int> Throw() {
  throw std::runtime_error("mine");
  co_return 0;
}

TEST(TaskTest, DoesNothingUntilItIsStarted) {
  bool ran = false;
  const auto run = [](bool* flag) -> Task<void> {
    *flag = true;
    co_return;
  };
  Task<void> task = run(&ran);
  EXPECT_FALSE(ran);
  task.Start();
  EXPECT_TRUE(ran);
}

TEST(TaskTest, GivesTheResultOfTheTaskThatItAwaits) {
  const auto twice = [](int value) -> Task<int> {
    const int first = co_await Give(value);
    co_return first + co_await Give(value);
  };
  EXPECT_EQ(SyncWait(twice(21)), 42);
}

TEST(TaskTest, MovesResultsThatCanNotBeCopied) {
  const auto make = []() -> Task<std::unique_ptr<int>> {
    co_return std::make_unique<int>(7);
  };
  EXPECT_EQ(*SyncWait(make()), 7);
}

TEST(TaskTest, GoesOnWhenItsEventHappens) {
  Event event;
  bool done = false;
  Task<int> task = GiveAfter(&event, 5);
  task.Start([&] { done = true; });
  EXPECT_FALSE(done);
  event.Happen();
  EXPECT_TRUE(done);
  EXPECT_EQ(task.TakeResult(), 5);
}

TEST(TaskTest, AnExceptionBecomesAStatus) {
  const auto fail = []() -> Task<absl::StatusOr<std::string>> {
    co_await Throw();
    co_return "never";
  };
  EXPECT_EQ(SyncWait(fail()).status(), absl::UnknownError("mine"));
  const auto strange = []() -> Task<absl::Status> {
    throw 17;
    co_return absl::OkStatus();
  };
  EXPECT_EQ(SyncWait(strange()), absl::UnknownError("unknown exception"));
}

TEST(TaskTest, AnExceptionReachesWhoTakesAnotherResult) {
  EXPECT_THROW(SyncWait(Throw()), std::runtime_error);
  const auto through = []() -> Task<void> { co_await Throw(); };
  EXPECT_THROW(SyncWait(through()), std::runtime_error);
}

TEST(TaskTest, WhenAllGivesTheResultsInOrder) {
  Event first, second;
  std::vector<Task<int>> tasks;
  tasks.push_back(GiveAfter(&first, 1));
  tasks.push_back(Give(2));
  tasks.push_back(GiveAfter(&second, 3));
  Task<std::vector<int>> all = WhenAll(std::move(tasks));
  bool done = false;
  all.Start([&] { done = true; });
  second.Happen();
  EXPECT_FALSE(done);
  first.Happen();
  ASSERT_TRUE(done);
  EXPECT_THAT(all.TakeResult(), ElementsAre(1, 2, 3));
}

TEST(TaskTest, WhenAllOfNothingAndOfWhatIsReadyEnds) {
  EXPECT_THAT(SyncWait(WhenAll(std::vector<Task<int>>())), ElementsAre());
  std::vector<Task<void>> tasks;
  int ran = 0;
  const auto count = [](int* counter) -> Task<void> {
    ++*counter;
    co_return;
  };
  for (int i = 0; i < 3; ++i) tasks.push_back(count(&ran));
  SyncWait(WhenAll(std::move(tasks)));
  EXPECT_EQ(ran, 3);
}

TEST(TaskTest, DestroyingATaskDestroysWhatItAwaits) {
  Event event;
  bool inner_gone = false, outer_gone = false, went_on = false;
  const auto inner = [](Event* event, bool* gone, bool* on) -> Task<void> {
    const Flag flag(gone);
    co_await* event;
    *on = true;
  };
  const auto outer = [&](bool* gone) -> Task<void> {
    const Flag flag(gone);
    std::vector<Task<void>> tasks;
    tasks.push_back(inner(&event, &inner_gone, &went_on));
    co_await WhenAll(std::move(tasks));
  };
  {
    Task<void> task = outer(&outer_gone);
    task.Start();
    ASSERT_TRUE(event.awaited());
  }
  EXPECT_TRUE(inner_gone);
  EXPECT_TRUE(outer_gone);
  event.Happen();  // too late: nothing is resumed
  EXPECT_FALSE(went_on);
}

TEST(TaskTest, ATaskThatDestroysItselfIsGoneWhenItNextSuspends) {
  Event event;
  std::optional<Task<void>> task;
  bool gone = false, gone_meanwhile = false, went_on = false;
  const auto suicide = [&]() -> Task<void> {
    const Flag flag(&gone);
    task.reset();
    gone_meanwhile = gone;
    co_await event;
    went_on = true;
  };
  task.emplace(suicide());
  task->Start();
  EXPECT_FALSE(gone_meanwhile);
  EXPECT_TRUE(gone);
  event.Happen();
  EXPECT_FALSE(went_on);
}

TEST(TaskTest, OnDoneMayDestroyTheTask) {
  Event event;
  std::optional<Task<int>> task;
  int result = 0;
  task.emplace(GiveAfter(&event, 5));
  task->Start([&] {
    result = task->TakeResult();
    task.reset();
  });
  event.Happen();
  EXPECT_EQ(result, 5);
  EXPECT_FALSE(task.has_value());
}

TEST(TaskTest, DestroyingATaskWaitsForTheThreadThatRunsIt) {
  Event event;
  absl::Notification running, may_go_on;
  bool gone = false, ended_first = false;
  const auto run = [&]() -> Task<void> {
    const Flag flag(&gone);
    co_await event;
    running.Notify();
    may_go_on.WaitForNotification();
    ended_first = !gone;
    co_await event;
  };
  std::optional<Task<void>> task(run());
  task->Start();
  std::thread runner([&] { event.Happen(); });
  running.WaitForNotification();
  std::thread destroyer([&] { task.reset(); });
  may_go_on.Notify();
  destroyer.join();
  runner.join();
  EXPECT_TRUE(ended_first);
  EXPECT_TRUE(gone);
}

// Goes on on another thread, which begins before this one is back.
struct Elsewhere {
  bool await_ready() const { return false; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> coroutine) {
    absl::Notification resuming;
    threads->emplace_back(
        [&resuming, waiter = internal::Resumption(coroutine)] {
          resuming.Notify();
          waiter.Resume();
        });
    resuming.WaitForNotification();
    *suspended = true;
  }
  void await_resume() const {}
  std::vector<std::thread>* threads;
  bool* suspended;
};

// A coroutine is not on two threads at once, though it may be resumed while the
// thread that suspended it is still on its way back.
TEST(TaskTest, IsOnOneThreadAtATime) {
  std::vector<std::thread> threads;
  threads.reserve(50);
  absl::Notification done;
  int early = 0;
  const auto hop = [&]() -> Task<void> {
    for (int i = 0; i < 50; ++i) {
      bool suspended = false;
      co_await Elsewhere{&threads, &suspended};
      if (!suspended) ++early;
    }
  };
  Task<void> task = hop();
  task.Start([&] { done.Notify(); });
  done.WaitForNotification();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(early, 0);
}

}  // namespace
}  // namespace gearman
