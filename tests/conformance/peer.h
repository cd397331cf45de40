// Peer: a client or worker driven packet by packet, towards any server.
//
// Packets are taken apart here byte by byte, apart from the SDK's codec, so
// that a test sees what really is on the wire. Every call blocks until it is
// done or support::kBound is reached, which fails the running test.
//
// That nothing arrives is shown by Drain: ECHO_REQ is answered after everything
// else that the server had for the connection. What another connection causes
// is surely there only once that one has been drained, too.
//
// Not thread-safe.
#ifndef GEARMAN_TESTS_CONFORMANCE_PEER_H_
#define GEARMAN_TESTS_CONFORMANCE_PEER_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/transport.h"

namespace gearman {
namespace conformance {

// Arguments, the data last.
using Arguments = std::vector<std::string>;

// A packet of a server.
struct Packet {
  Packet() = default;
  Packet(wire::Command packet_command,
         Arguments packet_arguments = {})  // NOLINT
      : command(packet_command), arguments(std::move(packet_arguments)) {}

  // kUnused5: none came.
  wire::Command command = wire::Command::kUnused5;
  Arguments arguments;

  friend bool operator==(const Packet& a, const Packet& b) {
    return a.command == b.command && a.arguments == b.arguments;
  }
  friend std::ostream& operator<<(std::ostream& out, const Packet& packet);
};

// An ERROR by its code alone, for EXPECT_THAT(packet, IsError("QUEUE_ERROR")).
bool HasErrorCode(const Packet& packet, absl::string_view code);

class Peer {
 public:
  // Makes a transport that is watched on the poller under the key.
  using MakeTransport =
      std::function<absl::StatusOr<std::unique_ptr<Transport>>(
          Poller* poller, Poller::Key key)>;

  // Connects.
  explicit Peer(const MakeTransport& make_transport);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Sends a request packet, or several in one write, or any bytes.
  void Send(wire::Command command, const Arguments& arguments = {});
  void SendAll(const std::vector<Packet>& packets);
  void SendBytes(absl::string_view bytes);

  // The next packet.
  Packet Receive();
  // Sends and receives.
  Packet Call(wire::Command command, const Arguments& arguments = {});
  // Returns the packets that have arrived when the server has answered
  // everything that was sent so far.
  std::vector<Packet> Drain();

  // Sends a line of the text protocol (its end included) and returns the reply:
  // one line with its end, or a list with all its lines.
  std::string Ask(absl::string_view line);
  std::string AskList(absl::string_view line);
  // The next line, its end included.
  std::string ReceiveLine();

  // Something has arrived within `wait`, or the stream has ended.
  bool Readable(absl::Duration wait);
  // Waits until the server has closed the stream. False: something else came.
  bool ClosedByServer();
  // Closes the stream.
  void Close();

 private:
  // Reads until `input_` has so many bytes. False, and a failed test: it ends
  // or the bound is reached before.
  bool Need(size_t bytes);
  // Reads once, waiting until `deadline` at most. False: nothing came.
  bool ReadSome(absl::Time deadline);

  std::unique_ptr<EpollPoller> poller_;
  std::unique_ptr<Transport> transport_;
  std::string input_;
  bool ended_ = false;
  int barriers_ = 0;
};

// The bytes of request packets.
std::string Request(wire::Command command, const Arguments& arguments = {});

}  // namespace conformance
}  // namespace gearman

#endif  // GEARMAN_TESTS_CONFORMANCE_PEER_H_
