// Job text: jobs as the command line and the output have them. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_JOB_TEXT_H_
#define GEARMAN_TOOLS_GEARCTL_JOB_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/job_status.h"

namespace gearman {
namespace gearctl {

// "high", "normal" or "low". INVALID_ARGUMENT: none of them.
absl::StatusOr<Priority> ParsePriority(absl::string_view name);

// Seconds since 1970, RFC 3339, or "+5m" after `now`. INVALID_ARGUMENT: none of
// these.
absl::StatusOr<absl::Time> ParseEpoch(absl::string_view text, absl::Time now);

// "queued", "running", or "ended" for one that the server does not know.
absl::string_view StateName(const JobStatus& status);

// Whether the job has reported progress: perhaps of an unknown total, which is
// 0 then.
bool HasProgress(const JobStatus& status);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_JOB_TEXT_H_
