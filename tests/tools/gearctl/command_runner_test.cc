#include "gearman/tools/gearctl/command_runner.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tools/gearctl/child_reaper.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

// The next descriptor that the process would get.
rlim_t NextDescriptor() {
  const int next = dup(STDIN_FILENO);
  close(next);
  return static_cast<rlim_t>(next);
}

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
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit_), 0);
  }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &limit_); }

  // There is room for so many descriptors more.
  void LeaveRoomFor(rlim_t descriptors) {
    rlimit few = limit_;
    few.rlim_cur = NextDescriptor() + descriptors;
    setrlimit(RLIMIT_NOFILE, &few);
  }
  absl::Status Run(std::vector<std::string> argv, const std::string& input,
                   std::string* output) {
    ChildCommand command;
    command.argv = std::move(argv);
    return runner_->Run(
        command, input,
        [this, output](std::string piece) {
          if (until_short_) {
            short_.WaitForNotificationWithTimeout(support::kBound);
          }
          *output += piece;
          return absl::OkStatus();
        },
        [this] { return stopped_.load(); });
  }

  std::unique_ptr<ChildReaper> reaper_;
  std::unique_ptr<CommandRunner> runner_;
  rlimit limit_;
  std::atomic<bool> stopped_{false};
  bool until_short_ = false;  // no command's output is taken before
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
  // The first one has three, and another one needs five: it is refused.
  LeaveRoomFor(7);
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
  LeaveRoomFor(0);
  std::string output;
  std::thread thread([&] { EXPECT_TRUE(Run({"cat"}, "late", &output).ok()); });
  EXPECT_TRUE(short_.WaitForNotificationWithTimeout(support::kBound));
  setrlimit(RLIMIT_NOFILE, &limit_);
  thread.join();
  EXPECT_EQ(output, "late");
  EXPECT_EQ(at_once_, 1);
}

TEST_F(CommandRunnerTest, WhatWaitsForRoomCanBeStopped) {
  LeaveRoomFor(0);
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
  EXPECT_TRUE(Run({"true"}, "", &output).ok());
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
