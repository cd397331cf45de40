// StepWallClock: a wall clock that is set forwards or back while a test runs.
//
// The library stands before the C library's clock_gettime. Monotonic clocks go
// on as they are.
#ifndef GEARMAN_TESTS_SUPPORT_STEPPING_CLOCK_H_
#define GEARMAN_TESTS_SUPPORT_STEPPING_CLOCK_H_

#include "absl/time/time.h"

namespace gearman {
namespace support {

// Moves the wall clock of this program by `step`, in addition to earlier steps.
// Any thread.
void StepWallClock(absl::Duration step);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_STEPPING_CLOCK_H_
