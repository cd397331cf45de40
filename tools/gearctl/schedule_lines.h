// Reads the file of `gearctl schedule`, which is like a crontab:
//
//   # a comment
//   CRON_TZ=Europe/Berlin
//   NAME TIMES TASK [DATA]
//
// TIMES is five fields, one word such as "@hourly", or "@every DURATION". DATA
// is the rest of the line behind the blanks that follow TASK, as it is. CRON_TZ
// counts for the lines below it; before it the time zone is UTC. A line ends
// with a line feed; a carriage return before that is no part of the line. Empty
// lines are left out.
//
// Stateless; any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_SCHEDULE_LINES_H_
#define GEARMAN_TOOLS_GEARCTL_SCHEDULE_LINES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/scheduler/ticks.h"

namespace gearman {
namespace gearctl {

// Returns the schedules of a file, in the order of its lines. `file` is its
// name in messages. INVALID_ARGUMENT: a line is wrong, which the message says
// with its number, or there is no schedule.
absl::StatusOr<std::vector<internal::Ticks>> ParseScheduleLines(
    absl::string_view text, absl::string_view file);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_SCHEDULE_LINES_H_
