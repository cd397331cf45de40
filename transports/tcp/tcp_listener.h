// TcpListener: accepts TCP connections.
#ifndef GEARMAN_TRANSPORTS_TCP_TCP_LISTENER_H_
#define GEARMAN_TRANSPORTS_TCP_TCP_LISTENER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "gearman/process/descriptor.h"
#include "gearman/transports/address.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/tcp/tcp_options.h"

namespace gearman {

class TcpListener final : public Listener {
 public:
  // Listens on `address` (TcpTransportFactory::Listen has the errors).
  static absl::StatusOr<std::unique_ptr<Listener>> Create(
      const Address& address, const TcpOptions& options);
  ~TcpListener() override;

  absl::StatusOr<std::unique_ptr<Transport>> Accept(Poller* poller,
                                                    Poller::Key key) override;
  Interest interest() const override;
  Address address() const override { return address_; }

 private:
  TcpListener(Descriptor socket, Address address, const TcpOptions& options);

  // Opens the spare descriptor again, if the process may have one more.
  void OpenSpare();
  // Runs when no descriptors are left: accepts waiting connections with the
  // spare one and closes them, so that clients learn at once that they must try
  // another server.
  void RefuseWaiting();

  const Descriptor socket_;
  Descriptor spare_;
  const Address address_;
  const TcpOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_TCP_LISTENER_H_
