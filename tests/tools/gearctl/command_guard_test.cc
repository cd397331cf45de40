#include "gearman/tools/gearctl/command_guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tools/gearctl/start_command.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

class CommandGuardTest : public ::testing::Test {
 protected:
  CommandGuardTest() {
    signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(pipe2(in_, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out_, O_CLOEXEC), 0);
  }
  ~CommandGuardTest() override {
    for (const int end : {in_[0], in_[1], out_[0]}) close(end);
  }

  // Starts a shell that writes a line, and waits until it has.
  pid_t Start(const std::string& script, int guard) {
    pid_t pid = -1;
    EXPECT_EQ(
        StartCommand({{"sh", "-c", script}, {}}, in_[0], out_[1], guard, &pid),
        0);
    char byte;
    EXPECT_EQ(read(out_[0], &byte, 1), 1);
    // From now on only the command and its children hold this end.
    close(out_[1]);
    return pid;
  }
  static void WaitForChildren() {
    while (waitpid(-1, nullptr, 0) > 0) {
    }
  }
  // Whether no process holds the output any more.
  bool HasEnded() {
    pollfd ready{out_[0], POLLIN, 0};
    return poll(&ready, 1,
                static_cast<int>(absl::ToInt64Milliseconds(support::kBound))) ==
               1 &&
           (ready.revents & POLLHUP) != 0;
  }

  int in_[2];
  int out_[2];
};

TEST_F(CommandGuardTest, KillsACommandAndItsChildrenWhenItsOwnerHasGone) {
  auto guard = CommandGuard::Create();
  ASSERT_TRUE(guard.ok()) << guard.status();
  const pid_t pid = Start("echo; sleep 1000; true", (*guard)->descriptor());
  guard->reset();
  EXPECT_TRUE(HasEnded());
  int status;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  WaitForChildren();
}

TEST_F(CommandGuardTest, IsInNoGroupThatIsKilledWithItsOwner) {
  // A guard that has just been forked often waits for a processor.
  for (int i = 0; i < 50; ++i) {
    const auto guard = CommandGuard::Create();
    ASSERT_TRUE(guard.ok()) << guard.status();
    // No child is in this process' group.
    EXPECT_EQ(waitpid(0, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }
  WaitForChildren();
}

TEST_F(CommandGuardTest, LeavesACommandAloneThatHasEnded) {
  auto guard = CommandGuard::Create();
  ASSERT_TRUE(guard.ok()) << guard.status();
  // A process stays behind, in the group of the command.
  const pid_t pid = Start("sleep 1000 & echo", (*guard)->descriptor());
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  (*guard)->Remove(pid);
  guard->reset();
  WaitForChildren();  // of which the guard is one
  pollfd ready{out_[0], POLLIN, 0};
  EXPECT_EQ(poll(&ready, 1, 0), 0);
  kill(-pid, SIGKILL);
  EXPECT_TRUE(HasEnded());
}

TEST_F(CommandGuardTest, ACommandThatCantBeExecutedIsTold) {
  pid_t pid = -1;
  EXPECT_EQ(StartCommand({{"no-such-program"}, {}}, in_[0], out_[1], -1, &pid),
            ENOENT);
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1);  // nothing is left of it
  close(out_[1]);
  EXPECT_TRUE(HasEnded());
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
