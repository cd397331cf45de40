// Listener: accepts the streams of peers that connect to an address.
//
// Used by the embedded job server. One owner, one thread at a time.
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

  // The next connected stream, null when none waits now. `poller` and `key`
  // are what the stream will be watched with. Errors are transient unless
  // the listener is gone (FAILED_PRECONDITION); RESOURCE_EXHAUSTED: out of
  // descriptors, try again later.
  virtual absl::StatusOr<std::unique_ptr<Transport>> Accept(
      Poller* poller, Poller::Key key) = 0;
  virtual Interest interest() const = 0;
  // The address that clients connect to: port 0 has become the real one.
  virtual Address address() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_LISTENER_H_
