#include "gearman/process/per_process.h"

#include <string>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gearman/tests/support/forked_child.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RunInChild;

TEST(PerProcessTest, AChildGetsANewOne) {
  const PerProcess<std::string> text;
  *text = "the parent's";
  EXPECT_EQ(RunInChild([&text] { return *text; }), "");
  EXPECT_EQ(*text, "the parent's");
}

TEST(ProcessMutexTest, AChildFindsItFreeThoughAnotherThreadHeldIt) {
  ProcessMutex mutex;
  absl::Notification held;
  absl::Notification forked;
  std::thread holder([&] {
    ProcessMutexLock lock(&mutex);
    held.Notify();
    forked.WaitForNotification();
  });
  held.WaitForNotification();
  ASSERT_TRUE(support::WaitFor(support::OtherThreadsSleep));
  EXPECT_EQ(RunInChild([&mutex] {
              ProcessMutexLock lock(&mutex);
              return std::string();
            }),
            "");
  forked.Notify();
  holder.join();
}

}  // namespace
}  // namespace gearman
