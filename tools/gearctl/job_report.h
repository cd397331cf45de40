// Describes a request of gearctl submit as JSON, and tells how to ask for a job
// that it does not wait for any more. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_JOB_REPORT_H_
#define GEARMAN_TOOLS_GEARCTL_JOB_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/output.h"

namespace gearman {
namespace gearctl {

// Sets the fields for everything known about the request.
void Describe(const JobRequest& request, JsonObject& object);

// Returns "the job goes on; to ask: gearctl job 'ID'" for a finished request
// whose job a server has, or may have, nevertheless. Empty: no server has it.
std::string HowToAsk(const JobRequest& request);

// Prints a warning of a job on standard error.
void PrintWarning(absl::string_view data);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_JOB_REPORT_H_
