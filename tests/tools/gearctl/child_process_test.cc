#include "gearman/tools/gearctl/child_process.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/tests/support/stepping_clock.h"
#include "gearman/tools/gearctl/child_reaper.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

class ChildProcessTest : public ::testing::Test {
 protected:
  ChildProcessTest() { signal(SIGPIPE, SIG_IGN); }

  void SetUp() override {
    auto reaper = ChildReaper::Create();
    ASSERT_TRUE(reaper.ok()) << reaper.status();
    reaper_ = *std::move(reaper);
  }
  absl::Status RunChild(
      const std::string& input,
      const std::function<absl::Status(std::string)>& on_output,
      const std::function<bool()>& stopped) {
    auto child = ChildProcess::Start(reaper_.get(), command_);
    return child.ok() ? (*child)->Run(input, on_output, stopped)
                      : child.status();
  }
  absl::Status Run(std::vector<std::string> argv, const std::string& input) {
    command_.argv = std::move(argv);
    return RunChild(
        input,
        [this](std::string piece) {
          output_ += piece;
          return absl::OkStatus();
        },
        [] { return false; });
  }

  std::unique_ptr<ChildReaper> reaper_;
  ChildCommand command_;
  std::string output_;
};

TEST_F(ChildProcessTest, FeedsItsInputAndTakesItsOutput) {
  EXPECT_TRUE(Run({"tr", "a-z", "A-Z"}, "hello").ok());
  EXPECT_EQ(output_, "HELLO");
}

TEST_F(ChildProcessTest, NeitherWaitsForTheOtherHoweverLarge) {
  const std::string input(20 << 20, 'x');
  EXPECT_TRUE(Run({"cat"}, input).ok());
  EXPECT_EQ(output_, input);
}

TEST_F(ChildProcessTest, AnEmptyInputEndsAtOnce) {
  EXPECT_TRUE(Run({"cat"}, "").ok());
  EXPECT_EQ(output_, "");
}

TEST_F(ChildProcessTest, OneThatDoesNotReadIsNotWaitedFor) {
  EXPECT_TRUE(Run({"echo", "done"}, std::string(20 << 20, 'x')).ok());
  EXPECT_EQ(output_, "done\n");
}

TEST_F(ChildProcessTest, ItsEnvironmentIsOursAndWhatIsGiven) {
  command_.environment = {"GEARMAN_TASK=resize"};
  EXPECT_TRUE(
      Run({"sh", "-c", "echo $GEARMAN_TASK; test -n \"$PATH\""}, "").ok());
  EXPECT_EQ(output_, "resize\n");
}

// A shell takes the later one of two variables of one name, and other programs
// take the earlier one.
TEST_F(ChildProcessTest, AGivenVariableReplacesOurs) {
  setenv("GEARMAN_TASK", "outer", /*overwrite=*/1);
  setenv("GEARMAN_TASKS", "others", /*overwrite=*/1);
  command_.environment = {"GEARMAN_TASK=resize"};
  EXPECT_TRUE(Run({"sh", "-c",
                   "echo $GEARMAN_TASK $GEARMAN_TASKS; "
                   "env | grep -c ^GEARMAN_TASK="},
                  "")
                  .ok());
  unsetenv("GEARMAN_TASK");
  unsetenv("GEARMAN_TASKS");
  EXPECT_EQ(output_, "resize others\n1\n");
}

TEST_F(ChildProcessTest, AnotherExitCodeFails) {
  const absl::Status status = Run({"sh", "-c", "echo some; exit 7"}, "");
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit code 7"));
  EXPECT_EQ(output_, "some\n");
}

TEST_F(ChildProcessTest, ASignalFails) {
  const absl::Status status = Run({"sh", "-c", "kill -TERM $$"}, "");
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("signal 15"));
}

TEST_F(ChildProcessTest, AProgramThatIsNotThereIsNamed) {
  const absl::Status status = Run({"no-such-program"}, "");
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("no-such-program"));
}

TEST_F(ChildProcessTest, StoppingEndsItAndItsChildren) {
  std::atomic<bool> stopped{false};
  std::string output;
  command_.argv = {"sh", "-c", "echo started; sleep 1000; echo no"};
  const absl::Status status = RunChild(
      "",
      [&](std::string piece) {
        output += piece;
        stopped = true;
        return absl::OkStatus();
      },
      [&] { return stopped.load(); });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(output, "started\n");
}

TEST_F(ChildProcessTest, AStubbornOneIsKilledThoughTheWallClockIsSetBack) {
  bool stopped = false;
  std::string output;
  command_.argv = {"sh", "-c",
                   "trap 'echo stubborn' TERM; echo started; "
                   "while :; do sleep 0.01; done"};
  const absl::Status status = RunChild(
      "",
      [&](std::string piece) {
        stopped = true;
        output += piece;
        // SIGTERM has come, and SIGKILL has not.
        if (output == "started\nstubborn\n") {
          support::StepWallClock(-absl::Hours(1));
        }
        return absl::OkStatus();
      },
      [&] { return stopped; });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(output, "started\nstubborn\n");
}

TEST_F(ChildProcessTest, OutputThatNobodyTakesEndsIt) {
  command_.argv = {"yes"};
  const absl::Status status = RunChild(
      "", [](std::string) { return absl::ResourceExhaustedError("too much"); },
      [] { return false; });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

TEST_F(ChildProcessTest, OneThatIsDroppedIsKilled) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  command_.argv = {"sleep", "1000"};  // inherits the other end
  auto dropped = ChildProcess::Start(reaper_.get(), command_);
  ASSERT_TRUE(dropped.ok());
  dropped->reset();
  close(ends[1]);
  char none;
  EXPECT_EQ(read(ends[0], &none, 1), 0);
  close(ends[0]);
}

TEST_F(ChildProcessTest, AShortageOfDescriptorsIsToldFromOtherErrors) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 4;
  setrlimit(RLIMIT_NOFILE, &few);
  const absl::Status status = Run({"true"}, "");
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("can't run true: a pipe: Too many open files"));
}

TEST_F(ChildProcessTest, OneLeftInTheBackgroundIsNotWaitedFor) {
  EXPECT_TRUE(Run({"sh", "-c", "(sleep 1000 & echo $!); exit 0"}, "").ok());
  kill(std::stoi(output_), SIGKILL);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
