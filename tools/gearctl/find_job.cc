#include "gearman/tools/gearctl/find_job.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace gearctl {

namespace {

// True if `name` is meant as a job's id, from which `id` was parsed. A server's
// handle may have a '|', too. It is an id if a server's address comes before
// the first one, or nothing does (the id of a unique).
bool MeansAnId(absl::string_view name, const absl::StatusOr<JobId>& id,
               const Client& client) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(name, absl::MaxSplits('|', 1));
  if (absl::StrContains(parts.first, "://")) return true;
  if (!id.ok()) return false;
  if (id->server.empty()) return true;
  const absl::StatusOr<Address> address = ParseAddress(id->server);
  if (!address.ok()) return false;
  const std::vector<std::string> servers = client.servers();
  return std::find(servers.begin(), servers.end(), address->ToString()) !=
         servers.end();
}

// OK: every server has answered. Otherwise the reasons why servers have not,
// with the code of the first.
absl::Status Unanswered(
    const std::vector<JobId>& ids,
    const std::vector<absl::StatusOr<JobStatus>>& statuses) {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::vector<std::string> failures;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (statuses[i].ok()) continue;
    if (failures.empty()) code = statuses[i].status().code();
    failures.emplace_back(
        NamingServer(statuses[i].status(), ids[i].server).message());
  }
  return absl::Status(code, absl::StrJoin(failures, "; "));
}

}  // namespace

absl::StatusOr<JobId> FindJob(Client& client, absl::string_view name,
                              WhenUnanswered when_unanswered) {
  const absl::StatusOr<JobId> id = JobId::Parse(name);
  if (MeansAnId(name, id, client)) {
    if (!id.ok() || id->server.empty()) return id;
    // The id alone is enough to ask: gearctl prints it as a hint.
    const absl::Status added = client.AddServer(id->server);
    if (added.ok() || absl::IsAlreadyExists(added)) return id;
    return AddressError(added);
  }
  if (name.empty()) return absl::InvalidArgumentError("an empty handle");
  std::vector<JobId> ids;
  for (const std::string& server : client.servers()) {
    ids.push_back({server, std::string(name), ""});
  }
  if (ids.size() == 1) return ids[0];
  const std::vector<absl::StatusOr<JobStatus>> statuses =
      client.GetJobStatuses(ids, QuestionTimeout());
  std::vector<JobId> knowing;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (statuses[i].ok() && statuses[i]->known) knowing.push_back(ids[i]);
  }
  const absl::Status unanswered = Unanswered(ids, statuses);
  if (knowing.size() == 1 &&
      (unanswered.ok() || when_unanswered == WhenUnanswered::kTake)) {
    return knowing[0];
  }
  if (knowing.size() == 1) {
    return absl::Status(
        unanswered.code(),
        absl::StrCat(unanswered.message(), "; it may have another job ", name,
                     ": give '", knowing[0].ToString(), "' for the one at ",
                     knowing[0].server));
  }
  if (knowing.empty() && !unanswered.ok()) return unanswered;
  if (knowing.empty()) {
    return absl::NotFoundError(absl::StrCat("no server has a job ", name));
  }
  std::vector<std::string> quoted;
  for (const JobId& known : knowing) {
    quoted.push_back(absl::StrCat("'", known.ToString(), "'"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("several servers have a job ", name, ": give one of ",
                   absl::StrJoin(quoted, ", ")));
}

absl::StatusOr<JobStatus> UniqueJob::Ask(Client& client) {
  std::vector<JobId> ids;
  for (const std::string& server : client.servers()) {
    ids.push_back({server, "", unique_});
  }
  const std::vector<absl::StatusOr<JobStatus>> statuses =
      client.GetJobStatuses(ids, QuestionTimeout());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!statuses[i].ok() || !statuses[i]->known) continue;
    server_ = ids[i].server;
    return statuses[i];
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    // The server that had the job has answered that the job is gone.
    if (ids[i].server == server_ && statuses[i].ok()) return statuses[i];
  }
  const absl::Status unanswered = Unanswered(ids, statuses);
  if (!unanswered.ok()) return unanswered;
  return statuses.front();
}

}  // namespace gearctl
}  // namespace gearman
