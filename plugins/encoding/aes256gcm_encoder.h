// Aes256GcmEncoder: `aes256gcm`, which encrypts and authenticates the data with
// AES-256 in Galois/Counter mode (OpenSSL).
//
// Bound to the data, so that it decrypts nowhere else: the id of the key, the
// task, and whether the data is a request or a reply. Not hidden are the key's
// id and the size of the data, which tells about its content if the data was
// compressed before. A message that is sent again decrypts again.
//
// Each message has a random nonce of 96 bits. For this, NIST SP 800-38D (8.3)
// allows 2^32 messages under one key, from all processes together: change the
// key before that.
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
  // The first key encrypts, and all of them decrypt. To change the key of a
  // running system, give the new key to all as their second, then as their
  // first, and then take the old one away. Returns the errors of
  // CheckAes256GcmKeys, and UNIMPLEMENTED if OpenSSL has no AES-256-GCM.
  static absl::StatusOr<std::unique_ptr<Aes256GcmEncoder>> Create(
      std::vector<Aes256GcmKey> keys);
  ~Aes256GcmEncoder() override;

  absl::Status Encode(const DataContext& context,
                      std::string* data) const override;
  // Returns NOT_FOUND for a message under a key that is not here, and DATA_LOSS
  // for one that is not authentic.
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
