// Counter, Gauge and Histogram are relaxed atomics and nothing else.
//
// One thread at a time changes an instrument (under the client's lock, or on
// the worker's I/O thread). So counting is a plain addition; a locked one would
// cost more than everything else. Any thread may read at any time. Each value
// that a reader sees is right, but the values need not belong to one moment.
// Not copyable, because pointers to them are handed out.
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
  void Add(uint64_t n = 1) {
    value_.store(value() + n, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Add(int64_t n) { Set(value() + n); }
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Counts durations in fixed buckets from 100 microseconds to half an hour.
class Histogram {
 public:
  // Inclusive upper bounds, in nanoseconds. One more bucket has no bound.
  static constexpr std::array<int64_t, 20> kBounds = {
      100'000,        250'000,        500'000,         1'000'000,
      2'500'000,      5'000'000,      10'000'000,      25'000'000,
      50'000'000,     100'000'000,    250'000'000,     500'000'000,
      1'000'000'000,  2'500'000'000,  5'000'000'000,   10'000'000'000,
      30'000'000'000, 60'000'000'000, 300'000'000'000, 1'800'000'000'000};
  static constexpr size_t kBuckets = kBounds.size() + 1;

  // A negative duration counts as 0.
  void Observe(absl::Duration duration) {
    const int64_t ns = duration > absl::ZeroDuration()
                           ? absl::ToInt64Nanoseconds(duration)
                           : 0;
    buckets_[BucketOf(ns)].Add();
    sum_.Add(static_cast<uint64_t>(ns));
  }

  uint64_t bucket(size_t index) const { return buckets_[index].value(); }
  uint64_t count() const {
    uint64_t total = 0;
    for (const Counter& bucket : buckets_) total += bucket.value();
    return total;
  }
  // The sum of all durations, in nanoseconds.
  uint64_t sum() const { return sum_.value(); }

 private:
  // For each number of bits, the first bucket that may have numbers with so
  // many bits. The search for a bucket begins there.
  static constexpr std::array<uint8_t, 65> FirstBuckets() {
    std::array<uint8_t, 65> first{};
    for (size_t bits = 1; bits <= 64; ++bits) {
      const uint64_t smallest = uint64_t{1} << (bits - 1);
      uint8_t bucket = 0;
      while (bucket < kBounds.size() &&
             smallest > static_cast<uint64_t>(kBounds[bucket])) {
        ++bucket;
      }
      first[bits] = bucket;
    }
    return first;
  }
  static size_t BucketOf(int64_t ns) {
    static constexpr std::array<uint8_t, 65> kFirst = FirstBuckets();
    const int bits =
        ns == 0 ? 0 : 64 - __builtin_clzll(static_cast<uint64_t>(ns));
    size_t bucket = kFirst[static_cast<size_t>(bits)];
    while (bucket < kBounds.size() && ns > kBounds[bucket]) ++bucket;
    return bucket;
  }

  std::array<Counter, kBuckets> buckets_;
  Counter sum_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_INSTRUMENTS_H_
