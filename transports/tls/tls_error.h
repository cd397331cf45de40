// What OpenSSL says, in words that a person can act on. Stateless but for
// OpenSSL's queue of errors, which each thread has to itself.
#ifndef GEARMAN_TRANSPORTS_TLS_TLS_ERROR_H_
#define GEARMAN_TRANSPORTS_TLS_TLS_ERROR_H_

#include <openssl/ssl.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gearman {

// Takes all errors out of the queue, as one text; never empty.
std::string TakeOpensslErrors();

// For SSL_CTX_set_verify: keeps the first thing that is wrong with the peer's
// certificate, in words, for TlsFailure.
int NoteVerification(int ok, X509_STORE_CTX* store);
// For SSL_CTX_set_cert_cb of a client: keeps that the server has asked for a
// certificate, for TlsHungUp.
int NoteCertificateRequest(SSL* ssl, void* unused);
// The server has asked for a certificate, and there was none to show. (With
// TLS 1.3 what it thinks of that is known at the first read only.)
bool LacksClientCertificate(const SSL* ssl);

// How far a connection had come when it failed.
enum class TlsPhase : unsigned char {
  kGreeting,     // nothing has come from the peer
  kHandshake,    // something, but it is not connected
  kFirstAnswer,  // connected, nothing has been read
  kStream,       // something has
};

// The status of an operation that ended with SSL_ERROR_SSL, from the queue of
// errors, which is emptied. `peer` begins the text. UNAUTHENTICATED: the two
// don't trust or understand each other, which won't change by trying again;
// DATA_LOSS: what came is no TLS record; else UNAVAILABLE.
absl::Status TlsFailure(absl::string_view peer, const SSL* ssl, TlsPhase phase);

// The status of a client's connection that ended without TLS's goodbye or an
// alert. `failure` is what the stream below said; OK: it just ended. The text
// tells what that means so early, or so late. UNAUTHENTICATED or UNAVAILABLE.
absl::Status TlsHungUp(absl::string_view peer, const SSL* ssl, TlsPhase phase,
                       const absl::Status& failure);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_ERROR_H_
