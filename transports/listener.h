// Listener: accepts the streams of peers that connect to an address, for the
// embedded job server. It has one owner, which calls it from one thread at a
// time.
#ifndef GEARMAN_TRANSPORTS_LISTENER_H_
#define GEARMAN_TRANSPORTS_LISTENER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {

class Listener {
 public:
  // Stops listening.
  virtual ~Listener() = default;

  // Returns the next connected stream, or null if none waits. The stream will
  // be watched with `poller` under `key`. FAILED_PRECONDITION means that the
  // listener is gone. Every other error is transient: call Accept again later.
  // RESOURCE_EXHAUSTED means that descriptors or memory have run out.
  virtual absl::StatusOr<std::unique_ptr<Transport>> Accept(
      Poller* poller, Poller::Key key) = 0;
  // Returns the events to wait for before the next Accept.
  virtual Interest interest() const = 0;
  // The address that clients connect to: the real port stands in place of port
  // 0.
  virtual Address address() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_LISTENER_H_
