// Clock: the only source of time in the SDK.
//
// Everything below the public API asks its injected Clock; a fake one moves
// only when a test moves it. Clocks are thread-safe.
#ifndef GEARMAN_TRANSPORTS_CLOCK_H_
#define GEARMAN_TRANSPORTS_CLOCK_H_

#include "absl/time/time.h"

namespace gearman {

class Clock {
 public:
  virtual ~Clock() = default;

  // The current time, for deadlines and durations. It never goes backwards, and
  // follows no adjustment of the wall clock.
  virtual absl::Time Now() = 0;
  // The wall clock's time, for things that have to happen at a time of day. It
  // may be set forwards or back.
  virtual absl::Time WallNow() { return Now(); }

  // The machine's clock: monotonic, set to the wall clock when the process
  // first asked, so that adjusting the wall clock moves no deadline. Lives for
  // ever; never delete it.
  static Clock* Real();
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_CLOCK_H_
