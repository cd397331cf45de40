// SilenceHint: what a connection that ended before its server sent a byte may
// mean. Servers of TLS end one that begins without TLS so, most of them without
// an alert. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_SILENCE_HINT_H_
#define GEARMAN_SDK_INTERNAL_SILENCE_HINT_H_

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// To be put behind the message of the end. Empty: `server`, as its transport
// describes it, is not plain TCP, or it has sent bytes.
inline absl::string_view SilenceHint(absl::string_view server,
                                     uint64_t bytes_received) {
  if (bytes_received > 0 || !absl::StartsWith(server, "tcp://")) return "";
  return " (it has sent no byte; if it speaks TLS, its address begins with "
         "tls://)";
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_SILENCE_HINT_H_
