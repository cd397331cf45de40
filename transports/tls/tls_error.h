// Translates OpenSSL's errors into text that tells a person what to do.
// Stateless, except for OpenSSL's queue of errors, of which each thread has its
// own.
#ifndef GEARMAN_TRANSPORTS_TLS_TLS_ERROR_H_
#define GEARMAN_TRANSPORTS_TLS_TLS_ERROR_H_

#include <openssl/ssl.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Removes all errors from the queue and returns them as one text, which is
// never empty.
std::string TakeOpensslErrors();

// For SSL_CTX_set_verify: keeps a text about the first fault of the peer's
// certificate for TlsFailure.
int NoteVerification(int ok, X509_STORE_CTX* store);
// For SSL_CTX_set_cert_cb of a client: notes that the server has asked for a
// certificate, for TlsHungUp.
int NoteCertificateRequest(SSL* ssl, void* unused);
// Whether the server has asked for a certificate and the client has none. (With
// TLS 1.3 the server's verdict arrives only with the first read.)
bool LacksClientCertificate(const SSL* ssl);

// The progress of a connection at the time of its failure.
enum class TlsPhase : unsigned char {
  kGreeting,     // the peer has sent nothing
  kHandshake,    // the peer has sent something, but is not connected
  kFirstAnswer,  // connected, but nothing has been read
  kStream,       // something has been read
};

// Returns the status of an operation that ended with SSL_ERROR_SSL. Empties the
// queue of errors. `peer` begins the text. UNAUTHENTICATED means that the two
// sides don't trust or understand each other, so another attempt would also
// fail. DATA_LOSS means that the bytes are no TLS record. Every other failure
// is UNAVAILABLE.
absl::Status TlsFailure(absl::string_view peer, const SSL* ssl, TlsPhase phase);

// Returns the status of a client's connection that ended without TLS's goodbye
// and without an alert: UNAUTHENTICATED or UNAVAILABLE. `failure` is the error
// of the stream below, or OK if the stream just ended. The text explains an end
// in this phase.
absl::Status TlsHungUp(absl::string_view peer, const SSL* ssl, TlsPhase phase,
                       const absl::Status& failure);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_ERROR_H_
