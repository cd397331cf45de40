// TransportFactory: makes the transports of one address scheme. A
// TransportRegistry finds factories by scheme; a user's own scheme works like
// the built-in ones. A factory is thread-safe, and immutable after
// registration.
#ifndef GEARMAN_TRANSPORTS_TRANSPORT_FACTORY_H_
#define GEARMAN_TRANSPORTS_TRANSPORT_FACTORY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/transports/address.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {

class TransportFactory {
 public:
  virtual ~TransportFactory() = default;

  // Makes a transport to `address`. It starts connecting in Transport::Connect.
  // It will be watched on `poller`, which must outlive it, under `key`. Returns
  // INVALID_ARGUMENT if the address makes no sense for this scheme.
  virtual absl::StatusOr<std::unique_ptr<Transport>> Create(
      const Address& address, Poller* poller, Poller::Key key) = 0;

  // Listens on `address`. The listener will be watched on `poller` under `key`.
  // The default returns UNIMPLEMENTED, because a scheme may be for clients
  // only.
  virtual absl::StatusOr<std::unique_ptr<Listener>> Listen(
      const Address& address, Poller* poller, Poller::Key key);

  // Checks `address` before any connection is made. Clients and workers call it
  // when they are created and when a server is added. It may read files but
  // makes no connection. Returns INVALID_ARGUMENT if, as things are, no
  // connection to the address could be made. The default returns OK.
  virtual absl::Status Check(const Address& address);

  // The name and version of the library that encrypts these transports
  // ("OpenSSL 3.0.15"). It is empty if they are not encrypted.
  virtual std::string tls_library() const { return std::string(); }
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TRANSPORT_FACTORY_H_
