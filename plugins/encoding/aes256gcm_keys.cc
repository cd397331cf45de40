#include "gearman/plugins/encoding/aes256gcm_keys.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gearman/process/descriptor.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

constexpr size_t kMostKeys = 64;
constexpr size_t kLongestId = 63;
constexpr size_t kLargestFile = 65536;

bool IsId(absl::string_view id) {
  return !id.empty() && id.size() <= kLongestId &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '-' || c == '_';
         });
}

// Returns the digit's value, or -1.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool ReadHex(absl::string_view digits, Aes256GcmKey* key) {
  if (digits.size() != 2 * kAes256KeyBytes) return false;
  for (size_t i = 0; i < kAes256KeyBytes; ++i) {
    const int high = HexDigit(digits[2 * i]);
    const int low = HexDigit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key->bytes[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

absl::Status Wrong(size_t entry, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("key ", entry, ": ", why));
}

// Whether a key may follow these. No message has an id that is not valid, as
// it may be a key in the wrong place.
absl::Status CheckNext(const std::vector<Aes256GcmKey>& before,
                       const Aes256GcmKey& key) {
  const size_t entry = before.size() + 1;
  if (entry > kMostKeys) {
    return Wrong(entry, absl::StrCat("at most ", kMostKeys, " are allowed"));
  }
  if (!IsId(key.id)) {
    return Wrong(entry,
                 "its id must have 1 to 63 letters, digits, dots, dashes and "
                 "underscores");
  }
  for (const Aes256GcmKey& other : before) {
    if (other.id == key.id) {
      return Wrong(entry, absl::StrCat("the id \"", key.id, "\" is taken"));
    }
  }
  return absl::OkStatus();
}

absl::Status About(absl::string_view source, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("keys in ", source, ": ", status.message()));
}

// Memory that is overwritten at its end.
class SecretMemory {
 public:
  explicit SecretMemory(size_t size) : bytes_(size, '\0') {}
  ~SecretMemory() { OPENSSL_cleanse(&bytes_[0], bytes_.size()); }
  SecretMemory(const SecretMemory&) = delete;
  SecretMemory& operator=(const SecretMemory&) = delete;

  char* data() { return &bytes_[0]; }
  size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

absl::Status SystemRefused(int error) {
  switch (error) {
    case ENOENT:
      return absl::NotFoundError("there is no such file");
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError("this process may not read it");
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(std::strerror(error));
    default:
      return absl::InvalidArgumentError(std::strerror(error));
  }
}

absl::StatusOr<std::vector<Aes256GcmKey>> ReadFile(const std::string& path) {
  // A pipe without a writer would hold up this thread.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return SystemRefused(errno);
  struct stat facts;
  if (fstat(file.get(), &facts) != 0) return SystemRefused(errno);
  if (!S_ISREG(facts.st_mode)) {
    return absl::InvalidArgumentError("it is no regular file");
  }
  if ((facts.st_mode & S_IROTH) != 0) {
    return absl::PermissionDeniedError(
        "everybody may read it; take that right away (chmod o-rwx)");
  }
  // A byte more shows that the file is too large.
  SecretMemory memory(kLargestFile + 1);
  size_t size = 0;
  while (size < memory.size()) {
    const ssize_t count =
        read(file.get(), memory.data() + size, memory.size() - size);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemRefused(errno);
    size += static_cast<size_t>(count);
  }
  if (size > kLargestFile) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it has more than ", kLargestFile, " bytes, so it is no list of keys"));
  }
  return ParseAes256GcmKeys({memory.data(), size});
}

}  // namespace

Aes256GcmKey::~Aes256GcmKey() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

absl::StatusOr<std::vector<Aes256GcmKey>> ParseAes256GcmKeys(StringView text) {
  std::vector<Aes256GcmKey> keys;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\n,"), text.size());
    const absl::string_view line =
        absl::StripAsciiWhitespace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) {
      return Wrong(keys.size() + 1,
                   "there is no colon between an id and a key");
    }
    Aes256GcmKey key;
    key.id = std::string(line.substr(0, colon));
    absl::Status valid = CheckNext(keys, key);
    if (!valid.ok()) return valid;
    if (!ReadHex(line.substr(colon + 1), &key)) {
      return Wrong(keys.size() + 1,
                   absl::StrCat("the key \"", key.id,
                                "\" must have 64 hexadecimal digits (openssl "
                                "rand -hex 32)"));
    }
    keys.push_back(key);
  }
  if (keys.empty()) return absl::InvalidArgumentError("there is no key");
  return keys;
}

absl::Status CheckAes256GcmKeys(const std::vector<Aes256GcmKey>& keys) {
  if (keys.empty()) return absl::InvalidArgumentError("there is no key");
  std::vector<Aes256GcmKey> before;
  for (const Aes256GcmKey& key : keys) {
    absl::Status valid = CheckNext(before, key);
    if (!valid.ok()) return valid;
    before.push_back(key);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Aes256GcmKey>> ReadAes256GcmKeys(
    const std::string& path) {
  absl::StatusOr<std::vector<Aes256GcmKey>> keys = ReadFile(path);
  if (keys.ok()) return keys;
  return About(absl::StrCat("\"", SafeText(path), "\""), keys.status());
}

absl::StatusOr<std::vector<Aes256GcmKey>> Aes256GcmKeysFromEnvironment(
    const std::string& variable) {
  const std::string source =
      absl::StrCat("the environment variable ", SafeText(variable));
  const char* const text = std::getenv(variable.c_str());
  if (text == nullptr) {
    return About(source, absl::NotFoundError("it is not set"));
  }
  absl::StatusOr<std::vector<Aes256GcmKey>> keys = ParseAes256GcmKeys(text);
  if (keys.ok()) return keys;
  return About(source, keys.status());
}

}  // namespace gearman
