#include "gearman/transports/tcp/tcp_listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/transports/tcp/socket_address.h"
#include "gearman/transports/tcp/socket_stream.h"
#include "gearman/transports/tcp/tcp_transport.h"

namespace gearman {
namespace {

constexpr int kBacklog = 1024;
// The number of connections that are refused at a time when no descriptors are
// left.
constexpr int kMaxRefusals = 64;

absl::StatusOr<SocketAddress> AddressToBind(const Address& address) {
  const absl::StatusOr<HostPort> host_port = ParseHostPort(address.authority);
  if (!host_port.ok()) return host_port.status();
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(host_port->host.c_str(),
                  std::to_string(host_port->port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat(address.ToString(), ": ", gai_strerror(error)));
  }
  SocketAddress result;
  std::memcpy(&result.storage, found->ai_addr, found->ai_addrlen);
  result.length = found->ai_addrlen;
  freeaddrinfo(found);
  return result;
}

absl::Status Failure(const Address& address, int error) {
  return absl::Status(error == EADDRINUSE ? absl::StatusCode::kAlreadyExists
                      : error == EACCES   ? absl::StatusCode::kPermissionDenied
                                          : absl::StatusCode::kUnavailable,
                      absl::StrCat("can't listen on ", address.ToString(), ": ",
                                   std::strerror(error)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> TcpListener::Create(
    const Address& address, const TcpOptions& options) {
  absl::StatusOr<SocketAddress> bind_to = AddressToBind(address);
  if (!bind_to.ok()) return bind_to.status();
  Descriptor made(
      socket(bind_to->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = made.get();
  if (fd < 0) return Failure(address, errno);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  SocketAddress bound;
  bound.length = sizeof(bound.storage);
  if (bind(fd, bind_to->get(), bind_to->length) != 0 ||
      listen(fd, kBacklog) != 0 ||
      getsockname(fd, bound.get(), &bound.length) != 0) {
    return Failure(address, errno);
  }
  const std::string host = bound.HostText();
  Address real = address;
  real.authority = bound.family() == AF_INET6
                       ? absl::StrCat("[", host, "]:", bound.port())
                       : absl::StrCat(host, ":", bound.port());
  return std::unique_ptr<Listener>(
      new TcpListener(std::move(made), std::move(real), options));
}

TcpListener::TcpListener(Descriptor socket, Address address,
                         const TcpOptions& options)
    : socket_(std::move(socket)),
      address_(std::move(address)),
      options_(options) {
  OpenSpare();
}

TcpListener::~TcpListener() = default;

void TcpListener::OpenSpare() {
  if (spare_.is_open()) return;
  spare_ = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void TcpListener::RefuseWaiting() {
  if (!spare_.is_open()) return;
  spare_.Close();
  for (int i = 0; i < kMaxRefusals; ++i) {
    const int fd = accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    // Another thread may have taken the freed descriptor first.
    if (fd < 0) break;
    close(fd);
  }
  OpenSpare();
}

absl::StatusOr<std::unique_ptr<Transport>> TcpListener::Accept(Poller*,
                                                               Poller::Key) {
  OpenSpare();
  for (;;) {
    SocketAddress peer;
    peer.length = sizeof(peer.storage);
    Descriptor accepted(accept4(socket_.get(), peer.get(), &peer.length,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted.is_open()) {
      ApplyTcpOptions(accepted.get(), options_);
      return std::make_unique<TcpTransport>(
          std::move(accepted),
          absl::StrCat("tcp://", peer.HostText(), ":", peer.port()));
    }
    switch (errno) {
      case EINTR:
      case ECONNABORTED:
        continue;
      case EAGAIN:
        return std::unique_ptr<Transport>();
      case EMFILE:
      case ENFILE: {
        absl::Status status = absl::ResourceExhaustedError(absl::StrCat(
            address_.ToString(), ": can't accept: ", std::strerror(errno),
            "; clients that connect are closed at once (raise the limit of "
            "descriptors: ulimit -n)"));
        RefuseWaiting();
        return status;
      }
      case ENOBUFS:
      case ENOMEM:
        return absl::ResourceExhaustedError(absl::StrCat(
            address_.ToString(), ": can't accept: ", std::strerror(errno)));
      default:
        return absl::UnavailableError(absl::StrCat(
            address_.ToString(), ": can't accept: ", std::strerror(errno)));
    }
  }
}

Interest TcpListener::interest() const {
  Interest interest;
  interest.fd = socket_.get();
  interest.read = true;
  return interest;
}

}  // namespace gearman
