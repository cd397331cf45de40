// ReservedPort: a TCP port of the IPv4 loopback that nobody else gets as long
// as the object lives, though a server may listen on it, stop and listen again.
//
// The port is bound but not listened on, with SO_REUSEADDR: a server that sets
// the option too (gearmand and this SDK do) can listen on it, while the kernel
// gives it to nobody who asks for any free port. Without a server, a connect is
// refused. So tests can run side by side without a sandbox. Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_FREE_PORT_H_
#define GEARMAN_TESTS_SUPPORT_FREE_PORT_H_

#include <cstdint>

namespace gearman {
namespace support {

class ReservedPort {
 public:
  // A failure is a failure of the running test; port() is 0 then.
  ReservedPort();
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  uint16_t port() const { return port_; }

 private:
  int socket_ = -1;
  uint16_t port_ = 0;
};

// A port that is free now, and no longer reserved: for an address at which
// nobody is to be found. For a server use ReservedPort.
uint16_t FreePort();

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_FREE_PORT_H_
