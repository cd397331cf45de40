// Certificates and keys from PEM, each refusal in words that a person can act
// on. A Status tells the reason alone; the caller adds the file.
// INVALID_ARGUMENT where the bytes are wrong; RESOURCE_EXHAUSTED where the
// process lacks descriptors or memory to read them. Thread-safe, stateless.
#ifndef GEARMAN_TRANSPORTS_TLS_PEM_FILE_H_
#define GEARMAN_TRANSPORTS_TLS_PEM_FILE_H_

#include <openssl/ssl.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/transports/tls/tls_options.h"

namespace gearman {

// The bytes of a regular file. They are overwritten when this is destroyed, as
// they may hold a key.
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

// Sets the first certificate of `pem`, and those behind it as its chain.
absl::Status UseCertificates(absl::string_view pem, SSL_CTX* context);
// Sets the key of `pem`, which must be the one of the certificate that
// `context` has. The passphrase is `identity`'s, and is asked for only when the
// key is encrypted.
absl::Status UseKey(absl::string_view pem, const TlsIdentity& identity,
                    SSL_CTX* context);
// Trusts every certificate of `pem`, of which there must be one.
absl::Status AddCas(absl::string_view pem, X509_STORE* store);
// `path` is a folder with a certificate under a name that OpenSSL looks for.
absl::Status CheckCaFolder(const std::string& path);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_PEM_FILE_H_
