// Ticks: a checked Schedule and the time of its next tick. Not thread-safe.
#ifndef GEARMAN_SDK_SCHEDULER_TICKS_H_
#define GEARMAN_SDK_SCHEDULER_TICKS_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/scheduler.h"
#include "gearman/sdk/scheduler/cron.h"

namespace gearman {
namespace internal {

class Ticks {
 public:
  // Returns INVALID_ARGUMENT with the schedule's name and what is wrong.
  static absl::StatusOr<Ticks> Of(Schedule schedule);

  const Schedule& schedule() const { return schedule_; }
  absl::Time next() const { return next_; }
  // Moves on to the first tick after `time`.
  void MoveBehind(absl::Time time);

 private:
  Ticks() = default;

  Schedule schedule_;
  std::optional<CronExpression> cron_;
  int64_t every_ = 0;  // seconds; with a cron line: 0
  absl::Time next_ = absl::InfiniteFuture();
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_SCHEDULER_TICKS_H_
