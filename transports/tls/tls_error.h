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
// certificate, in words, for TlsVerificationError.
int NoteVerification(int ok, X509_STORE_CTX* store);
// What that was; empty: nothing. The text lives as long as the connection.
absl::string_view VerificationError(const SSL* ssl);

// The status of an operation that ended with SSL_ERROR_SSL, from the queue of
// errors, which is emptied. `peer` begins the text. UNAUTHENTICATED: the two
// don't trust or understand each other, which won't change by trying again;
// DATA_LOSS: what came is no TLS record; else UNAVAILABLE. `in_handshake`: the
// connection was being made.
absl::Status TlsFailure(absl::string_view peer, const SSL* ssl,
                        bool in_handshake);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_TLS_ERROR_H_
