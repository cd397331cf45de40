// The job server behind inproc://default, which clients and workers use when
// they are given no server. It starts when the first of them connects, and
// lives as long as the process. It has no thread and no socket.
//
// A program that links //sdk/embedded:default_server has this server. If the
// program itself listens on inproc://default, this server does not start.
#ifndef GEARMAN_SDK_EMBEDDED_DEFAULT_SERVER_H_
#define GEARMAN_SDK_EMBEDDED_DEFAULT_SERVER_H_

#include "absl/status/status.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Starts the server now. It also returns OK if this or another server listens
// there already. Otherwise it returns the error of JobServer::Listen. Any
// thread may call it.
absl::Status StartDefaultServer();

}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_DEFAULT_SERVER_H_
