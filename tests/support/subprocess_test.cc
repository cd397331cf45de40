#include "gearman/tests/support/subprocess.h"

#include <signal.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

SubprocessOptions Shell(std::string script, std::string input = "") {
  SubprocessOptions options;
  options.argv = {"/bin/sh", "-c", std::move(script)};
  options.input = std::move(input);
  return options;
}

// True when no process has this number; a zombie does not count.
bool Gone(pid_t pid) {
  if (kill(pid, 0) != 0) return true;
  const absl::StatusOr<ProgramResult> state =
      RunProgram(Shell("cut -d' ' -f3 /proc/" + std::to_string(pid) +
                       "/stat 2>/dev/null || true"));
  return state.ok() && (state->output.empty() || state->output == "Z\n");
}

TEST(Subprocess, CollectsOutputErrorsAndExitCode) {
  const absl::StatusOr<ProgramResult> result =
      RunProgram(Shell("echo out; echo error >&2; exit 3"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->error_output, "error\n");
  EXPECT_EQ(result->status.code, 3);
  EXPECT_FALSE(result->status.ok());
  EXPECT_EQ(result->status.ToString(), "exit code 3");
}

TEST(Subprocess, CarriesMoreThanAPipeHoldsBothWays) {
  std::string input;
  for (int i = 0; i < 4 << 20; ++i) input.push_back(static_cast<char>(i * 7));
  SubprocessOptions options;
  options.argv = {"cat"};
  options.input = input;
  const absl::StatusOr<ProgramResult> result = RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->output == input) << result->output.size();
}

TEST(Subprocess, OutlivesAProgramThatDoesNotReadItsInput) {
  const absl::StatusOr<ProgramResult> result =
      RunProgram(Shell("exec 0<&-; exit 0", std::string(1 << 20, 'x')));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->status.ok());
}

TEST(Subprocess, TalksBackAndForth) {
  SubprocessOptions options = Shell("while read line; do echo got $line; done");
  options.keep_input_open = true;
  auto process = Subprocess::Start(std::move(options));
  ASSERT_TRUE(process.ok()) << process.status();
  (*process)->Write("one\n");
  EXPECT_TRUE((*process)->WaitForOutput("got one\n").ok());
  EXPECT_TRUE((*process)->running());
  (*process)->Write("two\n");
  (*process)->CloseInput();
  const absl::StatusOr<ExitStatus> status = (*process)->Wait();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ((*process)->output(), "got one\ngot two\n");
  EXPECT_FALSE((*process)->running());
}

TEST(Subprocess, NamesAProgramThatCannotBeExecuted) {
  SubprocessOptions options;
  options.argv = {"/nowhere/program"};
  const auto process = Subprocess::Start(std::move(options));
  EXPECT_EQ(process.status(),
            absl::NotFoundError("/nowhere/program: No such file or directory"));
}

TEST(Subprocess, SetsEnvironmentAndDirectory) {
  const TestDirectory directory;
  SubprocessOptions options = Shell("echo $COLOUR; pwd");
  options.environment = {{"COLOUR", "red"}};
  options.directory = directory.path();
  const absl::StatusOr<ProgramResult> result = RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "red\n" + directory.path() + "\n");
}

TEST(Subprocess, SaysWhatWasPrintedWhenTheProgramDoesNotEnd) {
  auto process = Subprocess::Start(Shell("echo still here; exec sleep 1000"));
  ASSERT_TRUE(process.ok()) << process.status();
  ASSERT_TRUE((*process)->WaitForOutput("here").ok());
  const absl::Status status = (*process)->Wait(absl::Milliseconds(1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(absl::StrContains(status.message(), "still here")) << status;
}

TEST(Subprocess, SaysWhatWasPrintedWhenTheAwaitedTextDoesNotCome) {
  auto process = Subprocess::Start(Shell("echo something else"));
  ASSERT_TRUE(process.ok()) << process.status();
  const absl::Status status = (*process)->WaitForOutput("ready");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "something else")) << status;
}

TEST(Subprocess, ReportsTheSignalThatEndedTheProgram) {
  auto process = Subprocess::Start(Shell("exec sleep 1000"));
  ASSERT_TRUE(process.ok()) << process.status();
  (*process)->Signal(SIGTERM);
  const absl::StatusOr<ExitStatus> status = (*process)->Wait();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->signal, SIGTERM);
  EXPECT_FALSE(status->ok());
}

TEST(Subprocess, OutlivesTheThreadThatStartedIt) {
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      absl::UnknownError("not started");
  std::thread([&process] {
    SubprocessOptions options;
    options.argv = {"cat"};
    options.keep_input_open = true;
    process = Subprocess::Start(std::move(options));
  }).join();
  ASSERT_TRUE(process.ok()) << process.status();
  (*process)->Write("alive");
  EXPECT_TRUE((*process)->WaitForOutput("alive").ok());
}

TEST(Subprocess, LeavesNoProcessBehindWhenDestroyed) {
  pid_t pid;
  {
    auto process = Subprocess::Start(Shell("exec sleep 1000"));
    ASSERT_TRUE(process.ok()) << process.status();
    pid = (*process)->pid();
  }
  EXPECT_TRUE(Gone(pid));
}

TEST(Subprocess, LeavesNoProcessBehindThatTheProgramHasStarted) {
  auto process = Subprocess::Start(Shell("sleep 1000 & echo $!"));
  ASSERT_TRUE(process.ok()) << process.status();
  // The sleep holds the output open until it is killed, so that this waits for
  // its end too.
  const absl::StatusOr<ExitStatus> status = (*process)->Wait();
  ASSERT_TRUE(status.ok()) << status.status();
  pid_t pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi((*process)->output(), &pid));
  // The dying sleep closes its output a moment before it is gone.
  EXPECT_TRUE(WaitFor([pid] { return Gone(pid); }));
}

}  // namespace
}  // namespace support
}  // namespace gearman
