#include "gearman/transports/tcp/tcp_connector.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/transports/tcp/socket_stream.h"

namespace gearman {
namespace {

// Alternates IPv6 and IPv4 addresses, beginning with the family that the
// resolver prefers.
std::vector<SocketAddress> Interleave(
    const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> preferred, other, result;
  for (const SocketAddress& address : addresses) {
    (address.family() == addresses.front().family() ? preferred : other)
        .push_back(address);
  }
  for (size_t i = 0; i < preferred.size() || i < other.size(); ++i) {
    if (i < preferred.size()) result.push_back(preferred[i]);
    if (i < other.size()) result.push_back(other[i]);
  }
  return result;
}

int SocketError(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

// A socket that has neither failed nor connected yet has no peer.
bool IsConnected(int fd) {
  sockaddr_storage peer;
  socklen_t length = sizeof(peer);
  return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
}

}  // namespace

TcpConnector::TcpConnector(HostPort host_port, std::string peer_name,
                           const TcpOptions& options,
                           std::shared_ptr<Resolver> resolver, Clock* clock)
    : host_port_(std::move(host_port)),
      peer_name_(std::move(peer_name)),
      options_(options),
      resolver_(std::move(resolver)),
      clock_(clock) {}

TcpConnector::~TcpConnector() = default;

absl::Status TcpConnector::Advance() {
  if (socket_.is_open()) return absl::OkStatus();
  if (!started_) {
    started_ = true;
    const std::optional<SocketAddress> numeric =
        SocketAddress::FromNumeric(host_port_.host, host_port_.port);
    if (numeric.has_value()) {
      addresses_.push_back(*numeric);
    } else {
      absl::StatusOr<std::unique_ptr<Lookup>> lookup =
          resolver_->Start(host_port_.host, host_port_.port);
      if (!lookup.ok()) return lookup.status();
      lookup_ = *std::move(lookup);
    }
  }
  if (lookup_ != nullptr) {
    if (!lookup_->done()) return absl::OkStatus();
    absl::StatusOr<std::vector<SocketAddress>> addresses = lookup_->Take();
    if (!addresses.ok()) {
      return absl::Status(
          addresses.status().code(),
          absl::StrCat(peer_name_, ": ", addresses.status().message()));
    }
    addresses_ = Interleave(*addresses);
    // One descriptor serves to wait for several sockets.
    inner_epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
    if (!inner_epoll_.is_open()) {
      return absl::ResourceExhaustedError(
          absl::StrCat(peer_name_, ": epoll_create1: ", std::strerror(errno)));
    }
    finished_lookup_ = std::move(lookup_);
  }
  return StartAttempts();
}

absl::Status TcpConnector::StartAttempts() {
  if (next_address_ == 0) StartNext();
  Check();
  while (!socket_.is_open() &&
         (attempts_.empty() || clock_->Now() >= next_attempt_)) {
    if (!StartNext()) break;
    Check();
  }
  if (socket_.is_open() || !attempts_.empty()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(peer_name_, ": ", absl::StrJoin(failures_, "; ")));
}

void TcpConnector::Fail(const SocketAddress& address, int error) {
  failures_.push_back(
      absl::StrCat(std::strerror(error), " (", address.HostText(), ")"));
}

bool TcpConnector::StartNext() {
  next_attempt_ = absl::InfiniteFuture();
  while (next_address_ < addresses_.size()) {
    const SocketAddress& address = addresses_[next_address_++];
    Descriptor made(socket(address.family(),
                           SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int fd = made.get();
    if (fd < 0) {
      Fail(address, errno);
      continue;
    }
    ApplyTcpOptions(fd, options_);
    if (connect(fd, address.get(), address.length) == 0) {
      winner_ = address;
      attempts_.clear();
      socket_ = std::move(made);
      return true;
    }
    if (errno != EINPROGRESS) {
      Fail(address, errno);
      continue;
    }
    if (inner_epoll_.is_open()) {
      epoll_event event = {};
      event.events = EPOLLOUT;
      event.data.fd = fd;
      if (epoll_ctl(inner_epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        Fail(address, errno);
        continue;
      }
    }
    attempts_.push_back({std::move(made), address});
    if (next_address_ < addresses_.size()) {
      next_attempt_ = clock_->Now() + options_.attempt_delay;
    }
    return true;
  }
  return false;
}

void TcpConnector::Check() {
  for (size_t i = 0; i < attempts_.size();) {
    const int fd = attempts_[i].socket.get();
    const int error = SocketError(fd);
    if (error == 0 && !IsConnected(fd)) {
      ++i;
      continue;
    }
    Attempt attempt = std::move(attempts_[i]);
    attempts_.erase(attempts_.begin() + static_cast<long>(i));
    if (error != 0) {
      Fail(attempt.address, error);
      continue;
    }
    winner_ = attempt.address;
    attempts_.clear();
    socket_ = std::move(attempt.socket);
    return;
  }
}

Descriptor TcpConnector::TakeSocket() { return std::move(socket_); }

Interest TcpConnector::interest() const {
  Interest interest;
  if (lookup_ != nullptr) {
    interest.fd = lookup_->fd();
    interest.read = true;
    return interest;
  }
  interest.deadline = next_attempt_;
  if (inner_epoll_.is_open()) {
    interest.fd = inner_epoll_.get();
    interest.read = true;
  } else if (!attempts_.empty()) {
    interest.fd = attempts_.front().socket.get();
    interest.write = true;
  } else {
    interest.ready_now = true;  // not begun
  }
  return interest;
}

}  // namespace gearman
