// RawConnection and RawListener: a peer driven by hand, byte by byte, over the
// IPv4 loopback: a client or worker towards a server, or a server that behaves
// as no real one would.
//
// Every call blocks until it is done or its bound is reached, which gives
// DEADLINE_EXCEEDED. Not thread-safe, except that Send and Receive may each be
// called from a thread of its own.
#ifndef GEARMAN_TESTS_SUPPORT_RAW_CONNECTION_H_
#define GEARMAN_TESTS_SUPPORT_RAW_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"

namespace gearman {
namespace support {

class RawConnection {
 public:
  // UNAVAILABLE when nobody listens.
  static absl::StatusOr<RawConnection> Connect(uint16_t port,
                                               absl::Duration bound = kBound);
  // Takes over a connected stream socket.
  explicit RawConnection(int socket) : socket_(socket) {}
  ~RawConnection() { Close(); }
  RawConnection(RawConnection&& other) noexcept;
  RawConnection& operator=(RawConnection&& other) noexcept;

  // UNAVAILABLE when the peer has closed.
  absl::Status Send(absl::string_view bytes, absl::Duration bound = kBound);
  // Exactly `size` bytes. UNAVAILABLE, with what came, when the peer closes
  // before.
  absl::StatusOr<std::string> Receive(size_t size,
                                      absl::Duration bound = kBound);
  // One binary packet, header included.
  absl::StatusOr<std::string> ReceivePacket(absl::Duration bound = kBound);
  // Up to and with the next line feed.
  absl::StatusOr<std::string> ReceiveLine(absl::Duration bound = kBound);
  // All that comes until the peer closes, or resets, the connection.
  absl::StatusOr<std::string> ReceiveUntilClosed(absl::Duration bound = kBound);
  // True when something arrives (or the peer closes) within the bound. To show
  // that nothing comes, prefer an ECHO_REQ: its answer comes after all others.
  bool Readable(absl::Duration bound);

  // No more bytes to the peer; it may still send.
  void ShutdownWrite();
  void Close();
  // Gives the socket away.
  int Release() { return std::exchange(socket_, -1); }
  // Closes so that the peer sees a reset, not an end.
  void Reset();

 private:
  int socket_;
};

class RawListener {
 public:
  // Listens on any free port, or on the given one. A failure is a failure of
  // the running test.
  explicit RawListener(uint16_t port = 0);
  ~RawListener() { Close(); }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  uint16_t port() const { return port_; }
  std::string address() const;  // "tcp://127.0.0.1:PORT"

  // The next connection that a peer makes.
  absl::StatusOr<RawConnection> Accept(absl::Duration bound = kBound);
  // Lets the kernel hold about twice so many bytes at most for each later
  // connection: else what a peer sends and the test does not read may be tens
  // of MiB.
  void LimitReceiveBuffer(int bytes);
  // Connects are refused from now on.
  void Close();

 private:
  int socket_ = -1;
  uint16_t port_ = 0;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_RAW_CONNECTION_H_
