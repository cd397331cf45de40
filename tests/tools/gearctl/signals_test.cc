#include "gearman/tools/gearctl/signals.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/stepping_clock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

// Signals of the process: one test at a time, each takes what it sends.
void Send(int signal) { kill(getpid(), signal); }

TEST(SignalsTest, ASignalIsAnEvent) {
  Signals signals;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
    Send(signal);
    EXPECT_EQ(signals.WaitFor(support::kBound), signal);
    EXPECT_EQ(AsksToEnd(signal), signal != SIGWINCH);
  }
}

TEST(SignalsTest, WithoutOneTheLimitPasses) {
  Signals signals;
  EXPECT_EQ(signals.WaitFor(absl::Milliseconds(1)), 0);
  EXPECT_EQ(signals.WaitFor(-absl::Seconds(1)), 0);
  EXPECT_FALSE(AsksToEnd(0));
}

TEST(SignalsTest, ASleepEndsWhenOneAsksFor) {
  Signals signals;
  Send(SIGTERM);
  EXPECT_FALSE(signals.Sleep(support::kBound));
  EXPECT_TRUE(signals.Sleep(absl::Milliseconds(1)));
}

TEST(SignalsTest, ASleepGoesOnAfterAResize) {
  Signals signals;
  int resized = 0;
  Send(SIGWINCH);
  EXPECT_TRUE(signals.Sleep(absl::Milliseconds(1), [&] { ++resized; }));
  EXPECT_EQ(resized, 1);
}

TEST(SignalsTest, ASleepEndsThoughTheWallClockIsSetBack) {
  Signals signals;
  Send(SIGWINCH);
  EXPECT_TRUE(signals.Sleep(absl::Milliseconds(1),
                            [] { support::StepWallClock(-absl::Hours(1)); }));
}

TEST(SignalsTest, WhatIsIgnoredStaysIgnored) {
  signal(SIGHUP, SIG_IGN);
  // A program that was started so finds it unblocked. Other tests have blocked
  // it.
  sigset_t hang_up;
  sigemptyset(&hang_up);
  sigaddset(&hang_up, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &hang_up, nullptr);
  Signals signals;
  Send(SIGHUP);
  EXPECT_EQ(signals.WaitFor(absl::Milliseconds(1)), 0);
  signal(SIGHUP, SIG_DFL);
}

TEST(SignalsTest, AThreadTellsOfEach) {
  Signals signals;
  absl::Notification ended;
  absl::Notification resized;
  SignalThread thread(
      signals, [&] { ended.Notify(); }, [&] { resized.Notify(); });
  Send(SIGWINCH);
  EXPECT_TRUE(resized.WaitForNotificationWithTimeout(support::kBound));
  Send(SIGINT);
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(support::kBound));
}

// Makes descriptors scarce while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit none = {3, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

bool IsHeldBack(int signal) {
  sigset_t held;
  pthread_sigmask(SIG_SETMASK, nullptr, &held);
  return sigismember(&held, signal) == 1;
}

TEST(SignalsTest, WithoutADescriptorTheyDoWhatTheyDoByDefault) {
  const NoDescriptors none;
  Signals signals;
  EXPECT_FALSE(signals.status().ok());
  EXPECT_FALSE(IsHeldBack(SIGTERM));
  EXPECT_EQ(signals.WaitFor(absl::Milliseconds(1)), 0);
  SignalThread thread(signals, [] {});
}

TEST(SignalsTest, TheyAreHeldBackNoLongerWhereTheThreadIsRefused) {
  Signals signals;
  EXPECT_TRUE(signals.status().ok());
  EXPECT_TRUE(IsHeldBack(SIGTERM));
  const NoDescriptors none;
  SignalThread thread(signals, [] {});
  EXPECT_FALSE(signals.status().ok());
  EXPECT_FALSE(IsHeldBack(SIGTERM));
}

TEST(SignalsTest, AThreadEndsWithoutASignal) {
  Signals signals;
  SignalThread thread(signals, [] {});
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
