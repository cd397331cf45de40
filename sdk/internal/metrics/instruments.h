// Counter, Gauge, Histogram: relaxed atomics, nothing else.
//
// Any thread may change and read them; readers see values that are each right
// and need not belong to one moment. Not copyable: pointers to them are handed
// out.
#ifndef GEARMAN_SDK_INTERNAL_METRICS_INSTRUMENTS_H_
#define GEARMAN_SDK_INTERNAL_METRICS_INSTRUMENTS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace gearman {
namespace internal {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  // For what only one thread at a time adds to (by a lock, say): a plain
  // addition, where Add locks the bus.
  void AddAlone(uint64_t n = 1) {
    value_.store(value() + n, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Durations in fixed buckets from 100 microseconds to half an hour.
class Histogram {
 public:
  // Inclusive upper bounds, in nanoseconds; one more bucket has no bound.
  static constexpr std::array<int64_t, 20> kBounds = {
      100'000,        250'000,        500'000,         1'000'000,
      2'500'000,      5'000'000,      10'000'000,      25'000'000,
      50'000'000,     100'000'000,    250'000'000,     500'000'000,
      1'000'000'000,  2'500'000'000,  5'000'000'000,   10'000'000'000,
      30'000'000'000, 60'000'000'000, 300'000'000'000, 1'800'000'000'000};
  static constexpr size_t kBuckets = kBounds.size() + 1;

  // Negative durations count as 0.
  void Observe(absl::Duration duration) {
    const int64_t ns = duration > absl::ZeroDuration()
                           ? absl::ToInt64Nanoseconds(duration)
                           : 0;
    // Counting the bounds that are exceeded needs no branch to be predicted.
    size_t bucket = 0;
    for (const int64_t bound : kBounds) bucket += ns > bound ? 1 : 0;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(static_cast<uint64_t>(ns), std::memory_order_relaxed);
  }

  uint64_t bucket(size_t index) const {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  uint64_t count() const {
    uint64_t total = 0;
    for (const auto& bucket : buckets_) {
      total += bucket.load(std::memory_order_relaxed);
    }
    return total;
  }
  // Nanoseconds.
  uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> sum_{0};
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_INSTRUMENTS_H_
