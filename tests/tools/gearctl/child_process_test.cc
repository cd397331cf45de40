#include "gearman/tools/gearctl/child_process.h"

#include <signal.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

class ChildProcessTest : public ::testing::Test {
 protected:
  ChildProcessTest() { signal(SIGPIPE, SIG_IGN); }

  absl::Status Run(std::vector<std::string> argv, const std::string& input) {
    command_.argv = std::move(argv);
    return RunChild(
        command_, input,
        [this](std::string piece) {
          output_ += piece;
          return absl::OkStatus();
        },
        [] { return false; });
  }

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
      command_, "",
      [&](std::string piece) {
        output += piece;
        stopped = true;
        return absl::OkStatus();
      },
      [&] { return stopped.load(); });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(output, "started\n");
}

TEST_F(ChildProcessTest, OutputThatNobodyTakesEndsIt) {
  command_.argv = {"yes"};
  const absl::Status status = RunChild(
      command_, "",
      [](std::string) { return absl::ResourceExhaustedError("too much"); },
      [] { return false; });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

TEST_F(ChildProcessTest, OneLeftInTheBackgroundIsNotWaitedFor) {
  EXPECT_TRUE(Run({"sh", "-c", "(sleep 1000 & echo $!); exit 0"}, "").ok());
  kill(std::stoi(output_), SIGKILL);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
