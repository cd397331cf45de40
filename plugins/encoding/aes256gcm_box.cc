#include "gearman/plugins/encoding/aes256gcm_box.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/found_bytes.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

constexpr char kLetter = 'A';
constexpr unsigned char kVersion = 1;
// Magic, letter, version and the length of the key's id.
constexpr size_t kFixedBytes = 5;
// GCM's own limit: 2^39 - 256 bits under one nonce.
constexpr size_t kMostBytes = (size_t{1} << 36) - 32;
// OpenSSL counts bytes in an int.
constexpr size_t kMostAtOnce = size_t{1} << 30;

struct DeleteContext {
  void operator()(EVP_CIPHER_CTX* context) const {
    EVP_CIPHER_CTX_free(context);
  }
};

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Head(absl::string_view key_id) {
  std::string head = std::string(kMagic);
  head.push_back(kLetter);
  head.push_back(static_cast<char>(kVersion));
  head.push_back(static_cast<char>(key_id.size()));
  absl::StrAppend(&head, key_id);
  return head;
}

// The error of OpenSSL that was added last. Empties its queue, which belongs to
// the thread and not to this call.
absl::Status OpensslFailed(absl::string_view step) {
  char text[256] = "no reason given";
  const unsigned long error = ERR_peek_last_error();  // NOLINT: its type
  if (error != 0) ERR_error_string_n(error, text, sizeof(text));
  ERR_clear_error();
  return absl::InternalError(
      absl::StrCat("OpenSSL: ", step, ": ", SafeText(text)));
}

// One message: a context, and the data that is bound to it.
class Cipher {
 public:
  Cipher() : context_(EVP_CIPHER_CTX_new()) {}

  absl::Status Begin(const EVP_CIPHER* cipher, const Aes256GcmKey& key,
                     absl::string_view nonce, absl::string_view head,
                     const DataContext& data_context, bool encrypt) {
    if (context_ == nullptr) {
      return absl::ResourceExhaustedError("OpenSSL has not enough memory");
    }
    if (EVP_CipherInit_ex2(context_.get(), cipher, key.bytes.data(),
                           Bytes(nonce), encrypt ? 1 : 0, nullptr) != 1) {
      return OpensslFailed("AES-256-GCM does not start");
    }
    const char direction =
        data_context.direction == DataDirection::kRequest ? 'q' : 'r';
    for (const absl::string_view bound :
         {head, absl::string_view(&direction, 1),
          absl::string_view(data_context.task)}) {
      absl::Status status = Update(bound, nullptr);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  // Writes as many bytes as `input` has to `output`. A null output means that
  // the input is only bound.
  absl::Status Update(absl::string_view input, char* output) {
    while (!input.empty()) {
      const int size = static_cast<int>(std::min(input.size(), kMostAtOnce));
      int written = 0;
      if (EVP_CipherUpdate(context_.get(),
                           reinterpret_cast<unsigned char*>(output), &written,
                           Bytes(input), size) != 1) {
        return OpensslFailed("AES-256-GCM");
      }
      input.remove_prefix(static_cast<size_t>(size));
      if (output != nullptr) output += written;
    }
    return absl::OkStatus();
  }
  // Ends the message. Whether it authenticates, when it is decrypted.
  bool Finish() {
    unsigned char none[kGcmTagBytes];
    int written = 0;
    return EVP_CipherFinal_ex(context_.get(), none, &written) == 1;
  }
  // Reads the tag after encryption, or sets the one to compare with before the
  // end of decryption.
  bool GetTag(char* tag) {
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG,
                               kGcmTagBytes, tag) == 1;
  }
  bool SetTag(absl::string_view tag) {
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG,
                               static_cast<int>(tag.size()),
                               const_cast<char*>(tag.data())) == 1;
  }

 private:
  const std::unique_ptr<EVP_CIPHER_CTX, DeleteContext> context_;
};

}  // namespace

CipherPtr FetchAes256Gcm() {
  CipherPtr cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  if (cipher == nullptr) ERR_clear_error();
  return cipher;
}

absl::Status SealAes256Gcm(const EVP_CIPHER* cipher, const Aes256GcmKey& key,
                           const DataContext& context, absl::string_view nonce,
                           std::string* data) {
  if (data->size() > kMostBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "AES-GCM encrypts at most ", kMostBytes, " bytes at once"));
  }
  const std::string head = Head(key.id);
  Cipher message;
  absl::Status status =
      message.Begin(cipher, key, nonce, head, context, /*encrypt=*/true);
  if (!status.ok()) return status;
  std::string sealed;
  const size_t begin = head.size() + nonce.size();
  sealed.reserve(begin + data->size() + kGcmTagBytes);
  absl::StrAppend(&sealed, head, nonce);
  sealed.resize(begin + data->size() + kGcmTagBytes);
  status = message.Update(*data, &sealed[begin]);
  if (!status.ok()) return status;
  if (!message.Finish() || !message.GetTag(&sealed[begin + data->size()])) {
    return OpensslFailed("AES-256-GCM does not end");
  }
  *data = std::move(sealed);
  return absl::OkStatus();
}

absl::StatusOr<Aes256GcmMessage> ReadAes256GcmMessage(absl::string_view data) {
  const std::string begin =
      absl::StrCat(kMagic, absl::string_view(&kLetter, 1));
  if (!absl::StartsWith(data, begin)) {
    return NotExpected("an aes256gcm message", data);
  }
  const absl::Status cut = absl::DataLossError(
      absl::StrCat("the aes256gcm message ends after ", data.size(),
                   " bytes: the bytes were cut"));
  if (data.size() < kFixedBytes) return cut;
  const int version = static_cast<unsigned char>(data[begin.size()]);
  if (version != kVersion) {
    return absl::UnimplementedError(
        absl::StrCat("the aes256gcm message has version ", version,
                     ", and this SDK reads version ", kVersion));
  }
  Aes256GcmMessage message;
  const size_t id_bytes = static_cast<unsigned char>(data[kFixedBytes - 1]);
  if (data.size() < kFixedBytes + id_bytes + kGcmNonceBytes + kGcmTagBytes) {
    return cut;
  }
  message.head = data.substr(0, kFixedBytes + id_bytes);
  message.key_id = message.head.substr(kFixedBytes);
  data.remove_prefix(message.head.size());
  message.nonce = data.substr(0, kGcmNonceBytes);
  data.remove_prefix(kGcmNonceBytes);
  message.ciphertext = data.substr(0, data.size() - kGcmTagBytes);
  message.tag = data.substr(message.ciphertext.size());
  return message;
}

absl::Status OpenAes256Gcm(const EVP_CIPHER* cipher, const Aes256GcmKey& key,
                           const DataContext& context,
                           const Aes256GcmMessage& message,
                           std::string* buffer) {
  if (message.ciphertext.size() > kMostBytes) {
    return absl::DataLossError(absl::StrCat("AES-GCM encrypts at most ",
                                            kMostBytes, " bytes at once"));
  }
  buffer->clear();
  Cipher opened;
  absl::Status status = opened.Begin(cipher, key, message.nonce, message.head,
                                     context, /*encrypt=*/false);
  if (!status.ok()) return status;
  buffer->resize(message.ciphertext.size());
  status = opened.Update(message.ciphertext, &(*buffer)[0]);
  if (status.ok() && !opened.SetTag(message.tag)) {
    status = OpensslFailed("AES-256-GCM");
  }
  if (status.ok() && !opened.Finish()) {
    // OpenSSL may have left a reason, which says nothing more.
    ERR_clear_error();
    status = absl::DataLossError(absl::StrCat(
        "the message is not authentic under the key \"", SafeText(key.id),
        "\": its bytes were changed, or it was encrypted with another key of "
        "this id, or not as the ",
        DataDirectionName(context.direction), " of task \"",
        SafeText(context.task), "\""));
  }
  if (!status.ok()) {
    OPENSSL_cleanse(&(*buffer)[0], buffer->size());
    buffer->clear();
  }
  return status;
}

}  // namespace internal
}  // namespace gearman
