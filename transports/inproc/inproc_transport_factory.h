// InprocTransportFactory: inproc://name.
#ifndef GEARMAN_TRANSPORTS_INPROC_INPROC_TRANSPORT_FACTORY_H_
#define GEARMAN_TRANSPORTS_INPROC_INPROC_TRANSPORT_FACTORY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {

class InprocTransportFactory final : public TransportFactory {
 public:
  // Makes the transports of `network`, whose ownership it shares.
  explicit InprocTransportFactory(
      std::shared_ptr<InprocNetwork> network = InprocNetwork::Default());

  // Transport::Connect looks up the name, so NOT_FOUND comes from there.
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;
  // Like InprocNetwork::Listen, for a listener that polls by itself.
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) override;

 private:
  const std::shared_ptr<InprocNetwork> network_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_INPROC_TRANSPORT_FACTORY_H_
