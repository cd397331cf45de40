// FindJob: the job that a word of the command line means. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_
#define GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"

namespace gearman {
namespace gearctl {

// A job's id (SERVER|HANDLE|UNIQUE) as it is; a handle with the only one of the
// client's servers that knows it: at another one it may name another job. A
// client of one server need not ask. INVALID_ARGUMENT: a broken id; NOT_FOUND:
// no server has it; FAILED_PRECONDITION: several have; else why a server can't
// tell.
absl::StatusOr<JobId> FindJob(Client& client, absl::string_view name);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_
