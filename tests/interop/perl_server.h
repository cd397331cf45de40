// PerlServer: Perl's Gearman::Server (Debian's gearman-server) of a test's own,
// on a free port of the loopback, ended with the object. Not thread-safe.
#ifndef GEARMAN_TESTS_INTEROP_PERL_SERVER_H_
#define GEARMAN_TESTS_INTEROP_PERL_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/subprocess.h"

namespace gearman {

class PerlServer {
 public:
  // Starts it, and returns when it accepts connections. A failure is a failure
  // of the running test.
  PerlServer();

  uint16_t port() const { return reserved_.port(); }
  std::string address() const;  // "tcp://127.0.0.1:PORT"

 private:
  support::ReservedPort reserved_;
  std::unique_ptr<support::Subprocess> process_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_INTEROP_PERL_SERVER_H_
