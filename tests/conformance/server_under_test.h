// The servers that the conformance suite runs against, and where they differ.
//
// A further variant is one more entry in Variants().
#ifndef GEARMAN_TESTS_CONFORMANCE_SERVER_UNDER_TEST_H_
#define GEARMAN_TESTS_CONFORMANCE_SERVER_UNDER_TEST_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/tests/conformance/peer.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {
namespace conformance {

// The options of gearmand with these names. Handles are "H:test:1" and so on.
struct ServerOptions {
  std::string job_handle_prefix = "H:test";
  uint32_t job_retries = 0;
  uint32_t worker_wakeup = 0;
  bool round_robin = false;
  bool exceptions = false;
};

class ServerUnderTest {
 public:
  virtual ~ServerUnderTest() = default;

  // A new connection.
  std::unique_ptr<Peer> Connect() {
    return std::make_unique<Peer>([this](Poller* poller, Poller::Key key) {
      return MakeTransport(poller, key);
    });
  }
  // A transport to the server that is not connected yet.
  virtual absl::StatusOr<std::unique_ptr<Transport>> MakeTransport(
      Poller* poller, Poller::Key key) = 0;
  // The TCP port of the IPv4 loopback that it listens on; 0: none.
  virtual uint16_t port() const = 0;
  // GearmandProcess::major_version(); 0: it is no gearmand.
  virtual int gearmand_version() const { return 0; }
};

struct Variant {
  std::string name;
  // Whether the server is a real gearmand, with the oddities of its version.
  bool is_gearmand;
  // Bytes come in tiny pieces: megabytes would take long.
  bool in_pieces;
  // Starts a server. A failure is a failure of the running test.
  std::function<std::unique_ptr<ServerUnderTest>(const ServerOptions&)> start;

  friend std::ostream& operator<<(std::ostream& out, const Variant& variant) {
    return out << variant.name;
  }
};

std::vector<Variant> Variants();

}  // namespace conformance
}  // namespace gearman

#endif  // GEARMAN_TESTS_CONFORMANCE_SERVER_UNDER_TEST_H_
