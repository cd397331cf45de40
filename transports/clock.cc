#include "gearman/transports/clock.h"

#include <chrono>  // NOLINT: the only steady clock there is
#include <cstdint>

#include "absl/time/clock.h"

namespace gearman {
namespace {

class RealClock : public Clock {
 public:
  absl::Time Now() override {
    return absl::FromUnixNanos(wall_minus_steady_ns_ + SteadyNanos());
  }
  absl::Time WallNow() override { return absl::Now(); }

 private:
  static int64_t SteadyNanos() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  // A worker asks for the time once for each job, so Now adds whole
  // nanoseconds.
  const int64_t wall_minus_steady_ns_ =
      absl::GetCurrentTimeNanos() - SteadyNanos();
};

}  // namespace

Clock* Clock::Real() {
  static RealClock* const clock = new RealClock;
  return clock;
}

}  // namespace gearman
