// Resolver: names to addresses, without blocking whoever asks.
//
// The default one asks the system (getaddrinfo), which blocks and can't be
// cancelled: each look-up of a name has a short-lived thread of its own, which
// nobody waits for. Numeric hosts need none. Thread-safe.
#ifndef GEARMAN_TRANSPORTS_TCP_RESOLVER_H_
#define GEARMAN_TRANSPORTS_TCP_RESOLVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/transports/tcp/socket_address.h"

namespace gearman {

// One look-up under way. Used by one thread; dropping it abandons the answer.
class Lookup {
 public:
  virtual ~Lookup() = default;
  // Readable once the answer is there. Valid as long as this.
  virtual int fd() const = 0;
  // Whether the answer is there.
  virtual bool done() const = 0;
  // The addresses in the order of preference; not empty. UNAVAILABLE: no
  // answer, with the reason. Call it once, when done.
  virtual absl::StatusOr<std::vector<SocketAddress>> Take() = 0;
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Starts a look-up. RESOURCE_EXHAUSTED: no descriptor or thread left.
  virtual absl::StatusOr<std::unique_ptr<Lookup>> Start(const std::string& host,
                                                        uint16_t port) = 0;

  // The system's.
  static std::shared_ptr<Resolver> System();
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_RESOLVER_H_
