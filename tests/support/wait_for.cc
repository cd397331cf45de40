#include "gearman/tests/support/wait_for.h"

#include <poll.h>

#include <algorithm>

#include "absl/functional/function_ref.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace gearman {
namespace support {

bool WaitFor(absl::FunctionRef<bool()> condition, absl::Duration bound) {
  const absl::Time deadline = absl::Now() + bound;
  int pause_ms = 1;
  bool late = bound <= absl::ZeroDuration();
  while (!condition()) {
    if (late) return false;
    poll(nullptr, 0, pause_ms);
    pause_ms = std::min(2 * pause_ms, 50);
    // The time is taken before the next question, however long this thread has
    // to wait for a processor in between.
    late = absl::Now() >= deadline;
  }
  return true;
}

}  // namespace support
}  // namespace gearman
