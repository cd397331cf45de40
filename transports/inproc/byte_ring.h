// ByteRing: a queue of bytes with a limit. It grows by doubling. When it has
// been emptied, it frees the memory of a burst. Not thread-safe.
#ifndef GEARMAN_TRANSPORTS_INPROC_BYTE_RING_H_
#define GEARMAN_TRANSPORTS_INPROC_BYTE_RING_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class ByteRing {
 public:
  explicit ByteRing(size_t limit) : limit_(limit) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t room() const { return limit_ - size_; }

  // Appends as many of `bytes` as there is room for, and returns their number.
  size_t Push(absl::string_view bytes) {
    const size_t count = std::min(bytes.size(), room());
    if (count == 0) return 0;
    if (size_ + count > capacity_) Grow(size_ + count);
    const size_t end = (begin_ + size_) % capacity_;
    const size_t first = std::min(count, capacity_ - end);
    std::memcpy(memory_.get() + end, bytes.data(), first);
    std::memcpy(memory_.get(), bytes.data() + first, count - first);
    size_ += count;
    return count;
  }

  // Takes up to `into.size()` bytes from the front, and returns their number.
  size_t Pop(absl::Span<char> into) {
    const size_t count = std::min(into.size(), size_);
    if (count == 0) return 0;
    const size_t first = std::min(count, capacity_ - begin_);
    std::memcpy(into.data(), memory_.get() + begin_, first);
    std::memcpy(into.data() + first, memory_.get(), count - first);
    size_ -= count;
    begin_ = size_ == 0 ? 0 : (begin_ + count) % capacity_;
    if (size_ == 0 && capacity_ > kKeptBytes) {
      memory_ = nullptr;
      capacity_ = 0;
    }
    return count;
  }

 private:
  static constexpr size_t kFirstBytes = 4096;
  static constexpr size_t kKeptBytes = 262144;

  void Grow(size_t wanted) {
    size_t capacity = std::max(capacity_, kFirstBytes);
    while (capacity < wanted) capacity *= 2;
    std::unique_ptr<char[]> memory(new char[capacity]);
    const size_t first = std::min(size_, capacity_ - begin_);
    if (size_ > 0) {
      std::memcpy(memory.get(), memory_.get() + begin_, first);
      std::memcpy(memory.get() + first, memory_.get(), size_ - first);
    }
    memory_ = std::move(memory);
    capacity_ = capacity;
    begin_ = 0;
  }

  const size_t limit_;
  std::unique_ptr<char[]> memory_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t size_ = 0;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_INPROC_BYTE_RING_H_
