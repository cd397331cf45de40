#include "gearman/tools/gearctl/child_reaper.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tools/gearctl/descriptor.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

// Ends at once with this exit code.
absl::StatusOr<pid_t> Fork(int code) {
  const pid_t pid = fork();
  if (pid == 0) _exit(code);
  return pid;
}

// Ends when a byte comes out of `gate`, with the exit code 1.
absl::StatusOr<pid_t> ForkBehind(int gate) {
  const pid_t pid = fork();
  char byte;
  if (pid == 0) _exit(static_cast<int>(read(gate, &byte, 1)));
  return pid;
}

// Waits until it is readable.
bool Happens(const Descriptor& event) {
  pollfd ready{event.get(), POLLIN, 0};
  return poll(&ready, 1,
              static_cast<int>(absl::ToInt64Milliseconds(support::kBound))) > 0;
}

class ChildReaperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto reaper = ChildReaper::Create();
    ASSERT_TRUE(reaper.ok()) << reaper.status();
    reaper_ = *std::move(reaper);
  }

  std::unique_ptr<ChildReaper> reaper_;
  const Descriptor event_{eventfd(0, EFD_CLOEXEC)};
};

TEST_F(ChildReaperTest, TellsOfAChildsEnd) {
  const auto pid = reaper_->Start(event_.get(), [] { return Fork(3); });
  ASSERT_TRUE(pid.ok()) << pid.status();
  ASSERT_TRUE(Happens(event_));
  const std::optional<int> status = reaper_->StatusOf(event_.get());
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(WEXITSTATUS(*status), 3);
  // Nobody is hit by that any more.
  reaper_->Signal(event_.get(), SIGKILL);
  reaper_->Forget(event_.get());
  EXPECT_FALSE(reaper_->StatusOf(event_.get()).has_value());
}

TEST_F(ChildReaperTest, AChildMayEndBeforeItsNumberIsKnown) {
  const Descriptor other{eventfd(0, EFD_CLOEXEC)};
  const auto pid = reaper_->Start(event_.get(), [&] {
    const auto early = Fork(4);
    // An error: the reaper has it already.
    waitid(P_PID, static_cast<id_t>(*early), nullptr, WEXITED | WNOWAIT);
    // By the end of a later child, the reaper has seen the early one.
    const auto later = reaper_->Start(other.get(), [] { return Fork(0); });
    EXPECT_TRUE(Happens(other));
    reaper_->Forget(other.get());
    return early;
  });
  ASSERT_TRUE(pid.ok()) << pid.status();
  ASSERT_TRUE(Happens(event_));
  EXPECT_EQ(WEXITSTATUS(*reaper_->StatusOf(event_.get())), 4);
  reaper_->Forget(event_.get());
}

TEST_F(ChildReaperTest, OneThatIsForgottenTellsNothing) {
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const auto pid =
      reaper_->Start(event_.get(), [&] { return ForkBehind(gate[0]); });
  ASSERT_TRUE(pid.ok()) << pid.status();
  EXPECT_FALSE(reaper_->StatusOf(event_.get()).has_value());
  reaper_->Forget(event_.get());
  ASSERT_EQ(write(gate[1], "x", 1), 1);
  // The forgotten child is reaped all the same: another child's end shows that.
  const auto other = reaper_->Start(event_.get(), [] { return Fork(0); });
  ASSERT_TRUE(Happens(event_));
  reaper_->Forget(event_.get());
  close(gate[0]);
  close(gate[1]);
}

// The kernel gives a number to a new process as soon as the old one was reaped,
// which may be before the old one is forgotten.
TEST_F(ChildReaperTest, ToForgetAChildForgetsNoneThatHasGotItsNumber) {
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const auto pid =
      reaper_->Start(event_.get(), [&] { return ForkBehind(gate[0]); });
  ASSERT_TRUE(pid.ok()) << pid.status();
  const Descriptor other{eventfd(0, EFD_CLOEXEC)};
  ASSERT_TRUE(reaper_->Start(other.get(), [&] { return pid; }).ok());
  reaper_->Forget(event_.get());
  ASSERT_EQ(write(gate[1], "x", 1), 1);
  ASSERT_TRUE(Happens(other));
  EXPECT_EQ(WEXITSTATUS(*reaper_->StatusOf(other.get())), 1);
  reaper_->Forget(other.get());
  close(gate[0]);
  close(gate[1]);
}

TEST_F(ChildReaperTest, WhatCannotBeStartedIsSaid) {
  const auto pid = reaper_->Start(event_.get(), []() -> absl::StatusOr<pid_t> {
    return absl::NotFoundError("no such program");
  });
  EXPECT_TRUE(absl::IsNotFound(pid.status())) << pid.status();
}

TEST(ChildReaperSignalTest, ExitCodesComeAlsoWhereTheParentIgnoredTheSignal) {
  signal(SIGCHLD, SIG_IGN);
  auto reaper = ChildReaper::Create();
  ASSERT_TRUE(reaper.ok()) << reaper.status();
  const Descriptor event{eventfd(0, EFD_CLOEXEC)};
  const auto pid = (*reaper)->Start(event.get(), [] { return Fork(5); });
  ASSERT_TRUE(Happens(event));
  EXPECT_EQ(WEXITSTATUS(*(*reaper)->StatusOf(event.get())), 5);
  (*reaper)->Forget(event.get());
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
