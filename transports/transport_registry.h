// TransportRegistry: address schemes and the factories that make their
// transports. A user's own scheme is registered like ours.
//
// Thread-safe. Factories live as long as the registry or what they made.
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
  TransportRegistry() = default;
  TransportRegistry(const TransportRegistry&) = delete;
  TransportRegistry& operator=(const TransportRegistry&) = delete;
  virtual ~TransportRegistry() = default;

  // Adds the factory of `scheme` ("tcp", in lower case). ALREADY_EXISTS: the
  // scheme has one. INVALID_ARGUMENT: an empty scheme or a null factory.
  virtual absl::Status Register(absl::string_view scheme,
                                std::shared_ptr<TransportFactory> factory);
  // The factory of `scheme`. NOT_FOUND lists the schemes that there are.
  virtual absl::StatusOr<std::shared_ptr<TransportFactory>> Find(
      absl::string_view scheme) const;
  // Registered schemes, sorted.
  virtual std::vector<std::string> schemes() const;

  // The TLS library of the first scheme that has one, or "none".
  std::string tls_library() const;

  // Find and TransportFactory::Create, or Listen, in one.
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) const;
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) const;

  // The process's registry: what is linked into the program registers here
  // (//sdk:builtins does).
  static const std::shared_ptr<TransportRegistry>& Default();

 private:
  mutable ProcessMutex mutex_;
  std::map<std::string, std::shared_ptr<TransportFactory>> factories_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TRANSPORT_REGISTRY_H_
