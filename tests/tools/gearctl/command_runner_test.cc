#include "gearman/tools/gearctl/command_runner.h"

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/stepping_clock.h"
#include "gearman/tools/gearctl/child_reaper.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

// Pipes that were asked for, and those of them that are refused; from 0: none.
std::atomic<int> pipes{0};
std::atomic<int> refused_from{0};
std::atomic<int> refused_to{0};

}  // namespace

// Stands before the C library's. (A lower limit of descriptors would disturb
// sanitizers, which need some of their own.)
extern "C" int pipe2(int ends[2], int flags) noexcept {
  const int nth = ++pipes;
  if (refused_from > 0 && nth >= refused_from && nth <= refused_to) {
    errno = EMFILE;
    return -1;
  }
  static auto* const next =
      reinterpret_cast<decltype(&pipe2)>(dlsym(RTLD_NEXT, "pipe2"));
  return next(ends, flags);
}

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

class CommandRunnerTest : public ::testing::Test {
 protected:
  CommandRunnerTest() { signal(SIGPIPE, SIG_IGN); }

  void SetUp() override {
    auto reaper = ChildReaper::Create();
    ASSERT_TRUE(reaper.ok()) << reaper.status();
    reaper_ = *std::move(reaper);
    runner_ = std::make_unique<CommandRunner>(
        reaper_.get(), [this](const absl::Status& status, int64_t at_once) {
          EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
          at_once_ = at_once;
          if (!short_.HasBeenNotified()) short_.Notify();
        });
  }
  void TearDown() override { refused_from = refused_to = 0; }

  static void RefuseAll() {
    refused_to = std::numeric_limits<int>::max();
    refused_from = 1;
  }
  absl::Status Run(std::vector<std::string> argv, const std::string& input,
                   std::string* output) {
    ChildCommand command;
    command.argv = std::move(argv);
    bool started = false;
    absl::Status status = runner_->Run(
        command, input,
        [this, output](std::string piece) {
          if (until_short_) {
            short_.WaitForNotificationWithTimeout(support::kBound);
          }
          *output += piece;
          return absl::OkStatus();
        },
        [this] { return stopped_.load(); }, &started);
    if (started) ++begun_;
    return status;
  }

  std::unique_ptr<ChildReaper> reaper_;
  std::unique_ptr<CommandRunner> runner_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> begun_{0};  // commands
  bool until_short_ = false;   // no command's output is taken before
  std::atomic<int64_t> at_once_{0};
  absl::Notification short_;
};

TEST_F(CommandRunnerTest, RunsACommand) {
  std::string output;
  EXPECT_TRUE(Run({"tr", "a-z", "A-Z"}, "hello", &output).ok());
  EXPECT_EQ(output, "HELLO");
  EXPECT_FALSE(short_.HasBeenNotified());
}

TEST_F(CommandRunnerTest, ShortOfDescriptorsItRunsFewerAtOnceAndFailsNone) {
  constexpr int kCommands = 24;
  // The first one starts, and ends after another one was refused.
  pipes = 0;
  refused_from = 3;
  refused_to = 5;
  until_short_ = true;
  std::vector<std::thread> threads;
  std::vector<absl::Status> statuses(kCommands);
  std::vector<std::string> outputs(kCommands);
  for (int i = 0; i < kCommands; ++i) {
    threads.emplace_back(
        [&, i] { statuses[i] = Run({"cat"}, std::to_string(i), &outputs[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kCommands; ++i) {
    EXPECT_TRUE(statuses[i].ok()) << statuses[i];
    EXPECT_EQ(outputs[i], std::to_string(i));
  }
  EXPECT_TRUE(short_.HasBeenNotified());
  EXPECT_LT(at_once_, kCommands);
}

TEST_F(CommandRunnerTest, WithoutRoomForEvenOneItWaits) {
  RefuseAll();
  std::string output;
  std::thread thread([&] { EXPECT_TRUE(Run({"cat"}, "late", &output).ok()); });
  EXPECT_TRUE(short_.WaitForNotificationWithTimeout(support::kBound));
  refused_from = 0;
  thread.join();
  EXPECT_EQ(output, "late");
  EXPECT_EQ(at_once_, 1);
}

TEST_F(CommandRunnerTest, ItTriesAgainThoughTheWallClockIsSetBack) {
  RefuseAll();
  std::string output;
  std::thread thread([&] { EXPECT_TRUE(Run({"cat"}, "late", &output).ok()); });
  EXPECT_TRUE(short_.WaitForNotificationWithTimeout(support::kBound));
  support::StepWallClock(-absl::Hours(1));
  refused_from = 0;
  thread.join();
  EXPECT_EQ(output, "late");
}

TEST_F(CommandRunnerTest, WhatWaitsForRoomCanBeStopped) {
  RefuseAll();
  std::string output;
  absl::Status status;
  std::thread thread([&] { status = Run({"cat"}, "never", &output); });
  EXPECT_TRUE(short_.WaitForNotificationWithTimeout(support::kBound));
  stopped_ = true;
  thread.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

TEST_F(CommandRunnerTest, OtherErrorsAreFinal) {
  std::string output;
  const absl::Status status = Run({"no-such-program"}, "", &output);
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("no-such-program"));
  EXPECT_EQ(begun_, 0);
  EXPECT_TRUE(Run({"true"}, "", &output).ok());
  EXPECT_TRUE(absl::IsAborted(Run({"false"}, "", &output)));
  EXPECT_EQ(begun_, 2);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
