// The moments of an open loop: job i is due at begin + i / rate, whether
// earlier jobs have ended or not, and its time counts from there. A loop that
// submits the next job when the last one has ended would leave out the very
// moments at which the server was slow.
#ifndef GEARMAN_BENCHMARKS_COMPARE_OPEN_LOOP_H_
#define GEARMAN_BENCHMARKS_COMPARE_OPEN_LOOP_H_

#include <atomic>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace gearman {
namespace benchmarks {

class Arrivals {
 public:
  explicit Arrivals(int rate)
      : begin_(absl::Now()), gap_(absl::Seconds(1) / rate) {}

  absl::Time Due(int job) const { return begin_ + job * gap_; }
  // Waits until the job is due.
  void Await(int job) const { absl::SleepFor(Due(job) - absl::Now()); }

 private:
  const absl::Time begin_;
  const absl::Duration gap_;
};

// Calls `run`(thread) in so many threads, and returns when all have returned.
template <typename Function>
void InThreads(int threads, const Function& run) {
  std::vector<std::thread> running;
  for (int i = 1; i < threads; ++i) running.emplace_back([&run, i] { run(i); });
  run(0);
  for (std::thread& thread : running) thread.join();
}

// The numbers 0 to jobs - 1, each taken by one of several threads.
class Numbers {
 public:
  explicit Numbers(int jobs) : jobs_(jobs) {}
  // Returns the next number, or -1.
  int Take() {
    const int next = next_.fetch_add(1, std::memory_order_relaxed);
    return next < jobs_ ? next : -1;
  }

 private:
  const int jobs_;
  std::atomic<int> next_{0};
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_OPEN_LOOP_H_
