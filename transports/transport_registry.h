// TransportRegistry: the address schemes, and the factories of their
// transports. A user's own scheme is registered like the built-in ones.
//
// A registry is thread-safe. A factory lives as long as the registry and as
// long as the objects that hold it.
#ifndef GEARMAN_TRANSPORTS_TRANSPORT_REGISTRY_H_
#define GEARMAN_TRANSPORTS_TRANSPORT_REGISTRY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/process/per_process.h"
#include "gearman/transports/address.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {

class TransportRegistry {
 public:
  // Makes a registry without schemes.
  TransportRegistry() = default;
  TransportRegistry(const TransportRegistry&) = delete;
  TransportRegistry& operator=(const TransportRegistry&) = delete;
  virtual ~TransportRegistry() = default;

  // Adds the factory of `scheme` ("tcp", in lower case). Returns ALREADY_EXISTS
  // if the scheme has a factory, and INVALID_ARGUMENT for an empty scheme or a
  // null factory.
  virtual absl::Status Register(absl::string_view scheme,
                                std::shared_ptr<TransportFactory> factory);
  // Returns the factory of `scheme`. NOT_FOUND lists the registered schemes.
  virtual absl::StatusOr<std::shared_ptr<TransportFactory>> Find(
      absl::string_view scheme) const;
  // Returns the registered schemes, sorted.
  virtual std::vector<std::string> schemes() const;

  // Returns the TLS library of the first scheme that has one, or "none".
  std::string tls_library() const;

  // Create and Listen combine Find with TransportFactory::Create and
  // TransportFactory::Listen.
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) const;
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) const;

  // Returns the registry of the process. The transports that are linked into
  // the program register here (//sdk:builtins does that).
  static const std::shared_ptr<TransportRegistry>& Default();

 private:
  mutable ProcessMutex mutex_;
  std::map<std::string, std::shared_ptr<TransportFactory>> factories_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TRANSPORT_REGISTRY_H_
