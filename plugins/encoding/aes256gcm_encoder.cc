#include "gearman/plugins/encoding/aes256gcm_encoder.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/plugins/encoding/aes256gcm_box.h"
#include "gearman/text/safe_text.h"

namespace gearman {

struct Aes256GcmEncoder::State {
  std::vector<Aes256GcmKey> keys;
  internal::CipherPtr cipher;
};

absl::StatusOr<std::unique_ptr<Aes256GcmEncoder>> Aes256GcmEncoder::Create(
    std::vector<Aes256GcmKey> keys) {
  absl::Status valid = CheckAes256GcmKeys(keys);
  if (!valid.ok()) return valid;
  internal::CipherPtr cipher = internal::FetchAes256Gcm();
  if (cipher == nullptr) {
    return absl::UnimplementedError(
        "this OpenSSL, with its configuration, has no AES-256-GCM");
  }
  auto state = std::make_unique<State>();
  state->keys = std::move(keys);
  state->cipher = std::move(cipher);
  return std::unique_ptr<Aes256GcmEncoder>(
      new Aes256GcmEncoder(std::move(state)));
}

Aes256GcmEncoder::Aes256GcmEncoder(std::unique_ptr<const State> state)
    : state_(std::move(state)) {}

Aes256GcmEncoder::~Aes256GcmEncoder() = default;

absl::Status Aes256GcmEncoder::Encode(const DataContext& context,
                                      std::string* data) const {
  unsigned char nonce[internal::kGcmNonceBytes];
  if (RAND_bytes(nonce, sizeof(nonce)) != 1) {
    ERR_clear_error();
    return absl::InternalError("OpenSSL gives no random bytes for a nonce");
  }
  return internal::SealAes256Gcm(
      state_->cipher.get(), state_->keys.front(), context,
      {reinterpret_cast<const char*>(nonce), sizeof(nonce)}, data);
}

absl::StatusOr<absl::string_view> Aes256GcmEncoder::Decode(
    const DataContext& context, absl::string_view data,
    std::string* buffer) const {
  absl::StatusOr<internal::Aes256GcmMessage> message =
      internal::ReadAes256GcmMessage(data);
  if (!message.ok()) return message.status();
  for (const Aes256GcmKey& key : state_->keys) {
    if (key.id != message->key_id) continue;
    absl::Status opened = internal::OpenAes256Gcm(state_->cipher.get(), key,
                                                  context, *message, buffer);
    if (!opened.ok()) return opened;
    return absl::string_view(*buffer);
  }
  return absl::NotFoundError(absl::StrCat(
      "the message is encrypted with the key \"", SafeText(message->key_id),
      "\", and the keys here are ",
      absl::StrJoin(state_->keys, ", ",
                    [](std::string* out, const Aes256GcmKey& key) {
                      absl::StrAppend(out, "\"", SafeText(key.id), "\"");
                    })));
}

}  // namespace gearman
