// FoundNoRoom tells whether a client had room for a request.
#ifndef GEARMAN_TOOLS_GEARCTL_NO_ROOM_H_
#define GEARMAN_TOOLS_GEARCTL_NO_ROOM_H_

#include "absl/status/status.h"
#include "gearman/sdk/client.h"

namespace gearman {
namespace gearctl {

// True if a request with CallOptions::when_full kDrop was not submitted,
// because its client is at a limit. It may be submitted again. (A server's
// refusal has the same code, but comes after an attempt.) Any thread.
inline bool FoundNoRoom(const JobRequest& request) {
  return request.finished() && request.connection_attempts() == 0 &&
         absl::IsResourceExhausted(request.status());
}

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_NO_ROOM_H_
