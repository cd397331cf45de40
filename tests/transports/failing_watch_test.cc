// A connection under way where descriptors can't be watched.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/transports/address.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

std::atomic<bool> watching_fails{false};

}  // namespace

// Stands before the C library's.
extern "C" int epoll_ctl(int epoll, int operation, int fd,
                         epoll_event* event) noexcept {
  if (watching_fails && operation == EPOLL_CTL_ADD) {
    errno = ENOMEM;
    return -1;
  }
  static auto* const next =
      reinterpret_cast<decltype(&epoll_ctl)>(dlsym(RTLD_NEXT, "epoll_ctl"));
  return next(epoll, operation, fd, event);
}

namespace gearman {
namespace {

// A socket that listens, and accepts nobody: once its queue is full, further
// connections stay under way.
class FullListener {
 public:
  FullListener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(fd_, general, length), 0);
    EXPECT_EQ(listen(fd_, 0), 0);
    EXPECT_EQ(getsockname(fd_, general, &length), 0);
    port_ = ntohs(address.sin_port);
    for (int& client : clients_) {
      client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      connect(client, general, length);
    }
  }
  ~FullListener() {
    for (const int client : clients_) close(client);
    close(fd_);
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;

  int port() const { return port_; }

 private:
  const int fd_;
  int port_ = 0;
  int clients_[4];
};

TEST(FailingWatchTest, AnAttemptThatCannotBeWatchedHasFailed) {
  constexpr Poller::Key kKey = 5;
  const FullListener listener;
  absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
  ASSERT_TRUE(poller.ok()) << poller.status();
  // A name: several addresses are tried, and waited for together.
  const absl::StatusOr<Address> address =
      ParseAddress(absl::StrCat("tcp://localhost:", listener.port()));
  ASSERT_TRUE(address.ok()) << address.status();
  TcpTransportFactory factory;
  auto transport = factory.Create(*address, poller->get(), kKey);
  ASSERT_TRUE(transport.ok()) << transport.status();
  const absl::Time deadline = (*poller)->clock()->Now() + support::kBound;
  for (;;) {
    watching_fails = true;
    const IoResult result = (*transport)->Connect();
    watching_fails = false;
    if (!result.would_block()) {
      ASSERT_TRUE(result.failed());
      EXPECT_THAT(std::string(result.status.message()),
                  ::testing::HasSubstr("Cannot allocate memory (127.0.0.1)"));
      break;
    }
    ASSERT_TRUE((*poller)->Watch(kKey, (*transport)->interest(false)).ok());
    std::vector<Poller::Key> ready;
    (*poller)->Wait(deadline, &ready);
    ASSERT_FALSE(ready.empty()) << "the attempt is never over";
  }
}

}  // namespace
}  // namespace gearman
