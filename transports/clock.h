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

  // The current time. Never goes backwards, and follows no adjustment of the
  // wall clock: for everything that lasts.
  virtual absl::Time Now() = 0;
  // The wall clock's time, which may be set forwards or back: for what has to
  // happen at a time of day.
  virtual absl::Time WallNow() { return Now(); }

  // The machine's clock: monotonic, set to the wall clock when the process
  // first asked, so that adjusting the wall clock moves no deadline. Lives for
  // ever; never delete it.
  static Clock* Real();
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_CLOCK_H_
