// gearctl workers, jobs and version show the lists of the servers.
#include <cstddef>
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
#include "absl/strings/string_view.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/tools/gearctl/ask_all.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/job_text.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/subcommands.h"

namespace gearman {
namespace gearctl {
namespace {

// The rows of all servers, as a table or as JSON, written as they come.
class List {
 public:
  explicit List(std::vector<std::string> heading)
      : table_(std::move(heading),
               [this](absl::string_view text) { output_.Write(text); }) {}

  bool json() const { return json_; }
  bool empty() const { return empty_; }
  void Add(std::vector<std::string> row) {
    empty_ = false;
    table_.AddRow(std::move(row));
  }
  void Add(const JsonObject& object) {
    empty_ = false;
    output_.Write(object.ToLine());
  }
  // Adds a warning that is printed after the list.
  void Warn(const std::string& server, const UnreadableRows& unreadable) {
    if (unreadable.count > 0) {
      warnings_.push_back(Describe(server, unreadable));
    }
  }
  ExitCode Show() {
    if (!json_) table_.Finish();
    const ExitCode code = output_.Flush();
    for (const std::string& warning : warnings_) ReportWarning(warning);
    return code;
  }

 private:
  const bool json_ = absl::GetFlag(FLAGS_json);
  bool empty_ = true;
  Output output_;
  Table table_;
  std::vector<std::string> warnings_;
};

// The rows of one server, collected before they are shown.
struct Rows {
  const bool json = absl::GetFlag(FLAGS_json);
  std::vector<std::vector<std::string>> table;
  std::vector<JsonObject> objects;
  UnreadableRows unreadable;
  absl::Status status;
};

// Reports the servers that failed, after the list of the others.
ExitCode EndList(List& list, size_t servers,
                 const std::vector<absl::Status>& failures) {
  // If no server answered, an empty list would be wrong.
  ExitCode code =
      failures.size() == servers && list.empty() ? kSuccess : list.Show();
  for (const absl::Status& failure : failures) code = Report(failure);
  return code;
}

// Lets `ask` collect the rows of each server, of all servers at once.
ExitCode ShowShortList(
    std::vector<std::string> heading,
    const std::function<absl::Status(AdminClient&, Rows&)>& ask) {
  absl::StatusOr<std::vector<std::unique_ptr<AdminClient>>> servers =
      MakeAdminClients();
  if (!servers.ok()) return Report(servers.status());
  std::vector<Rows> answers(servers->size());
  AskAll(answers.size(), [&](size_t i) {
    answers[i].status = ask(*(*servers)[i], answers[i]);
  });
  List list(std::move(heading));
  std::vector<absl::Status> failures;
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::string& server = (*servers)[i]->server();
    for (std::vector<std::string>& row : answers[i].table) {
      list.Add(std::move(row));
    }
    for (const JsonObject& object : answers[i].objects) list.Add(object);
    list.Warn(server, answers[i].unreadable);
    if (!answers[i].status.ok()) {
      failures.push_back(NamingServer(answers[i].status, server));
    }
  }
  return EndList(list, answers.size(), failures);
}

// Lets `ask` add each server's rows, one server after another, because a list
// may be longer than the memory. Then reports the servers that failed.
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
  return EndList(list, servers->size(), failures);
}

void AddWorker(const std::string& server, const ConnectedWorker& worker,
               Rows& rows) {
  if (!rows.json) {
    if (worker.functions.empty()) return;
    return rows.table.push_back(
        {worker.id, worker.peer, absl::StrJoin(worker.functions, " "), server});
  }
  JsonObject object;
  object.Set("server", server);
  object.SetNumber("descriptor", static_cast<double>(worker.descriptor));
  object.Set("peer", worker.peer);
  object.Set("id", worker.id);
  object.SetList("tasks", worker.functions);
  rows.objects.push_back(std::move(object));
}

absl::Status AddWorkers(AdminClient& server, Rows& rows) {
  return server.VisitWorkers(
      [&](const ConnectedWorker& worker) {
        AddWorker(server.server(), worker, rows);
      },
      &rows.unreadable);
}

std::string StateOf(const ServerJob& job,
                    const absl::StatusOr<JobStatus>& status) {
  if (!status.ok()) return "-";
  // The clients of an ignored job have left. The server drops it when a worker
  // would get it. A job that a worker has goes on.
  if (job.ignored && !status->running) return "abandoned";
  return std::string(StateName(*status));
}

std::string ProgressOf(const absl::StatusOr<JobStatus>& status) {
  if (!status.ok() || !HasProgress(*status)) return "-";
  return absl::StrCat(status->numerator, "/", status->denominator);
}

void AddJob(const std::string& server, const ServerJob& job,
            const absl::StatusOr<JobStatus>& status, List& list) {
  const std::string state = StateOf(job, status);
  if (!list.json()) {
    return list.Add({job.handle, state, ProgressOf(status),
                     job.background ? "background" : "foreground",
                     absl::StrCat(job.retries), server});
  }
  JsonObject object;
  object.Set("server", server);
  object.Set("handle", job.handle);
  object.Set("state", state);
  object.SetBool("background", job.background);
  object.SetNumber("retries", static_cast<double>(job.retries));
  if (status.ok() && HasProgress(*status)) {
    object.SetNumber("numerator", static_cast<double>(status->numerator));
    object.SetNumber("denominator", static_cast<double>(status->denominator));
  }
  list.Add(object);
}

// Asks for the states of the jobs of one server's list, which does not have
// them.
class JobStates {
 public:
  JobStates(Client& client, const std::string& server)
      : client_(client), server_(server) {}

  std::vector<absl::StatusOr<JobStatus>> Of(
      const std::vector<ServerJob>& jobs) {
    // Each further question would wait equally long.
    if (absl::IsUnavailable(failure_) || absl::IsDeadlineExceeded(failure_)) {
      unknown_ += jobs.size();
      return std::vector<absl::StatusOr<JobStatus>>(jobs.size(), failure_);
    }
    std::vector<JobId> ids;
    for (const ServerJob& job : jobs) ids.push_back({server_, job.handle, ""});
    std::vector<absl::StatusOr<JobStatus>> states =
        client_.GetJobStatuses(ids, QuestionTimeout());
    for (const absl::StatusOr<JobStatus>& state : states) {
      // A list may have a handle that no packet can have.
      if (state.ok() || absl::IsInvalidArgument(state.status())) continue;
      ++unknown_;
      failure_.Update(state.status());
    }
    return states;
  }
  // Not OK: the reason why states are unknown.
  absl::Status status() const {
    if (failure_.ok()) return failure_;
    return absl::Status(
        failure_.code(),
        absl::StrCat(unknown_ == 1 ? "the state of a job is"
                                   : absl::StrCat("the states of ", unknown_,
                                                  " jobs are"),
                     " unknown: ", failure_.message()));
  }

 private:
  Client& client_;
  const std::string server_;
  absl::Status failure_;  // the first one
  size_t unknown_ = 0;
};

// The list may have millions of jobs, so they are handled in parts.
absl::Status AddJobs(Client& client, AdminClient& server, List& list) {
  constexpr size_t kPart = 1000;
  std::vector<ServerJob> part;
  JobStates states(client, server.server());
  const auto show_part = [&] {
    const std::vector<absl::StatusOr<JobStatus>> statuses = states.Of(part);
    for (size_t i = 0; i < part.size(); ++i) {
      AddJob(server.server(), part[i], statuses[i], list);
    }
    part.clear();
  };
  UnreadableRows unreadable;
  absl::Status status = server.VisitJobs(
      [&](ServerJob&& job) {
        part.push_back(std::move(job));
        if (part.size() == kPart) show_part();
      },
      &unreadable);
  if (!part.empty()) show_part();
  list.Warn(server.server(), unreadable);
  status.Update(states.status());
  return status;
}

absl::Status AddUniques(AdminClient& server, List& list) {
  return server.VisitUniqueJobs([&](const std::string& unique) {
    if (!list.json()) return list.Add({unique, server.server()});
    JsonObject object;
    object.Set("server", server.server());
    object.Set("unique", unique);
    list.Add(object);
  });
}

// Some servers do not have all commands. Each reports this in its own way, but
// never with these codes.
bool HasNoSuchCommand(const absl::Status& status) {
  return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) &&
         !absl::IsUnauthenticated(status);
}

std::string OrDash(const absl::Status& status, const std::string& text) {
  return status.ok() && !text.empty() ? text : "-";
}

absl::Status AddVersion(AdminClient& server, Rows& rows) {
  const absl::StatusOr<std::string> version = server.GetVersion();
  if (!version.ok()) return version.status();
  const absl::StatusOr<int64_t> pid = server.GetPid();
  const absl::StatusOr<std::string> level = server.GetVerbosity();
  for (const absl::Status& status : {pid.status(), level.status()}) {
    if (!status.ok() && !HasNoSuchCommand(status)) return status;
  }
  if (!rows.json) {
    rows.table.push_back({server.server(), OrDash(version.status(), *version),
                          OrDash(pid.status(), absl::StrCat(pid.value_or(0))),
                          OrDash(level.status(), level.value_or(""))});
    return absl::OkStatus();
  }
  JsonObject object;
  object.Set("server", server.server());
  object.Set("version", *version);
  if (pid.ok()) object.SetNumber("pid", static_cast<double>(*pid));
  if (level.ok()) object.Set("log_level", *level);
  rows.objects.push_back(std::move(object));
  return absl::OkStatus();
}

}  // namespace

ExitCode RunWorkers(const Arguments& /*arguments*/) {
  return ShowShortList({"ID", "PEER", "TASKS", "SERVER"}, AddWorkers);
}

ExitCode RunJobs(const Arguments& /*arguments*/) {
  if (absl::GetFlag(FLAGS_uniques)) {
    return ShowList({"UNIQUE", "SERVER"}, AddUniques);
  }
  absl::StatusOr<std::unique_ptr<Client>> client = MakeAskingClient();
  if (!client.ok()) return Report(client.status());
  return ShowList({"HANDLE", "STATE", "PROGRESS", "KIND", "RETRIES", "SERVER"},
                  [&client](AdminClient& server, List& list) {
                    return AddJobs(**client, server, list);
                  });
}

ExitCode RunVersion(const Arguments& /*arguments*/) {
  return ShowShortList({"SERVER", "VERSION", "PID", "LOG"}, AddVersion);
}

}  // namespace gearctl
}  // namespace gearman
