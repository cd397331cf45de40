// What gearctl submit says of a request: as JSON, and how to ask for a job that
// it waits for no longer. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_JOB_REPORT_H_
#define GEARMAN_TOOLS_GEARCTL_JOB_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/output.h"

namespace gearman {
namespace gearctl {

// Sets all that became of the request.
void Describe(const JobRequest& request, JsonObject& object);

// "the job goes on; to ask: gearctl job 'ID'", of a finished request whose job
// a server has or may have all the same. Empty: no server has it.
std::string HowToAsk(const JobRequest& request);

// On standard error.
void PrintWarning(absl::string_view data);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_JOB_REPORT_H_
