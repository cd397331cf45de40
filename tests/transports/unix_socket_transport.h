// UnixSocketTransport: unix:///path, made outside the SDK. It shows what a
// transport of a user's own needs, and that no part of the SDK has to know it.
#ifndef GEARMAN_TESTS_TRANSPORTS_UNIX_SOCKET_TRANSPORT_H_
#define GEARMAN_TESTS_TRANSPORTS_UNIX_SOCKET_TRANSPORT_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

class UnixSocketTransport final : public gearman::Transport {
 public:
  // Will connect to `path`; or is connected already.
  explicit UnixSocketTransport(std::string path) : path_(std::move(path)) {}
  UnixSocketTransport(std::string path, int fd)
      : path_(std::move(path)), fd_(fd) {}
  ~UnixSocketTransport() override { Close(); }

  gearman::IoResult Connect() override;
  gearman::IoResult Read(absl::Span<char> into) override;
  gearman::IoResult Write(absl::Span<const absl::string_view> pieces) override;
  gearman::Interest interest(bool want_write) const override;
  void Close() override;
  std::string Describe() const override { return "unix://" + path_; }

 private:
  gearman::IoResult Failed(absl::string_view what) const;

  const std::string path_;
  int fd_ = -1;
};

class UnixSocketTransportFactory final : public gearman::TransportFactory {
 public:
  absl::StatusOr<std::unique_ptr<gearman::Transport>> Create(
      const gearman::Address& address, gearman::Poller* poller,
      gearman::Poller::Key key) override;
  absl::StatusOr<std::unique_ptr<gearman::Listener>> Listen(
      const gearman::Address& address, gearman::Poller* poller,
      gearman::Poller::Key key) override;
};

#endif  // GEARMAN_TESTS_TRANSPORTS_UNIX_SOCKET_TRANSPORT_H_
