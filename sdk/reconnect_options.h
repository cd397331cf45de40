// ReconnectOptions: how long a client or worker waits before it tries a server
// again. A plain value.
#ifndef GEARMAN_SDK_RECONNECT_OPTIONS_H_
#define GEARMAN_SDK_RECONNECT_OPTIONS_H_

#include "absl/time/time.h"

namespace gearman {

// Delays between attempts to connect to one server.
struct ReconnectOptions {
  // Before the first attempt after a connection was lost: soon, as a server
  // that was restarted is back within milliseconds.
  absl::Duration first_delay = absl::Milliseconds(100);
  // Before the second, and what the later ones are multiplied by.
  absl::Duration initial_delay = absl::Seconds(1);
  double multiplier = 1.6;
  absl::Duration max_delay = absl::Seconds(120);
  // Each delay is spread by up to this part of it, up and down, so that a
  // thousand workers don't come back in one moment.
  double jitter = 0.2;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_RECONNECT_OPTIONS_H_
