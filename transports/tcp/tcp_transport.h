// TcpTransport: tcp://host:port, with its listener and factory.
#ifndef GEARMAN_TRANSPORTS_TCP_TCP_TRANSPORT_H_
#define GEARMAN_TRANSPORTS_TCP_TCP_TRANSPORT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/process/descriptor.h"
#include "gearman/transports/address.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tcp/resolver.h"
#include "gearman/transports/tcp/tcp_connector.h"
#include "gearman/transports/tcp/tcp_options.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {

class TcpTransport final : public Transport {
 public:
  // Makes a transport that will connect. `clock` must outlive it.
  TcpTransport(const Address& address, HostPort host_port,
               const TcpOptions& options, std::shared_ptr<Resolver> resolver,
               Clock* clock);
  // Makes a transport that is connected: `socket` is a non-blocking stream
  // socket. Describe returns `name`.
  TcpTransport(Descriptor socket, std::string name);
  ~TcpTransport() override;

  IoResult Connect() override;
  IoResult Read(absl::Span<char> into) override;
  IoResult Write(absl::Span<const absl::string_view> pieces) override;
  Interest interest(bool want_write) const override;
  void Close() override;
  std::string Describe() const override { return name_; }

 private:
  std::string name_;
  // Kept until Close, because the poller may still watch its descriptors.
  std::unique_ptr<TcpConnector> connector_;
  Descriptor socket_;
};

// Makes the transports and listeners of tcp://host:port.
class TcpTransportFactory final : public TransportFactory {
 public:
  // The options hold for every connection. `resolver` finds the addresses of
  // names.
  explicit TcpTransportFactory(
      TcpOptions options = {},
      std::shared_ptr<Resolver> resolver = Resolver::System());

  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;
  // Port 0 takes a free port. A host name is resolved at once, which may block.
  // Returns ALREADY_EXISTS if the port is taken, PERMISSION_DENIED if the
  // process must not use it, and UNAVAILABLE if the name can't be resolved or
  // the address is not one of this machine.
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) override;
  // Returns INVALID_ARGUMENT for port 0.
  absl::Status Check(const Address& address) override;

 private:
  const TcpOptions options_;
  const std::shared_ptr<Resolver> resolver_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_TCP_TRANSPORT_H_
