// FindJob: the job that a word of the command line means. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_
#define GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"

namespace gearman {
namespace gearctl {

// What to do when one server has a job of this handle and another one does not
// answer, where the handle may name another job.
enum class WhenUnanswered {
  kTake,    // for a question
  kRefuse,  // for a command that changes something
};

// A job's id (SERVER|HANDLE|UNIQUE) as it is; a handle with the only one of the
// client's servers that knows it: at another one it may name another job. A
// client of one server need not ask. INVALID_ARGUMENT: a broken id; NOT_FOUND:
// no server has it; FAILED_PRECONDITION: several have; else why servers can't
// tell.
absl::StatusOr<JobId> FindJob(Client& client, absl::string_view name,
                              WhenUnanswered when_unanswered);

// A job that is looked for by its unique, at all servers.
class UniqueJob {
 public:
  explicit UniqueJob(std::string unique) : unique_(std::move(unique)) {}

  // Its status now: of a server that knows it, or that none does. Once one has
  // known it, that one's word is enough. Else an error, UNAVAILABLE or
  // DEADLINE_EXCEEDED, names the servers that did not answer.
  absl::StatusOr<JobStatus> Ask(Client& client);

 private:
  const std::string unique_;
  std::string server_;  // which has known it; empty: none yet
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_FIND_JOB_H_
