// PerlServer: a Gearman::Server of a test's own (Debian's package
// gearman-server), on a free port of the loopback, ended with the object.
//
// Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_PERL_SERVER_H_
#define GEARMAN_TESTS_SUPPORT_PERL_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/subprocess.h"

namespace gearman {
namespace support {

class PerlServer {
 public:
  // Returns when it serves. A failure is a failure of the running test.
  PerlServer();
  PerlServer(const PerlServer&) = delete;
  PerlServer& operator=(const PerlServer&) = delete;

  uint16_t port() const { return port_.port(); }
  std::string address() const;  // "tcp://127.0.0.1:PORT"

 private:
  ReservedPort port_;
  std::unique_ptr<Subprocess> process_;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_PERL_SERVER_H_
