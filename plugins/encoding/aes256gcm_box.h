// One message of the format of `aes256gcm`, with a nonce that the
// caller gives. Internal: a nonce that is used twice with a key gives both
// messages and the power to forge away. Only tests give one of their own.
#ifndef GEARMAN_PLUGINS_ENCODING_AES256GCM_BOX_H_
#define GEARMAN_PLUGINS_ENCODING_AES256GCM_BOX_H_

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {
namespace internal {

inline constexpr size_t kGcmNonceBytes = 12;
inline constexpr size_t kGcmTagBytes = 16;

struct DeleteCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
using CipherPtr = std::unique_ptr<EVP_CIPHER, DeleteCipher>;

// Asks OpenSSL's providers for AES-256-GCM. Null if none has it.
CipherPtr FetchAes256Gcm();

// Replaces *data by a message with this nonce of kGcmNonceBytes.
absl::Status SealAes256Gcm(const EVP_CIPHER* cipher, const Aes256GcmKey& key,
                           const DataContext& context, absl::string_view nonce,
                           std::string* data);

// The parts of a message, as views of it.
struct Aes256GcmMessage {
  absl::string_view head;  // all before the nonce
  absl::string_view key_id;
  absl::string_view nonce;
  absl::string_view ciphertext;
  absl::string_view tag;
};

// Returns DATA_LOSS if `data` is no such message, and UNIMPLEMENTED if it has a
// version of the future.
absl::StatusOr<Aes256GcmMessage> ReadAes256GcmMessage(absl::string_view data);

// Decrypts to *buffer. After an error *buffer is empty, and its memory was
// overwritten.
absl::Status OpenAes256Gcm(const EVP_CIPHER* cipher, const Aes256GcmKey& key,
                           const DataContext& context,
                           const Aes256GcmMessage& message,
                           std::string* buffer);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_AES256GCM_BOX_H_
