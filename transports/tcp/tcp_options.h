// TcpOptions: settings of TCP sockets. It is a plain value.
#ifndef GEARMAN_TRANSPORTS_TCP_TCP_OPTIONS_H_
#define GEARMAN_TRANSPORTS_TCP_TCP_OPTIONS_H_

#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

struct TcpOptions {
  // Sends small packets at once (TCP_NODELAY). The SDK gathers packets itself.
  bool no_delay = true;
  // Asks a silent peer whether it lives (SO_KEEPALIVE): after `keepalive_idle`
  // of silence, then every `keepalive_interval`, until `keepalive_probes`
  // questions had no answer. Times are whole seconds from 1 to 32767, and there
  // are 1 to 127 probes: a value outside is replaced by the nearest.
  bool keepalive = true;
  absl::Duration keepalive_idle = absl::Seconds(60);
  absl::Duration keepalive_interval = absl::Seconds(10);
  int keepalive_probes = 6;
  // The next address of a name is tried when the one before has not answered
  // within this time (RFC 8305, "Connection Attempt Delay").
  absl::Duration attempt_delay = absl::Milliseconds(250);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_TCP_OPTIONS_H_
