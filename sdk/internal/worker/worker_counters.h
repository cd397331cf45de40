// WorkerCounters are the numbers of WorkerStats while a worker lives. Each part
// of the worker counts here, and Worker::stats reads here.
//
// The worker's I/O thread writes. Any thread may read.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_COUNTERS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "gearman/sdk/worker_stats.h"

namespace gearman {
namespace internal {

class WorkerCounters {
 public:
  using Number = uint64_t WorkerStats::*;

  // Only one thread writes, so that a load and a store are enough. An atomic
  // addition would cost as much as the rest of a counted event.
  void Add(Number number, uint64_t more = 1) {
    std::atomic<uint64_t>& value = values_[IndexOf(number)];
    value.store(value.load(std::memory_order_relaxed) + more,
                std::memory_order_relaxed);
  }
  void Set(Number number, uint64_t value) {
    values_[IndexOf(number)].store(value, std::memory_order_relaxed);
  }
  WorkerStats Read() const {
    std::array<uint64_t, kNumbers> numbers;
    for (size_t i = 0; i < kNumbers; ++i) {
      numbers[i] = values_[i].load(std::memory_order_relaxed);
    }
    WorkerStats stats;
    std::memcpy(static_cast<void*>(&stats), numbers.data(), sizeof(stats));
    return stats;
  }

 private:
  static constexpr size_t kNumbers = sizeof(WorkerStats) / sizeof(uint64_t);
  static_assert(std::is_trivially_copyable_v<WorkerStats> &&
                    std::has_unique_object_representations_v<WorkerStats> &&
                    sizeof(WorkerStats) % sizeof(uint64_t) == 0,
                "WorkerStats is nothing but numbers of 64 bits");

  static size_t IndexOf(Number number) {
    static constexpr WorkerStats kAny{};
    return static_cast<size_t>(reinterpret_cast<const char*>(&(kAny.*number)) -
                               reinterpret_cast<const char*>(&kAny)) /
           sizeof(uint64_t);
  }

  std::array<std::atomic<uint64_t>, kNumbers> values_{};
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_COUNTERS_H_
