// Reads certificates and keys from PEM. The text of each error tells a person
// what to do. A Status has only the reason; the caller adds the name of the
// file. INVALID_ARGUMENT means that the bytes are wrong, RESOURCE_EXHAUSTED
// that the process lacks descriptors or memory to read them. Thread-safe,
// stateless.
#ifndef GEARMAN_TRANSPORTS_TLS_PEM_FILE_H_
#define GEARMAN_TRANSPORTS_TLS_PEM_FILE_H_

#include <openssl/ssl.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/transports/tls/tls_options.h"

namespace gearman {

// The bytes of a regular file. The destructor overwrites them, because they may
// hold a key.
class PemBytes {
 public:
  static absl::StatusOr<PemBytes> Read(const std::string& path);
  ~PemBytes();
  PemBytes(PemBytes&& other) noexcept;
  PemBytes& operator=(PemBytes&& other) = delete;

  absl::string_view text() const { return text_; }

 private:
  PemBytes() = default;

  std::string text_;
};

// Sets the first certificate of `pem`, and the certificates after it as its
// chain.
absl::Status UseCertificates(absl::string_view pem, SSL_CTX* context);
// Sets the key of `pem`, which must belong to the certificate of `context`.
// Asks `identity` for the passphrase only if the key is encrypted.
absl::Status UseKey(absl::string_view pem, const TlsIdentity& identity,
                    SSL_CTX* context);
// Trusts every certificate of `pem`, which must hold at least one.
absl::Status AddCas(absl::string_view pem, X509_STORE* store);
// Checks that `path` is a folder with a certificate under a name that OpenSSL
// looks for.
absl::Status CheckCaFolder(const std::string& path);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_PEM_FILE_H_
