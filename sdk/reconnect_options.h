// ReconnectOptions: how a client or worker treats a server that fails, and how
// long it uses one connection. It is a plain value. Create of a client or worker
// refuses times that are not above zero, a multiplier or failures_to_open below
// 1, and a jitter that is not from 0 to 1.
#ifndef GEARMAN_SDK_RECONNECT_OPTIONS_H_
#define GEARMAN_SDK_RECONNECT_OPTIONS_H_

#include "absl/time/time.h"
#include "gearman/base/cpp17.h"
#include "gearman/base/duration.h"

namespace gearman {

struct ReconnectOptions {
  // After a connection was lost or could not be made, the next attempt comes at
  // a random moment within this time, so that a thousand workers don't all
  // return at once when their server restarts.
  Duration first_delay = absl::Seconds(2);
  // The delay before the attempt after that. Each later delay is the one before
  // times `multiplier`, up to `max_delay`.
  Duration initial_delay = absl::Seconds(1);
  double multiplier = 1.6;
  Duration max_delay = absl::Seconds(120);
  // Each delay but the first varies at random by up to this share, up and down.
  double jitter = 0.2;
  // The circuit breaker of a client opens after this number of failures of a
  // server without an answer between them. While it is open, the server gets no
  // request unless no other server can be used. After each delay one request
  // tries the server; an answer closes the breaker. (A worker has no breaker:
  // it waits for the delays.)
  int failures_to_open = 1;
  // A connection that is older than this, or up to a tenth younger by chance,
  // is replaced by a new one. The server's name is resolved again for the new
  // one. The requests in flight on the old one are finished there. Infinite
  // means never.
  Duration connection_lifetime = absl::Minutes(30);
};

}  // namespace gearman

#endif  // GEARMAN_SDK_RECONNECT_OPTIONS_H_
