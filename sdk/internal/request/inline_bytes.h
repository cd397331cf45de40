// InlineBytes holds up to 63 bytes, the most that gearmand keeps of a handle or
// a unique. Up to 39 bytes need no allocation: uniques that a client makes have
// 32, and handles ("H:host:17") mostly have fewer.
//
// Not thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_INLINE_BYTES_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_INLINE_BYTES_H_

#include <cstddef>
#include <cstring>

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

class InlineBytes {
 public:
  static constexpr size_t kMaxSize = 63;

  InlineBytes() = default;
  InlineBytes(const InlineBytes& other) { Assign(other.view()); }
  InlineBytes& operator=(const InlineBytes& other) {
    if (this != &other) Assign(other.view());
    return *this;
  }
  ~InlineBytes() { Clear(); }

  // Returns false, and changes nothing, if `bytes` does not fit. `bytes` must
  // not be a view of this object.
  bool Assign(absl::string_view bytes) {
    if (bytes.size() > kMaxSize) return false;
    Clear();
    char* into = bytes_;
    if (bytes.size() > kInlineSize) {
      into = new char[bytes.size()];
      std::memcpy(bytes_, &into, sizeof(into));
    }
    if (!bytes.empty()) std::memcpy(into, bytes.data(), bytes.size());
    size_ = static_cast<unsigned char>(bytes.size());
    return true;
  }
  void Clear() {
    if (size_ > kInlineSize) delete[] far_bytes();
    size_ = 0;
  }
  bool empty() const { return size_ == 0; }
  absl::string_view view() const {
    return absl::string_view(size_ > kInlineSize ? far_bytes() : bytes_, size_);
  }

 private:
  static constexpr size_t kInlineSize = 39;

  char* far_bytes() const {
    char* bytes;
    std::memcpy(&bytes, bytes_, sizeof(bytes));
    return bytes;
  }

  unsigned char size_ = 0;
  char bytes_[kInlineSize] = {};  // or a pointer, when it holds more
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_INLINE_BYTES_H_
