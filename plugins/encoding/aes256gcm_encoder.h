// Aes256GcmEncoder: `aes256gcm`, which encrypts and authenticates the data with
// AES-256 in Galois/Counter mode (OpenSSL).
//
// A message is bound to the id of its key, to its task and to its direction
// (request or reply), so it can be decrypted nowhere else. A peer that reads
// the connection sees the id of the key and the size of the data. The size
// tells something about the content if the data was compressed before. The
// encoder does not notice a message that is sent a second time.
//
// Each message has a random nonce of 96 bits. With such nonces NIST SP 800-38D
// (8.3) allows 2^32 messages under one key, from all processes together. Change
// the key before that.
#ifndef GEARMAN_PLUGINS_ENCODING_AES256GCM_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_AES256GCM_ENCODER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/aes256gcm_keys.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {

class Aes256GcmEncoder final : public DataEncoder {
 public:
  // Makes an encoder. The first key encrypts, and every key decrypts. To change
  // the key of a running system, first give the new key to all processes as
  // their second key. Then make it their first key. Then take the old key away.
  // Returns the errors of CheckAes256GcmKeys, and UNIMPLEMENTED if OpenSSL has
  // no AES-256-GCM.
  static absl::StatusOr<std::unique_ptr<Aes256GcmEncoder>> Create(
      std::vector<Aes256GcmKey> keys);
  ~Aes256GcmEncoder() override;

  absl::Status Encode(const DataContext& context,
                      std::string* data) const override;
  // Returns NOT_FOUND if the message names a key that this encoder does not
  // have, and DATA_LOSS if the message is not authentic.
  absl::StatusOr<absl::string_view> Decode(const DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override;
  absl::string_view name() const override { return "aes256gcm"; }

 private:
  struct State;
  explicit Aes256GcmEncoder(std::unique_ptr<const State> state);

  const std::unique_ptr<const State> state_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_AES256GCM_ENCODER_H_
