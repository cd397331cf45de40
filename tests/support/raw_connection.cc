#include "gearman/tests/support/raw_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

absl::Status ErrnoStatus(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno)));
}

// Waits until `socket` is ready for `events`.
absl::Status Await(int socket, short events, absl::Time deadline,
                   absl::string_view what) {
  for (;;) {
    const absl::Duration left = deadline - absl::Now();
    pollfd polled{socket, events, 0};
    const int n = poll(&polled, 1,
                       static_cast<int>(std::max<int64_t>(
                           0, absl::ToInt64Milliseconds(
                                  absl::Ceil(left, absl::Milliseconds(1))))));
    if (n > 0) return absl::OkStatus();
    if (n < 0 && errno != EINTR) return ErrnoStatus(what);
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(absl::StrCat(what, ": nothing came"));
    }
  }
}

}  // namespace

absl::StatusOr<RawConnection> RawConnection::Connect(uint16_t port,
                                                     absl::Duration bound) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ErrnoStatus("socket");
  RawConnection connection(fd);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    if (errno != EINPROGRESS) return ErrnoStatus("connect");
    const absl::Status ready =
        Await(fd, POLLOUT, absl::Now() + bound, "connect");
    if (!ready.ok()) return ready;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      errno = error;
      return ErrnoStatus("connect");
    }
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return connection;
}

RawConnection::RawConnection(RawConnection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)) {}

RawConnection& RawConnection::operator=(RawConnection&& other) noexcept {
  if (this != &other) {
    Close();
    socket_ = std::exchange(other.socket_, -1);
  }
  return *this;
}

absl::Status RawConnection::Send(absl::string_view bytes,
                                 absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  while (!bytes.empty()) {
    const ssize_t n =
        send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      const absl::Status ready = Await(socket_, POLLOUT, deadline, "send");
      if (!ready.ok()) return ready;
    } else if (errno != EINTR) {
      return ErrnoStatus("send");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RawConnection::Receive(size_t size,
                                                   absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  std::string bytes(size, '\0');
  size_t received = 0;
  while (received < size) {
    const ssize_t n =
        recv(socket_, &bytes[received], size - received, MSG_DONTWAIT);
    if (n > 0) {
      received += static_cast<size_t>(n);
      continue;
    }
    absl::Status failure;
    if (n == 0) {
      failure = absl::UnavailableError("the peer closed the connection");
    } else if (errno == EAGAIN) {
      failure = Await(socket_, POLLIN, deadline, "receive");
    } else if (errno != EINTR) {
      failure = ErrnoStatus("receive");
    }
    if (!failure.ok()) {
      bytes.resize(received);
      return absl::Status(
          failure.code(),
          absl::StrCat(failure.message(), "; ", received, " of ", size,
                       " bytes before: '", absl::CEscape(bytes.substr(0, 200)),
                       "'"));
    }
  }
  return bytes;
}

absl::StatusOr<std::string> RawConnection::ReceivePacket(absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  absl::StatusOr<std::string> header = Receive(12, bound);
  if (!header.ok()) return header;
  size_t size = 0;
  for (size_t i = 8; i < 12; ++i) {
    size = size << 8 | static_cast<unsigned char>((*header)[i]);
  }
  absl::StatusOr<std::string> body = Receive(size, deadline - absl::Now());
  if (!body.ok()) return body;
  return *header + *body;
}

absl::StatusOr<std::string> RawConnection::ReceiveLine(absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  std::string line;
  while (line.empty() || line.back() != '\n') {
    absl::StatusOr<std::string> next = Receive(1, deadline - absl::Now());
    if (!next.ok()) {
      return absl::Status(
          next.status().code(),
          absl::StrCat(next.status().message(), "; line so far: '", line, "'"));
    }
    line += *next;
  }
  return line;
}

absl::StatusOr<std::string> RawConnection::ReceiveUntilClosed(
    absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  std::string bytes;
  for (;;) {
    const absl::Status ready =
        Await(socket_, POLLIN, deadline, "receive until closed");
    if (!ready.ok()) return ready;
    char buffer[1 << 16];
    const ssize_t n = recv(socket_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n > 0) {
      bytes.append(buffer, static_cast<size_t>(n));
    } else if (n == 0 || errno == ECONNRESET) {
      return bytes;
    } else if (errno != EAGAIN && errno != EINTR) {
      return ErrnoStatus("receive until closed");
    }
  }
}

bool RawConnection::Readable(absl::Duration bound) {
  return Await(socket_, POLLIN, absl::Now() + bound, "readable").ok();
}

void RawConnection::ShutdownWrite() { shutdown(socket_, SHUT_WR); }

void RawConnection::Close() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

void RawConnection::Reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  Close();
}

RawListener::RawListener(uint16_t port) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  sockaddr_in address = Loopback(port);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket_ < 0 ||
      setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(socket_, generic, size) != 0 || listen(socket_, 128) != 0 ||
      getsockname(socket_, generic, &size) != 0) {
    ADD_FAILURE() << "cannot listen on port " << port << ": "
                  << strerror(errno);
    return;
  }
  port_ = ntohs(address.sin_port);
}

std::string RawListener::address() const {
  return absl::StrCat("tcp://127.0.0.1:", port_);
}

absl::StatusOr<RawConnection> RawListener::Accept(absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  for (;;) {
    const int fd =
        accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) return RawConnection(fd);
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      return ErrnoStatus("accept");
    }
    const absl::Status ready = Await(socket_, POLLIN, deadline, "accept");
    if (!ready.ok()) return ready;
  }
}

void RawListener::LimitReceiveBuffer(int bytes) {
  EXPECT_EQ(setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)),
            0);
}

void RawListener::Close() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

}  // namespace support
}  // namespace gearman
