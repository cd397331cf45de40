// The job server behind inproc://default, which clients and workers use when
// they are given no server. It starts when the first of them connects, and
// lives as long as the process; it has no thread and no socket.
//
// Linking //sdk/embedded:default_server is all it takes. A program that listens
// on inproc://default itself gets no other server.
#ifndef GEARMAN_SDK_EMBEDDED_DEFAULT_SERVER_H_
#define GEARMAN_SDK_EMBEDDED_DEFAULT_SERVER_H_

#include "absl/status/status.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Starts it now. OK when it, or another, listens already.
absl::Status StartDefaultServer();

}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_DEFAULT_SERVER_H_
