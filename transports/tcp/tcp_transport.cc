#include "gearman/transports/tcp/tcp_transport.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/transports/tcp/socket_stream.h"
#include "gearman/transports/tcp/tcp_listener.h"

namespace gearman {

namespace {

absl::StatusOr<HostPort> Target(const Address& address) {
  absl::StatusOr<HostPort> host_port = ParseHostPort(address.authority);
  if (host_port.ok() && host_port->port == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(address.ToString(), ": nothing can be reached at port 0"));
  }
  return host_port;
}

}  // namespace

TcpTransport::TcpTransport(const Address& address, HostPort host_port,
                           const TcpOptions& options,
                           std::shared_ptr<Resolver> resolver, Clock* clock)
    : name_(address.ToString()),
      connector_(std::make_unique<TcpConnector>(
          std::move(host_port), name_, options, std::move(resolver), clock)) {}

TcpTransport::TcpTransport(Descriptor socket, std::string name)
    : name_(std::move(name)), socket_(std::move(socket)) {}

TcpTransport::~TcpTransport() { Close(); }

IoResult TcpTransport::Connect() {
  if (socket_.is_open()) return IoResult::Done(0);
  if (connector_ == nullptr) return IoResult::Closed();
  absl::Status status = connector_->Advance();
  if (!status.ok()) return IoResult::Failed(std::move(status));
  socket_ = connector_->TakeSocket();
  if (!socket_.is_open()) return IoResult::WouldBlock();
  const std::string host = connector_->winner().HostText();
  if (name_.find(host) == std::string::npos) {
    absl::StrAppend(&name_, " (", host, ")");
  }
  return IoResult::Done(0);
}

IoResult TcpTransport::Read(absl::Span<char> into) {
  const int fd = socket_.get();
  if (fd < 0) return IoResult::Closed();
  return ReadFromSocket(fd, into, name_);
}

IoResult TcpTransport::Write(absl::Span<const absl::string_view> pieces) {
  const int fd = socket_.get();
  if (fd < 0) return IoResult::Closed();
  return WriteToSocket(fd, pieces, name_);
}

Interest TcpTransport::interest(bool want_write) const {
  const int fd = socket_.get();
  if (fd < 0) {
    return connector_ == nullptr ? Interest() : connector_->interest();
  }
  Interest interest;
  interest.fd = fd;
  interest.read = true;
  interest.write = want_write;
  return interest;
}

void TcpTransport::Close() {
  socket_.Close();
  connector_ = nullptr;
}

TcpTransportFactory::TcpTransportFactory(TcpOptions options,
                                         std::shared_ptr<Resolver> resolver)
    : options_(options), resolver_(std::move(resolver)) {}

absl::StatusOr<std::unique_ptr<Transport>> TcpTransportFactory::Create(
    const Address& address, Poller* poller, Poller::Key) {
  absl::StatusOr<HostPort> host_port = Target(address);
  if (!host_port.ok()) return host_port.status();
  return std::make_unique<TcpTransport>(address, *std::move(host_port),
                                        options_, resolver_, poller->clock());
}

absl::Status TcpTransportFactory::Check(const Address& address) {
  return Target(address).status();
}

absl::StatusOr<std::unique_ptr<Listener>> TcpTransportFactory::Listen(
    const Address& address, Poller*, Poller::Key) {
  return TcpListener::Create(address, options_);
}

}  // namespace gearman
