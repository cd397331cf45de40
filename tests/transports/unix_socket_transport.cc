#include "gearman/tests/transports/unix_socket_transport.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace {

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

class UnixSocketListener final : public gearman::Listener {
 public:
  UnixSocketListener(std::string path, int fd)
      : path_(std::move(path)), fd_(fd) {}
  ~UnixSocketListener() override {
    close(fd_);
    unlink(path_.c_str());
  }
  absl::StatusOr<std::unique_ptr<gearman::Transport>> Accept(
      gearman::Poller* /*poller*/, gearman::Poller::Key /*key*/) override {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return std::unique_ptr<gearman::Transport>();
    return std::make_unique<UnixSocketTransport>(path_, fd);
  }
  gearman::Interest interest() const override {
    gearman::Interest interest;
    interest.fd = fd_;
    interest.read = true;
    return interest;
  }
  gearman::Address address() const override { return {"unix", path_}; }

 private:
  const std::string path_;
  const int fd_;
};

}  // namespace

gearman::IoResult UnixSocketTransport::Failed(absl::string_view what) const {
  return gearman::IoResult::Failed(absl::UnavailableError(
      absl::StrCat(Describe(), ": ", what, ": ", std::strerror(errno))));
}

gearman::IoResult UnixSocketTransport::Connect() {
  if (fd_ >= 0) return gearman::IoResult::Done(0);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failed("no socket");
  const sockaddr_un address = AddressOf(path_);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    gearman::IoResult result = Failed("can't connect");
    close(fd);
    return result;
  }
  fd_ = fd;
  return gearman::IoResult::Done(0);
}

gearman::IoResult UnixSocketTransport::Read(absl::Span<char> into) {
  const ssize_t bytes = recv(fd_, into.data(), into.size(), 0);
  if (bytes > 0) return gearman::IoResult::Done(static_cast<size_t>(bytes));
  if (bytes == 0) return gearman::IoResult::Closed();
  return errno == EAGAIN ? gearman::IoResult::WouldBlock()
                         : Failed("can't read");
}

gearman::IoResult UnixSocketTransport::Write(
    absl::Span<const absl::string_view> pieces) {
  size_t written = 0;
  for (const absl::string_view piece : pieces) {
    const ssize_t bytes = send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL);
    if (bytes < 0) {
      if (written > 0) break;
      return errno == EAGAIN ? gearman::IoResult::WouldBlock()
                             : Failed("can't write");
    }
    written += static_cast<size_t>(bytes);
    if (static_cast<size_t>(bytes) < piece.size()) break;
  }
  return gearman::IoResult::Done(written);
}

gearman::Interest UnixSocketTransport::interest(bool want_write) const {
  gearman::Interest interest;
  interest.fd = fd_;
  interest.read = fd_ >= 0;
  interest.write = fd_ >= 0 && want_write;
  return interest;
}

void UnixSocketTransport::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

absl::StatusOr<std::unique_ptr<gearman::Transport>>
UnixSocketTransportFactory::Create(const gearman::Address& address,
                                   gearman::Poller* /*poller*/,
                                   gearman::Poller::Key /*key*/) {
  if (address.authority.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat(address.ToString(), ": the path is too long"));
  }
  return std::make_unique<UnixSocketTransport>(address.authority);
}

absl::StatusOr<std::unique_ptr<gearman::Listener>>
UnixSocketTransportFactory::Listen(const gearman::Address& address,
                                   gearman::Poller* /*poller*/,
                                   gearman::Poller::Key /*key*/) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const sockaddr_un path = AddressOf(address.authority);
  if (fd < 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&path), sizeof(path)) != 0 ||
      listen(fd, 16) != 0) {
    const absl::Status status = absl::UnavailableError(
        absl::StrCat(address.ToString(), ": ", std::strerror(errno)));
    if (fd >= 0) close(fd);
    return status;
  }
  return std::make_unique<UnixSocketListener>(address.authority, fd);
}
