#include "gearman/codecs/wire/spare_strings.h"

#include <new>
#include <utility>

namespace gearman {
namespace wire {
namespace {

// A payload's memory may be at most this many times its size, because the
// receiver may keep it for long.
constexpr size_t kMaxFactor = 8;
// The C library does not keep larger strings in the heap, or has learned from
// them to give back less.
constexpr size_t kMaxHeldBytes = 1 << 20;

}  // namespace

void SpareStrings::Put(std::string string) {
  if (string.capacity() < kMinBytes) return;
  absl::MutexLock lock(&mutex_);
  used_ = true;
  const size_t capacity = string.capacity();
  if (bytes() + capacity > max_bytes_) return;
  try {
    strings_.push_back(std::move(string));
  } catch (const std::bad_alloc&) {
    return;
  }
  bytes_.store(bytes() + capacity, std::memory_order_relaxed);
}

void SpareStrings::Hold(std::string string) {
  if (string.capacity() < kMinBytes || string.capacity() > kMaxHeldBytes) {
    return;
  }
  absl::MutexLock lock(&mutex_);
  used_ = true;
  bytes_.store(bytes() + string.capacity() - held_bytes(),
               std::memory_order_relaxed);
  held_.swap(string);
}

std::string SpareStrings::Take(size_t bytes) {
  if (this->bytes() == 0) return std::string();
  absl::MutexLock lock(&mutex_);
  used_ = true;
  // Takes the string that was used last, because it is the likeliest to be in
  // the cache. The payloads of a program are mostly of one size.
  if (strings_.empty() || strings_.back().capacity() < bytes ||
      strings_.back().capacity() / kMaxFactor > bytes) {
    return std::string();
  }
  std::string taken = std::move(strings_.back());
  strings_.pop_back();
  bytes_.store(this->bytes() - taken.capacity(), std::memory_order_relaxed);
  return taken;
}

void SpareStrings::FreeUnused() {
  if (bytes() == 0) return;
  std::vector<std::string> freed;
  std::string held;
  absl::MutexLock lock(&mutex_);
  if (std::exchange(used_, false)) return;
  freed.swap(strings_);
  held.swap(held_);
  bytes_.store(0, std::memory_order_relaxed);
}

}  // namespace wire
}  // namespace gearman
