// JobCost: how long the jobs of a kind take, learnt from those that were done:
// a moving mean and mean deviation, as TCP learns round-trip times.
//
// Not thread-safe: belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_JOB_COST_H_
#define GEARMAN_SDK_INTERNAL_WORKER_JOB_COST_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gearman {
namespace internal {

class JobCost {
 public:
  // One more job has taken this long.
  void Add(int64_t ns) {
    const double sample = static_cast<double>(std::max<int64_t>(ns, 0));
    samples_ = std::min(samples_ + 1, kMemory);
    const double weight = 1.0 / samples_;
    // Seen from the mean before, so that a second, quite different job shows.
    const double away = samples_ == 1 ? 0 : std::abs(sample - mean_);
    mean_ += weight * (sample - mean_);
    deviation_ += weight * (away - deviation_);
  }

  bool known() const { return samples_ > 0; }
  // What the next one will hardly exceed; 0 when not known. Nanoseconds.
  int64_t expected_ns() const {
    return static_cast<int64_t>(mean_ + 2 * deviation_);
  }

 private:
  // After so many jobs a change has been learnt.
  static constexpr int kMemory = 32;

  int samples_ = 0;
  double mean_ = 0;
  double deviation_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_JOB_COST_H_
