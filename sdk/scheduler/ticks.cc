#include "gearman/sdk/scheduler/ticks.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

absl::Status Wrong(const Schedule& schedule, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("schedule \"", SafeText(schedule.name), "\": ", why));
}

absl::Status CheckName(const Schedule& schedule) {
  if (schedule.name.empty()) return Wrong(schedule, "it needs a name");
  if (schedule.name.size() > Scheduler::kMaxNameBytes) {
    return Wrong(schedule,
                 absl::StrCat("its name has ", schedule.name.size(),
                              " bytes; at most ", Scheduler::kMaxNameBytes,
                              " fit into a unique beside the time"));
  }
  if (!IsSafeLine(schedule.name)) {
    return Wrong(schedule, "its name has a character that lists can't show");
  }
  if (schedule.task.empty()) return Wrong(schedule, "it needs a task");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Ticks> Ticks::Of(Schedule schedule) {
  absl::Status status = CheckName(schedule);
  if (!status.ok()) return status;
  Ticks ticks;
  const bool has_every = schedule.every != absl::ZeroDuration();
  if (schedule.cron.empty() != has_every) {
    return Wrong(schedule,
                 "it needs a cron line or a distance (every), and not both");
  }
  if (has_every) {
    ticks.every_ = absl::ToInt64Seconds(schedule.every);
    if (ticks.every_ < 1 || absl::Seconds(ticks.every_) != schedule.every) {
      return Wrong(schedule,
                   absl::StrCat("every must be whole seconds and at "
                                "least one, not ",
                                absl::FormatDuration(schedule.every)));
    }
  } else {
    absl::StatusOr<CronExpression> cron = CronExpression::Parse(schedule.cron);
    if (!cron.ok()) return Wrong(schedule, cron.status().message());
    ticks.cron_ = *cron;
  }
  ticks.schedule_ = std::move(schedule);
  return ticks;
}

void Ticks::MoveBehind(absl::Time time) {
  if (cron_.has_value()) {
    next_ = cron_->Next(time, schedule_.time_zone);
    return;
  }
  // Rounds down, also before 1970.
  const int64_t seconds = absl::ToUnixSeconds(time);
  int64_t rest = seconds % every_;
  if (rest < 0) rest += every_;
  next_ = absl::FromUnixSeconds(seconds - rest) + absl::Seconds(every_);
}

}  // namespace internal
}  // namespace gearman
