#include "gearman/tests/support/process_counts.h"

#include <unistd.h>

#include <atomic>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/synchronization/notification.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

TEST(ProcessCounts, AThreadThatWasJoinedIsNotCounted) {
  // A sanitizer may start a thread of its own with the first one.
  std::thread([] {}).join();
  const int before = ThreadCount();
  ASSERT_GE(before, 1);
  for (int i = 0; i < 2000; ++i) {
    std::thread([] {}).join();
    ASSERT_EQ(ThreadCount(), before) << i;
  }
}

TEST(ProcessCounts, AThreadThatLivesIsCounted) {
  absl::Notification end;
  const int before = ThreadCount();
  std::thread waits([&end] { end.WaitForNotification(); });
  EXPECT_EQ(ThreadCount(), before + 1);
  end.Notify();
  waits.join();
}

TEST(ProcessCounts, TellsWhetherOtherThreadsSleep) {
  absl::Notification end;
  std::thread waits([&end] { end.WaitForNotification(); });
  EXPECT_TRUE(WaitFor(OtherThreadsSleep));
  std::atomic<bool> stop{false};
  std::thread runs([&stop] {
    while (!stop) continue;
  });
  EXPECT_TRUE(WaitFor([] { return !OtherThreadsSleep(); }));
  stop = true;
  end.Notify();
  runs.join();
  waits.join();
  EXPECT_TRUE(WaitFor(OtherThreadsSleep));
}

TEST(ProcessCounts, AProcessThatIsNotThereHasNoThreads) {
  EXPECT_TRUE(ThreadsOf(-1).empty());
  EXPECT_FALSE(ThreadsOf(getpid()).empty());
}

}  // namespace
}  // namespace support
}  // namespace gearman
