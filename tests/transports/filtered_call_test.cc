// A poller where a filter of system calls refuses one that it does not know.
// Docker's filter answered EPERM for epoll_pwait2 until it learned of it, as
// that of other containers does.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

std::atomic<int> refused{0};

}  // namespace

// Stands before the C library's.
extern "C" int epoll_pwait2(int /*epoll*/, epoll_event* /*events*/,
                            int /*most*/, const timespec* /*timeout*/,
                            const sigset_t* /*signals*/) {
  ++refused;
  errno = EPERM;
  return -1;
}

namespace gearman {
namespace {

TEST(FilteredCallTest, APollerWaitsWithoutACallThatAFilterRefuses) {
  constexpr Poller::Key kKey = 5;
  absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
  ASSERT_TRUE(poller.ok()) << poller.status();
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  Interest reading;
  reading.fd = ends[0];
  reading.read = true;
  ASSERT_TRUE((*poller)->Watch(kKey, reading).ok());
  const absl::Time begin = (*poller)->clock()->Now();
  std::vector<Poller::Key> ready;
  (*poller)->Wait(begin + absl::Milliseconds(1), &ready);
  EXPECT_THAT(ready, ::testing::IsEmpty());
  EXPECT_GE((*poller)->clock()->Now(), begin + absl::Milliseconds(1));
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  (*poller)->Wait(begin + support::kBound, &ready);
  EXPECT_THAT(ready, ::testing::ElementsAre(kKey));
  // The call is not made in vain each time.
  EXPECT_EQ(refused.load(), 1);
  for (const int end : ends) close(end);
}

}  // namespace
}  // namespace gearman
