// FakeClock: time that moves only when a test moves it.
//
// A FakeClock is thread-safe. A Simulation (simulation.h) has one and moves it.
#ifndef GEARMAN_SDK_TESTING_FAKE_CLOCK_H_
#define GEARMAN_SDK_TESTING_FAKE_CLOCK_H_

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace testing {

class FakeClock final : public Clock {
 public:
  // The clock begins at `start`. The default is the beginning of 2030, so that
  // times of this clock are not mistaken for the machine's.
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1893456000))
      : now_(start) {}

  absl::Time Now() override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }
  absl::Time WallNow() override {
    absl::MutexLock lock(&mutex_);
    return now_ + wall_offset_;
  }
  // Sets the wall clock forward by `step`, or back if `step` is negative. Now()
  // does not change.
  void SetWallClock(absl::Duration step) {
    absl::MutexLock lock(&mutex_);
    wall_offset_ += step;
  }
  // Moves the clock forward by `step`. A negative step moves nothing.
  void Advance(absl::Duration step) {
    absl::MutexLock lock(&mutex_);
    now_ += std::max(step, absl::ZeroDuration());
  }
  // Moves the clock forward to `time`. An earlier time moves nothing.
  void AdvanceTo(absl::Time time) {
    absl::MutexLock lock(&mutex_);
    now_ = std::max(now_, time);
  }

 private:
  absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration wall_offset_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_FAKE_CLOCK_H_
