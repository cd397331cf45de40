// Clock: the only source of time in the SDK. Everything below the public API
// asks the Clock that it is given. A fake clock moves only when a test moves
// it. Clocks are thread-safe.
#ifndef GEARMAN_TRANSPORTS_CLOCK_H_
#define GEARMAN_TRANSPORTS_CLOCK_H_

#include "absl/time/time.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class Clock {
 public:
  virtual ~Clock() = default;

  // The current time, for deadlines and durations. It never goes backwards and
  // does not follow adjustments of the wall clock.
  virtual absl::Time Now() = 0;
  // The time of the wall clock, for events at a time of day. It may be set
  // forwards or back.
  virtual absl::Time WallNow() { return Now(); }

  // Returns the machine's clock. It is monotonic and was set to the wall clock
  // when the process first asked, so that an adjustment of the wall clock moves
  // no deadline. It lives until the process ends; never delete it.
  static Clock* Real();
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_CLOCK_H_
