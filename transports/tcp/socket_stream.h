// SocketStream: reading from and writing to a connected, non-blocking stream
// socket, and the settings of TCP ones. For transports on sockets.
#ifndef GEARMAN_TRANSPORTS_TCP_SOCKET_STREAM_H_
#define GEARMAN_TRANSPORTS_TCP_SOCKET_STREAM_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/tcp/tcp_options.h"
#include "gearman/transports/transport.h"

namespace gearman {

// As Transport::Read and Write. `peer` begins the error's text.
IoResult ReadFromSocket(int fd, absl::Span<char> into, absl::string_view peer);
IoResult WriteToSocket(int fd, absl::Span<const absl::string_view> pieces,
                       absl::string_view peer);

// Applies `options`; what the system refuses is done without.
void ApplyTcpOptions(int fd, const TcpOptions& options);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_SOCKET_STREAM_H_
