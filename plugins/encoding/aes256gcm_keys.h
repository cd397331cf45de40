// Aes256GcmKeys: the keys of an Aes256GcmEncoder, from a file or the
// environment.
//
//   # One key a line, or several between commas: its id, a colon, and its 32
//   # bytes in hex (openssl rand -hex 32). The first key encrypts. All of them
//   # decrypt.
//   2026-11:000102...1f
#ifndef GEARMAN_PLUGINS_ENCODING_AES256GCM_KEYS_H_
#define GEARMAN_PLUGINS_ENCODING_AES256GCM_KEYS_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/base/string_view.h"

namespace gearman {

// The bytes of one key.
inline constexpr size_t kAes256KeyBytes = 32;
// The environment variable that has the keys of an encoder whose config names
// no other source.
inline constexpr char kAes256GcmKeysVariable[] = "GEARMAN_AES256GCM_KEYS";

// One key. Its memory is overwritten when it is destroyed, and so is the memory
// of each copy.
struct Aes256GcmKey {
  Aes256GcmKey() = default;
  Aes256GcmKey(const Aes256GcmKey&) = default;
  Aes256GcmKey& operator=(const Aes256GcmKey&) = default;
  ~Aes256GcmKey();

  // 1 to 63 letters, digits, dots, dashes and underscores. It is sent with each
  // message in the clear.
  std::string id;
  // The key itself.
  std::array<unsigned char, kAes256KeyBytes> bytes = {};
};

// Returns INVALID_ARGUMENT unless there are 1 to 64 keys with valid ids that
// differ.
absl::Status CheckAes256GcmKeys(const std::vector<Aes256GcmKey>& keys);
// Reads at most 64 keys in the form above. Returns INVALID_ARGUMENT, with the
// number of the entry, if the text has another form. The error shows no byte of
// a key.
absl::StatusOr<std::vector<Aes256GcmKey>> ParseAes256GcmKeys(StringView text);
// Reads keys from a file of at most 64 KiB. The memory that it was read into is
// overwritten. Returns NOT_FOUND if there is no such file, PERMISSION_DENIED if
// this process may not read it or if everybody may, and otherwise the errors of
// ParseAes256GcmKeys, with the file's name.
absl::StatusOr<std::vector<Aes256GcmKey>> ReadAes256GcmKeys(
    const std::string& path);
// Reads keys from a variable of the environment. The variable stays: this
// user's other processes can read it. Returns NOT_FOUND if it is not set, and
// otherwise the errors of ParseAes256GcmKeys, with the variable's name. No
// other thread may change the environment meanwhile.
absl::StatusOr<std::vector<Aes256GcmKey>> Aes256GcmKeysFromEnvironment(
    const std::string& variable = kAes256GcmKeysVariable);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_AES256GCM_KEYS_H_
