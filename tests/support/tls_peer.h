// TlsPeer: a TLS server driven by hand, with OpenSSL alone: old versions of the
// protocol, cut streams, and whatever else no server of ours would do.
//
// Its one thread takes one connection after the other. Not thread-safe beyond
// that.
#ifndef GEARMAN_TESTS_SUPPORT_TLS_PEER_H_
#define GEARMAN_TESTS_SUPPORT_TLS_PEER_H_

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread

#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/test_certificates.h"

namespace gearman {
namespace support {

struct TlsPeerOptions {
  CertificateFiles files;
  // Clients must show a certificate of this CA; empty: need none.
  std::string client_ca_file;
  // A version like OpenSSL's TLS1_2_VERSION; 0: OpenSSL's lowest or highest.
  int min_version = 0;
  int max_version = 0;
};

class TlsPeer {
 public:
  // Handles a connection. It may block, for at most kBound in each operation.
  // The handshake has succeeded or failed (SSL_is_init_finished). When it
  // returns, the socket is closed without a TLS goodbye.
  using Script = std::function<void(SSL* ssl)>;

  // Serves `connections` connections by `script`. A failure to listen is a
  // failure of the running test.
  TlsPeer(const TlsPeerOptions& options, Script script, int connections = 1);
  // Waits for the script's end, without connections that are still to come.
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  uint16_t port() const { return listener_.port(); }
  std::string address() const;  // "tls://127.0.0.1:PORT"

 private:
  void Serve(const Script& script, int connections);

  RawListener listener_;
  SSL_CTX* const context_;
  std::thread thread_;
};

// Sends all of `bytes`; a failure is a failure of the running test.
void SendAll(SSL* ssl, const std::string& bytes);
// Reads up to `size` bytes, fewer at the end of the stream.
std::string ReceiveSome(SSL* ssl, size_t size);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_TLS_PEER_H_
