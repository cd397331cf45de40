// JobCost learns from finished jobs how long the jobs of a kind take: a moving
// mean and mean deviation, like TCP's estimate of round-trip times.
//
// Not thread-safe: it belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_JOB_JOB_COST_H_
#define GEARMAN_SDK_INTERNAL_JOB_JOB_COST_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gearman {
namespace internal {

class JobCost {
 public:
  // Adds a job that has taken `ns` nanoseconds.
  void Add(int64_t ns) {
    const double sample = static_cast<double>(std::max<int64_t>(ns, 0));
    samples_ = std::min(samples_ + 1, kMemory);
    const double weight = 1.0 / samples_;
    // The distance to the old mean, so that a second, quite different job
    // counts.
    const double away = samples_ == 1 ? 0 : std::abs(sample - mean_);
    mean_ += weight * (sample - mean_);
    deviation_ += weight * (away - deviation_);
  }

  bool known() const { return samples_ > 0; }
  // The cost that the next job will hardly exceed, in nanoseconds; 0: unknown.
  int64_t expected_ns() const {
    return static_cast<int64_t>(mean_ + 2 * deviation_);
  }

 private:
  // A change is learned after about so many jobs.
  static constexpr int kMemory = 32;

  int samples_ = 0;
  double mean_ = 0;
  double deviation_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_JOB_COST_H_
