// Finds the job that a word of the command line means. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_
#define GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"

namespace gearman {
namespace gearctl {

// Says what FindJob does when one server has a job of this handle and another
// server does not answer. The handle may name another job there.
enum class WhenUnanswered {
  kTake,    // for a question
  kRefuse,  // for a command that changes something
};

// `name` is a job's id (SERVER|HANDLE|UNIQUE), which is returned as it is, or a
// handle. The server of an id becomes one of the client's servers. A handle may have a '|', too: a name without the address of a server
// before its first '|' is a handle. For a handle FindJob returns the id at the
// only server of the client that knows it, because at another server the handle
// may name another job. A client of one server need not ask. INVALID_ARGUMENT:
// the id is broken. NOT_FOUND: no server has the job. FAILED_PRECONDITION:
// several have it. Otherwise the reason why servers did not answer.
absl::StatusOr<JobId> FindJob(Client& client, absl::string_view name,
                              WhenUnanswered when_unanswered);

// Finds the status of a job by its unique, at all servers.
class UniqueJob {
 public:
  explicit UniqueJob(std::string unique) : unique_(std::move(unique)) {}

  // The job's status now, from a server that knows it, or the status that no
  // server knows it. Once a server has known it, that server's answer is
  // enough. Otherwise an error, UNAVAILABLE or DEADLINE_EXCEEDED, names the
  // servers that did not answer.
  absl::StatusOr<JobStatus> Ask(Client& client);

 private:
  const std::string unique_;
  std::string server_;  // a server that has known it; empty: none yet
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_
