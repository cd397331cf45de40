#include "gearman/transports/tcp/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace {

// The most pieces for one call. The caller passes the rest again.
constexpr size_t kMaxPieces = 64;

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

absl::Status Failure(absl::string_view peer, absl::string_view what,
                     int error) {
  return absl::UnavailableError(
      absl::StrCat(peer, ": ", what, ": ", std::strerror(error)));
}

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));
}

// The most that Linux accepts. With a larger value the system's own setting
// stays.
constexpr int64_t kMaxKeepaliveSeconds = 32767;
constexpr int kMaxKeepaliveProbes = 127;

int WholeSeconds(absl::Duration duration) {
  return static_cast<int>(
      std::min(std::max<int64_t>(1, absl::ToInt64Seconds(duration)),
               kMaxKeepaliveSeconds));
}

}  // namespace

IoResult ReadFromSocket(int fd, absl::Span<char> into, absl::string_view peer) {
  for (;;) {
    const ssize_t bytes = recv(fd, into.data(), into.size(), 0);
    if (bytes > 0) return IoResult::Done(static_cast<size_t>(bytes));
    if (bytes == 0) return IoResult::Closed();
    if (errno == EINTR) continue;
    if (WouldBlock(errno)) return IoResult::WouldBlock();
    return IoResult::Failed(Failure(peer, "reading failed", errno));
  }
}

IoResult WriteToSocket(int fd, absl::Span<const absl::string_view> pieces,
                       absl::string_view peer) {
  iovec vectors[kMaxPieces];
  const size_t count = std::min(pieces.size(), kMaxPieces);
  for (size_t i = 0; i < count; ++i) {
    vectors[i].iov_base = const_cast<char*>(pieces[i].data());
    vectors[i].iov_len = pieces[i].size();
  }
  msghdr message = {};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t bytes = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (bytes >= 0) return IoResult::Done(static_cast<size_t>(bytes));
    if (errno == EINTR) continue;
    if (WouldBlock(errno)) return IoResult::WouldBlock();
    return IoResult::Failed(Failure(peer, "writing failed", errno));
  }
}

void ApplyTcpOptions(int fd, const TcpOptions& options) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, options.no_delay ? 1 : 0);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, options.keepalive ? 1 : 0);
  if (!options.keepalive) return;
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE,
            WholeSeconds(options.keepalive_idle));
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL,
            WholeSeconds(options.keepalive_interval));
  SetOption(
      fd, IPPROTO_TCP, TCP_KEEPCNT,
      std::min(std::max(1, options.keepalive_probes), kMaxKeepaliveProbes));
}

}  // namespace gearman
