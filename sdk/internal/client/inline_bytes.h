// InlineBytes: up to 63 bytes without an allocation, for handles and uniques
// (63 is the most that gearmand keeps of either).
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_INLINE_BYTES_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_INLINE_BYTES_H_

#include <cstddef>
#include <cstring>

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

class InlineBytes {
 public:
  static constexpr size_t kMaxSize = 63;

  // False, and unchanged, when `bytes` does not fit.
  bool Assign(absl::string_view bytes) {
    if (bytes.size() > kMaxSize) return false;
    if (!bytes.empty()) std::memcpy(bytes_, bytes.data(), bytes.size());
    size_ = static_cast<unsigned char>(bytes.size());
    return true;
  }
  void Clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  absl::string_view view() const { return absl::string_view(bytes_, size_); }

 private:
  unsigned char size_ = 0;
  char bytes_[kMaxSize];
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_INLINE_BYTES_H_
