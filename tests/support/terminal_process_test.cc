#include "gearman/tests/support/terminal_process.h"

#include <signal.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<TerminalProcess> Shell(const std::string& script) {
  auto process = TerminalProcess::Start({"sh", "-c", script}, 70, 20);
  EXPECT_TRUE(process.ok()) << process.status();
  return process.ok() ? *std::move(process) : nullptr;
}

TEST(TerminalProcessTest, TheProgramHasATerminalOfTheSizeAskedFor) {
  auto process = Shell("test -t 0 && test -t 1 && test -t 2 && stty size");
  EXPECT_TRUE(process->Expect("20 70").ok()) << process->output();
  EXPECT_EQ(process->Wait()->code, 0);
}

TEST(TerminalProcessTest, WhatIsTypedIsRead) {
  auto process = Shell("echo name; read name; echo hello $name");
  ASSERT_TRUE(process->Expect("name").ok());
  process->Type("you\n");
  EXPECT_TRUE(process->Expect("hello you").ok()) << process->output();
}

TEST(TerminalProcessTest, CtrlCIsASignal) {
  auto process = Shell("echo ready; exec sleep 1000");
  ASSERT_TRUE(process->Expect("ready").ok());
  process->Type("\x03");
  EXPECT_EQ(process->Wait()->signal, SIGINT);
}

TEST(TerminalProcessTest, ANewSizeIsASignal) {
  // A `wait` of the shell misses no signal; a `read` that is about to begin
  // would sleep on.
  auto process = Shell(
      "sleep 1000 & trap 'stty size; kill $!; exit 7' WINCH; echo ready; wait");
  ASSERT_TRUE(process->Expect("ready").ok());
  process->Resize(33, 11);
  EXPECT_TRUE(process->Expect("11 33").ok()) << process->output();
  EXPECT_EQ(process->Wait()->code, 7);
}

TEST(TerminalProcessTest, ATextThatNeverComesIsAnErrorThatShowsWhatCame) {
  auto process = Shell("echo something else");
  const absl::Status status = process->Expect("this");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("something else"));
}

TEST(TerminalProcessTest, AProgramThatGoesOnIsReported) {
  auto process = Shell("exec sleep 1000");
  EXPECT_EQ(process->Wait(absl::Milliseconds(10)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(TerminalProcessTest, AProgramThatIsNotThereIsAnError) {
  EXPECT_FALSE(TerminalProcess::Start({"no-such-program"}).ok());
}

}  // namespace
}  // namespace support
}  // namespace gearman
