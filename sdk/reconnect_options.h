// ReconnectOptions: how a client or worker treats a server that fails, and how
// long it relies on one connection. A plain value.
#ifndef GEARMAN_SDK_RECONNECT_OPTIONS_H_
#define GEARMAN_SDK_RECONNECT_OPTIONS_H_

#include "absl/time/time.h"

namespace gearman {

struct ReconnectOptions {
  // The first attempt after a connection was lost comes at a random moment
  // within this time: when a server restarts, its thousand workers don't come
  // back in one moment.
  absl::Duration first_delay = absl::Seconds(2);
  // Before the second attempt, and what the later delays are multiplied by.
  absl::Duration initial_delay = absl::Seconds(1);
  double multiplier = 1.6;
  absl::Duration max_delay = absl::Seconds(120);
  // Each of these delays is spread by up to this part of it, up and down.
  double jitter = 0.2;
  // A client's circuit breaker: so many failures of a server without an answer
  // between them open it. While it is open the server gets no request, as long
  // as another one is left; after each delay one request tries it, alone, and
  // an answer closes it. (A worker waits for the delays.)
  int failures_to_open = 1;
  // A connection that is older is replaced by a new one, for which the
  // server's name is resolved again; what is in flight on the old one is
  // finished there. Up to a tenth earlier, by chance. Infinite: never.
  absl::Duration connection_lifetime = absl::Minutes(30);
};

}  // namespace gearman

#endif  // GEARMAN_SDK_RECONNECT_OPTIONS_H_
