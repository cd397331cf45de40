// SilenceHint explains why a connection may have ended before its server sent a
// byte. A TLS server ends a connection that begins without TLS in this way,
// mostly without an alert. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_NET_SILENCE_HINT_H_
#define GEARMAN_SDK_INTERNAL_NET_SILENCE_HINT_H_

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// Returns text to append to the message of the end. The text is empty if the
// server has sent bytes, or if `server` (the transport's description) is not
// plain TCP.
inline absl::string_view SilenceHint(absl::string_view server,
                                     uint64_t bytes_received) {
  if (bytes_received > 0 || !absl::StartsWith(server, "tcp://")) return "";
  return " (it has sent no byte; if it speaks TLS, its address begins with "
         "tls://)";
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_SILENCE_HINT_H_
