// EpollPoller::CreateForEventLoop: a program sleeps on the descriptor of the
// poller. The poller is asked for what happened afterwards.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/transports/epoll_poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventLoopPollerTest : public ::testing::Test {
 protected:
  EventLoopPollerTest() {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller =
        EpollPoller::CreateForEventLoop();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
  }
  ~EventLoopPollerTest() override {
    for (const int end : ends_) close(end);
  }
  // Whether the descriptor is readable, at once or within the time.
  bool Readable(int milliseconds = 0) {
    pollfd watched = {poller_->descriptor(), POLLIN, 0};
    return poll(&watched, 1, milliseconds) == 1;
  }
  std::vector<Poller::Key> Look() {
    std::vector<Poller::Key> ready;
    poller_->Wait(absl::InfinitePast(), &ready);
    return ready;
  }
  static Interest At(absl::Time deadline) {
    Interest interest;
    interest.deadline = deadline;
    return interest;
  }
  absl::Time now() { return poller_->clock()->Now(); }

  static constexpr int kLongMs = 30000;
  std::unique_ptr<EpollPoller> poller_;
  std::array<int, 2> ends_{};
};

TEST_F(EventLoopPollerTest, OnlyAPollerForAnEventLoopHasADescriptor) {
  EXPECT_GE(poller_->descriptor(), 0);
  const auto other = EpollPoller::Create();
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ((*other)->descriptor(), -1);
}

TEST_F(EventLoopPollerTest, IsReadableWhileADescriptorIs) {
  Interest interest;
  interest.fd = ends_[0];
  interest.read = true;
  ASSERT_TRUE(poller_->Watch(7, interest).ok());
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_EQ(poller_->NextWait(), absl::InfiniteFuture());
  EXPECT_FALSE(Readable());
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  EXPECT_TRUE(Readable());
  EXPECT_THAT(Look(), ElementsAre(7));
  EXPECT_TRUE(Readable());  // nobody has read the byte
  char byte = 0;
  ASSERT_EQ(read(ends_[0], &byte, 1), 1);
  EXPECT_FALSE(Readable());
}

TEST_F(EventLoopPollerTest, AWakeUpIsSeenWhileNoThreadWaits) {
  poller_->Wake();  // before the first Wait
  EXPECT_TRUE(Readable());
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_FALSE(Readable());
  // Between a Wait and the sleep.
  poller_->Wake();
  EXPECT_EQ(poller_->NextWait(), absl::InfinitePast());
  EXPECT_TRUE(Readable());
  Look();
  // In the sleep.
  EXPECT_EQ(poller_->NextWait(), absl::InfiniteFuture());
  std::thread other([this] { poller_->Wake(); });
  EXPECT_TRUE(Readable(kLongMs));
  other.join();
  Look();
  EXPECT_FALSE(Readable());
}

TEST_F(EventLoopPollerTest, AMarkedKeyIsSeenWhileNoThreadWaits) {
  const std::shared_ptr<Waker> waker = poller_->MakeWaker(7);
  waker->Wake();  // before the first Wait
  EXPECT_TRUE(Readable());
  EXPECT_THAT(Look(), ElementsAre(7));
  EXPECT_FALSE(Readable());
  // Between a Wait and the sleep.
  waker->Wake();
  EXPECT_EQ(poller_->NextWait(), absl::InfinitePast());
  EXPECT_THAT(Look(), ElementsAre(7));
  // In the sleep.
  EXPECT_EQ(poller_->NextWait(), absl::InfiniteFuture());
  std::thread other([&] { waker->Wake(); });
  EXPECT_TRUE(Readable(kLongMs));
  other.join();
  EXPECT_THAT(Look(), ElementsAre(7));
  EXPECT_FALSE(Readable());
}

TEST_F(EventLoopPollerTest, TheNextWaitIsDueAtTheEarliestDeadline) {
  const absl::Time late = now() + absl::Hours(2);
  const absl::Time early = now() + absl::Hours(1);
  ASSERT_TRUE(poller_->Watch(1, At(late)).ok());
  Look();
  EXPECT_EQ(poller_->NextWait(), late);
  EXPECT_FALSE(Readable());
  // The program sleeps until `late`, and must hear of an earlier deadline.
  ASSERT_TRUE(poller_->Watch(2, At(early)).ok());
  EXPECT_TRUE(Readable());
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_EQ(poller_->NextWait(), early);
  // A later one changes nothing.
  ASSERT_TRUE(poller_->Watch(3, At(late)).ok());
  EXPECT_FALSE(Readable());
}

TEST_F(EventLoopPollerTest, WhatIsReadyNowIsDueAtOnce) {
  Interest interest;
  interest.ready_now = true;
  Look();
  EXPECT_EQ(poller_->NextWait(), absl::InfiniteFuture());
  ASSERT_TRUE(poller_->Watch(1, interest).ok());
  EXPECT_TRUE(Readable());
  EXPECT_THAT(Look(), ElementsAre(1));
  EXPECT_EQ(poller_->NextWait(), absl::InfinitePast());
}

TEST_F(EventLoopPollerTest, ADeferredTaskIsDueAtOnce) {
  struct Task : DeferredTask {
    void Run() override { ++runs; }
    int runs = 0;
  };
  const auto task = std::make_shared<Task>();
  Look();
  EXPECT_EQ(poller_->NextWait(), absl::InfiniteFuture());
  poller_->Defer(task);
  EXPECT_TRUE(Readable());
  EXPECT_EQ(poller_->NextWait(), absl::InfinitePast());
  Look();
  EXPECT_EQ(task->runs, 1);
  EXPECT_EQ(poller_->NextWait(), absl::InfiniteFuture());
  EXPECT_FALSE(Readable());
}

// A thread may also sleep in Wait itself, as with any poller.
TEST_F(EventLoopPollerTest, WaitSleepsAndIsWoken) {
  std::thread other([this] { poller_->Wake(); });
  std::vector<Poller::Key> ready;
  poller_->Wait(absl::InfiniteFuture(), &ready);
  EXPECT_THAT(ready, IsEmpty());
  other.join();
  const absl::Time deadline = now() + absl::Milliseconds(5);
  poller_->Wait(deadline, &ready);
  EXPECT_GE(now(), deadline);
}

}  // namespace
}  // namespace gearman
