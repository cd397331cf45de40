// TransportFactory: makes the transports of one address scheme.
//
// Factories are found by scheme in a TransportRegistry; a user's own scheme
// works like ours. Thread-safe and immutable after registration.
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

  // A transport to `address`, not yet connecting: Connect starts. It will be
  // watched on `poller` under `key`; the poller must outlive it.
  // INVALID_ARGUMENT: the address makes no sense for this scheme.
  virtual absl::StatusOr<std::unique_ptr<Transport>> Create(
      const Address& address, Poller* poller, Poller::Key key) = 0;

  // Listens on `address`, watched on `poller` under `key`. UNIMPLEMENTED by
  // default: a scheme may be for clients only.
  virtual absl::StatusOr<std::unique_ptr<Listener>> Listen(
      const Address& address, Poller* poller, Poller::Key key);

  // What can be known about `address` before a connection to it is made:
  // clients and workers ask when they are created, and when a server is added.
  // It may read files; it connects to nothing. INVALID_ARGUMENT: no connection
  // to it could ever be made as things are. OK by default.
  virtual absl::Status Check(const Address& address);

  // The library that encrypts these transports, with its version ("OpenSSL
  // 3.0.15"); empty: they are not encrypted.
  virtual std::string tls_library() const { return std::string(); }
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TRANSPORT_FACTORY_H_
