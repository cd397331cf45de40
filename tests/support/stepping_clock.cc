#include "gearman/tests/support/stepping_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace {

std::atomic<int64_t> step_seconds{0};

}  // namespace

// Stands before the C library's.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += step_seconds;
  return static_cast<int>(result);
}

namespace gearman {
namespace support {

void StepWallClock(absl::Duration step) {
  step_seconds += absl::ToInt64Seconds(step);
}

}  // namespace support
}  // namespace gearman
