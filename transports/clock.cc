#include "gearman/transports/clock.h"

#include <chrono>  // NOLINT: the only steady clock there is

#include "absl/time/clock.h"

namespace gearman {
namespace {

class RealClock : public Clock {
 public:
  absl::Time Now() override {
    return wall_start_ +
           absl::FromChrono(std::chrono::steady_clock::now() - steady_start_);
  }

 private:
  const std::chrono::steady_clock::time_point steady_start_ =
      std::chrono::steady_clock::now();
  const absl::Time wall_start_ = absl::Now();
};

}  // namespace

Clock* Clock::Real() {
  static RealClock* const clock = new RealClock;
  return clock;
}

}  // namespace gearman
