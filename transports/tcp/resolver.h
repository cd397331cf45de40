// Resolver: finds the addresses of a name without blocking the caller.
//
// The default resolver asks the system (getaddrinfo), which blocks and can't be
// cancelled. Therefore each lookup of a name runs on a short-lived thread,
// which no other thread waits for. Numeric hosts need no lookup. A resolver is
// thread-safe.
#ifndef GEARMAN_TRANSPORTS_TCP_RESOLVER_H_
#define GEARMAN_TRANSPORTS_TCP_RESOLVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/transports/tcp/socket_address.h"

namespace gearman {

// One lookup under way, used by one thread. Destroying it abandons the answer.
class Lookup {
 public:
  virtual ~Lookup() = default;
  // Returns a descriptor that is readable when the answer is there. It lives as
  // long as this object.
  virtual int fd() const = 0;
  // Whether the answer is there.
  virtual bool done() const = 0;
  // Returns the addresses in order of preference, at least one; or UNAVAILABLE
  // or, for want of memory, RESOURCE_EXHAUSTED, with the reason. Call it once,
  // when done() is true.
  virtual absl::StatusOr<std::vector<SocketAddress>> Take() = 0;
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Starts a lookup. Returns RESOURCE_EXHAUSTED if no descriptor or thread is
  // left.
  virtual absl::StatusOr<std::unique_ptr<Lookup>> Start(const std::string& host,
                                                        uint16_t port) = 0;

  // Returns the system's resolver.
  static std::shared_ptr<Resolver> System();
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_RESOLVER_H_
