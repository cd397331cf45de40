// gearctl workers, jobs and version: what the servers list.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/job_text.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/subcommands.h"

namespace gearman {
namespace gearctl {
namespace {

// Rows of all servers, as a table or as JSON.
class List {
 public:
  explicit List(std::vector<std::string> heading)
      : table_(std::move(heading)) {}

  void Add(std::vector<std::string> row) { table_.AddRow(std::move(row)); }
  void Add(const JsonObject& object) { json_ += object.ToLine(); }
  ExitCode Show() const {
    return Print(absl::GetFlag(FLAGS_json) ? json_ : table_.ToString());
  }

 private:
  Table table_;
  std::string json_;
};

// Lets `ask` add each server's rows, shows them, then says which servers
// failed.
ExitCode ShowList(std::vector<std::string> heading,
                  const std::function<absl::Status(AdminClient&, List&)>& ask) {
  absl::StatusOr<std::vector<std::unique_ptr<AdminClient>>> servers =
      MakeAdminClients();
  if (!servers.ok()) return Report(servers.status());
  List list(std::move(heading));
  std::vector<absl::Status> failures;
  for (const auto& server : *servers) {
    const absl::Status status = ask(*server, list);
    if (!status.ok()) {
      failures.push_back(NamingServer(status, server->server()));
    }
  }
  // No answer is not the answer that there is nothing.
  ExitCode code = failures.size() == servers->size() ? kSuccess : list.Show();
  for (const absl::Status& failure : failures) code = Report(failure);
  return code;
}

absl::Status AddWorkers(AdminClient& server, List& list) {
  absl::StatusOr<std::vector<ConnectedWorker>> workers = server.GetWorkers();
  if (!workers.ok()) return workers.status();
  for (const ConnectedWorker& worker : *workers) {
    JsonObject object;
    object.Set("server", server.server());
    object.SetNumber("descriptor", static_cast<double>(worker.descriptor));
    object.Set("peer", worker.peer);
    object.Set("id", worker.id);
    object.SetList("tasks", worker.functions);
    list.Add(object);
    if (worker.functions.empty()) continue;
    list.Add({worker.id, worker.peer, absl::StrJoin(worker.functions, " "),
              server.server()});
  }
  return absl::OkStatus();
}

std::string StateOf(const ServerJob& job,
                    const absl::StatusOr<JobStatus>& status) {
  if (job.ignored) return "abandoned";  // its client has left: it will not run
  if (!status.ok()) return "-";
  return std::string(StateName(*status));
}

std::string ProgressOf(const absl::StatusOr<JobStatus>& status) {
  if (!status.ok() || !HasProgress(*status)) return "-";
  return absl::StrCat(status->numerator, "/", status->denominator);
}

// The list tells nothing of a job's state: `client` asks for each.
absl::Status AddJobs(Client& client, AdminClient& server, List& list) {
  absl::StatusOr<std::vector<ServerJob>> jobs = server.GetJobs();
  if (!jobs.ok()) return jobs.status();
  std::vector<JobId> ids(jobs->size());
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i].server = server.server();
    ids[i].handle = (*jobs)[i].handle;
  }
  const std::vector<absl::StatusOr<JobStatus>> statuses =
      client.GetJobStatuses(ids, QuestionTimeout());
  for (size_t i = 0; i < ids.size(); ++i) {
    const ServerJob& job = (*jobs)[i];
    const std::string state = StateOf(job, statuses[i]);
    JsonObject object;
    object.Set("server", server.server());
    object.Set("handle", job.handle);
    object.Set("state", state);
    object.SetBool("background", job.background);
    object.SetNumber("retries", static_cast<double>(job.retries));
    if (statuses[i].ok() && HasProgress(*statuses[i])) {
      object.SetNumber("numerator",
                       static_cast<double>(statuses[i]->numerator));
      object.SetNumber("denominator",
                       static_cast<double>(statuses[i]->denominator));
    }
    list.Add(object);
    list.Add({job.handle, state, ProgressOf(statuses[i]),
              job.background ? "background" : "foreground",
              absl::StrCat(job.retries), server.server()});
  }
  return absl::OkStatus();
}

absl::Status AddUniques(AdminClient& server, List& list) {
  absl::StatusOr<std::vector<std::string>> uniques = server.GetUniqueJobs();
  if (!uniques.ok()) return uniques.status();
  for (const std::string& unique : *uniques) {
    JsonObject object;
    object.Set("server", server.server());
    object.Set("unique", unique);
    list.Add(object);
    list.Add({unique, server.server()});
  }
  return absl::OkStatus();
}

// Some servers don't have all commands. Each of them says so in its own way,
// but never with these codes.
bool HasNoSuchCommand(const absl::Status& status) {
  return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) &&
         !absl::IsUnauthenticated(status);
}

std::string OrDash(const absl::Status& status, const std::string& text) {
  return status.ok() && !text.empty() ? text : "-";
}

absl::Status AddVersion(AdminClient& server, List& list) {
  const absl::StatusOr<std::string> version = server.GetVersion();
  if (!version.ok()) return version.status();
  const absl::StatusOr<int64_t> pid = server.GetPid();
  const absl::StatusOr<std::string> level = server.GetVerbosity();
  for (const absl::Status& status : {pid.status(), level.status()}) {
    if (!status.ok() && !HasNoSuchCommand(status)) return status;
  }
  JsonObject object;
  object.Set("server", server.server());
  object.Set("version", *version);
  if (pid.ok()) object.SetNumber("pid", static_cast<double>(*pid));
  if (level.ok()) object.Set("log_level", *level);
  list.Add(object);
  list.Add({server.server(), OrDash(version.status(), *version),
            OrDash(pid.status(), absl::StrCat(pid.value_or(0))),
            OrDash(level.status(), level.value_or(""))});
  return absl::OkStatus();
}

}  // namespace

ExitCode RunWorkers(const Arguments& /*arguments*/) {
  return ShowList({"ID", "PEER", "TASKS", "SERVER"}, AddWorkers);
}

ExitCode RunJobs(const Arguments& /*arguments*/) {
  if (absl::GetFlag(FLAGS_uniques)) {
    return ShowList({"UNIQUE", "SERVER"}, AddUniques);
  }
  absl::StatusOr<std::unique_ptr<Client>> client = MakeClient();
  if (!client.ok()) return Report(client.status());
  return ShowList({"HANDLE", "STATE", "PROGRESS", "KIND", "RETRIES", "SERVER"},
                  [&client](AdminClient& server, List& list) {
                    return AddJobs(**client, server, list);
                  });
}

ExitCode RunVersion(const Arguments& /*arguments*/) {
  return ShowList({"SERVER", "VERSION", "PID", "LOG"}, AddVersion);
}

}  // namespace gearctl
}  // namespace gearman
