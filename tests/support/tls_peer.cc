#include "gearman/tests/support/tls_peer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

SSL_CTX* MakeContext(const TlsPeerOptions& options) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(
                context, options.files.certificate.c_str()),
            1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context, options.files.key.c_str(),
                                        SSL_FILETYPE_PEM),
            1);
  if (!options.client_ca_file.empty()) {
    EXPECT_EQ(SSL_CTX_load_verify_file(context, options.client_ca_file.c_str()),
              1);
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  // At the default level old versions of the protocol are refused for the
  // strength of their hashes.
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.min_version);
  SSL_CTX_set_max_proto_version(context, options.max_version);
  return context;
}

void MakeBlocking(int socket) {
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  const timeval bound = absl::ToTimeval(kBound);
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
}

}  // namespace

TlsPeer::TlsPeer(const TlsPeerOptions& options, Script script, int connections)
    : context_(MakeContext(options)),
      thread_([this, script = std::move(script), connections] {
        Serve(script, connections);
      }) {}

TlsPeer::~TlsPeer() {
  // Ends the wait for a peer that has not come.
  RawConnection::Connect(port()).status().IgnoreError();
  thread_.join();
  SSL_CTX_free(context_);
}

std::string TlsPeer::address() const {
  return absl::StrCat("tls://127.0.0.1:", port());
}

void TlsPeer::Serve(const Script& script, int connections) {
  // OpenSSL writes without MSG_NOSIGNAL.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (int i = 0; i < connections; ++i) {
    absl::StatusOr<RawConnection> connection = listener_.Accept();
    if (!connection.ok()) return;
    const int socket = connection->Release();
    MakeBlocking(socket);
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket);
    SSL_accept(ssl);
    script(ssl);
    SSL_free(ssl);
    close(socket);
  }
}

void SendAll(SSL* ssl, const std::string& bytes) {
  EXPECT_EQ(SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size())),
            static_cast<int>(bytes.size()));
}

std::string ReceiveSome(SSL* ssl, size_t size) {
  std::string bytes(size, '\0');
  size_t received = 0;
  while (received < size) {
    size_t more = 0;
    if (SSL_read_ex(ssl, &bytes[received], size - received, &more) != 1) break;
    received += more;
  }
  bytes.resize(received);
  return bytes;
}

}  // namespace support
}  // namespace gearman
