// TlsTerminator: TLS in front of a server that has none: socat, which has a
// process for each connection and passes its bytes on to a port of the
// loopback. Ended with the object or the test program. Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_TLS_TERMINATOR_H_
#define GEARMAN_TESTS_SUPPORT_TLS_TERMINATOR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_certificates.h"

namespace gearman {
namespace support {

class TlsTerminator {
 public:
  // Returns when it serves. Clients must show a certificate of
  // `client_ca_file`; empty: need none. A failure is a failure of the running
  // test; ok() is false then.
  TlsTerminator(uint16_t target_port, const CertificateFiles& files,
                const std::string& client_ca_file = "");
  TlsTerminator(const TlsTerminator&) = delete;
  TlsTerminator& operator=(const TlsTerminator&) = delete;

  bool ok() const { return process_ != nullptr && process_->running(); }
  uint16_t port() const { return port_.port(); }
  std::string address() const;  // "tls://127.0.0.1:PORT"

  // Kills it and all its connections; the port is kept for it. Then Start
  // starts it again, and returns when it serves.
  void Kill();
  void Start();

 private:
  const uint16_t target_port_;
  const CertificateFiles files_;
  const std::string client_ca_file_;
  const ReservedPort port_;
  std::unique_ptr<Subprocess> process_;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_TLS_TERMINATOR_H_
