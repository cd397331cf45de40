// The two servers that a flood is sent to, each in a process of its own.
#ifndef GEARMAN_BENCHMARKS_FLOOD_SERVERS_H_
#define GEARMAN_BENCHMARKS_FLOOD_SERVERS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "gearman/benchmarks/compare/children.h"
#include "gearman/tests/support/test_certificates.h"

namespace gearman {
namespace benchmarks {

enum class ServerKind : unsigned char { kEmbedded, kGearmand };

// A running server, which ends with this object.
class FloodedServer {
 public:
  // kEmbedded: runs this program again, with --role=server.
  explicit FloodedServer(ServerKind kind);

  uint16_t port() const { return port_; }
  // 0: the server speaks no TLS.
  uint16_t tls_port() const { return tls_port_; }
  pid_t pid() const;

 private:
  // This process holds the files: the server is killed, and would leave them
  // behind.
  std::unique_ptr<support::TestCertificates> certificates_;
  std::unique_ptr<Gearmand> gearmand_;
  std::unique_ptr<Child> embedded_;
  uint16_t port_ = 0;
  uint16_t tls_port_ = 0;
};

// Runs the embedded server's process with this certificate for TLS: prints its
// two ports and serves until it is killed.
[[noreturn]] void RunServer(const support::CertificateFiles& files);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_SERVERS_H_
