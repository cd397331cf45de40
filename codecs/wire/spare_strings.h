// SpareStrings keeps the memory of large payloads that are no longer needed,
// for later ones. Fresh memory is zeroed and mapped page by page, which costs
// more than reading into it (a worker's job of 1 MiB: 0.99 ms of CPU instead of
// 0.5).
//
// Any thread may call it. No function throws.
#ifndef GEARMAN_CODECS_WIRE_SPARE_STRINGS_H_
#define GEARMAN_CODECS_WIRE_SPARE_STRINGS_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gearman/base/cpp17.h"

namespace gearman {
namespace wire {

class SpareStrings {
 public:
  // A payload of at least this size is read into a string of its own, so only
  // strings with so much memory are kept.
  static constexpr size_t kMinBytes = 16384;

  // Keeps at most `max_bytes` bytes.
  explicit SpareStrings(size_t max_bytes) : max_bytes_(max_bytes) {}
  SpareStrings(const SpareStrings&) = delete;
  SpareStrings& operator=(const SpareStrings&) = delete;

  // Keeps the memory of `string`, or frees it: it is small, or there is no
  // room for it.
  void Put(std::string string);
  // Returns a string with memory for `bytes` bytes, or an empty one if none
  // fits. Its size and contents are arbitrary.
  std::string Take(size_t bytes);
  // Keeps `string`, and frees the one of the last call. It is memory that Take
  // does not give: of a payload that another part of the program made. The C
  // library gives free memory at the end of the heap back to the system at
  // once, and gets it again page by page for the next payload. A string that
  // stays there prevents this (a worker's job of 64 KiB: 33 us of CPU instead
  // of 50). Strings of more than 1 MiB are freed at once.
  void Hold(std::string string);
  // Frees all strings if no other function was called since the last call.
  void FreeUnused();
  // The bytes that are kept. Takes no lock.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  size_t held_bytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // A short string is stored in the object.
    return held_.capacity() < kMinBytes ? 0 : held_.capacity();
  }

  const size_t max_bytes_;
  absl::Mutex mutex_;
  std::vector<std::string> strings_ ABSL_GUARDED_BY(mutex_);
  std::string held_ ABSL_GUARDED_BY(mutex_);
  bool used_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<size_t> bytes_{0};  // changed with the lock held
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_SPARE_STRINGS_H_
