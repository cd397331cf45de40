// Parses and describes jobs on the command line and in the output. Any thread.
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

// Parses seconds since 1970, RFC 3339, or "+5m" after `now`. INVALID_ARGUMENT:
// the text is none of these.
absl::StatusOr<absl::Time> ParseEpoch(absl::string_view text, absl::Time now);

// Returns "queued", "running", or "ended" if the server does not know the job.
absl::string_view StateName(const JobStatus& status);

// True if the job has reported progress. The total may be unknown, which is 0.
bool HasProgress(const JobStatus& status);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_JOB_TEXT_H_
