#include "gearman/tools/gearctl/find_job.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/connect.h"

namespace gearman {
namespace gearctl {

absl::StatusOr<JobId> FindJob(Client& client, absl::string_view name) {
  if (absl::StrContains(name, '|')) return JobId::Parse(name);
  if (name.empty()) return absl::InvalidArgumentError("an empty handle");
  std::vector<JobId> ids;
  for (const std::string& server : client.servers()) {
    ids.push_back({server, std::string(name), ""});
  }
  if (ids.size() == 1) return ids[0];
  const std::vector<absl::StatusOr<JobStatus>> statuses =
      client.GetJobStatuses(ids, QuestionTimeout());
  std::vector<JobId> knowing;
  absl::Status failure;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!statuses[i].ok()) {
      failure = statuses[i].status();
    } else if (statuses[i]->known) {
      knowing.push_back(ids[i]);
    }
  }
  if (!failure.ok()) return failure;
  if (knowing.size() == 1) return knowing[0];
  if (knowing.empty()) {
    return absl::NotFoundError(absl::StrCat("no server has a job ", name));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "several servers have a job ", name, ": give one of ",
      absl::StrJoin(knowing, ", ", [](std::string* out, const JobId& id) {
        absl::StrAppend(out, "'", id.ToString(), "'");
      })));
}

}  // namespace gearctl
}  // namespace gearman
