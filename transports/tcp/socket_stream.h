// Reads from and writes to a connected, non-blocking stream socket, and sets
// the options of TCP sockets. Transports on sockets use them.
#ifndef GEARMAN_TRANSPORTS_TCP_SOCKET_STREAM_H_
#define GEARMAN_TRANSPORTS_TCP_SOCKET_STREAM_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/tcp/tcp_options.h"
#include "gearman/transports/transport.h"

namespace gearman {

// Both functions work like Transport::Read and Transport::Write. `peer` begins
// the text of an error.
IoResult ReadFromSocket(int fd, absl::Span<char> into, absl::string_view peer);
IoResult WriteToSocket(int fd, absl::Span<const absl::string_view> pieces,
                       absl::string_view peer);

// Sets the options of a socket. Ignores an option that the system refuses.
void ApplyTcpOptions(int fd, const TcpOptions& options);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_SOCKET_STREAM_H_
