// gearctl status shows tasks with their jobs and workers.
#include "absl/status/status.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/tools/gearctl/ask_all.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/terminal.h"
#include "gearman/tools/gearctl/text.h"

namespace gearman {
namespace gearctl {
namespace {

// One task at one server. It has priorities only if they were asked for.
struct TaskRow {
  const std::string* server = nullptr;  // owned by its client
  std::string task;
  int64_t queued = 0;
  int64_t running = 0;
  int64_t workers = 0;
  int64_t high = 0;
  int64_t normal = 0;
  int64_t low = 0;
};

// The result of one look at all servers.
struct Look {
  absl::Time time;
  std::vector<TaskRow> rows;
  std::vector<absl::Status> failures;  // of servers
  std::vector<std::string> warnings;   // rows that can't be read
};

TaskRow MakeRow(const std::string& server, const FunctionStatus& function) {
  TaskRow row;
  row.server = &server;
  row.task = function.function;
  // Gearmand may have counted below zero, which then is 2^32 - 1.
  row.running = function.running > function.total ? 0 : function.running;
  row.queued = function.total - row.running;
  row.workers = function.workers;
  return row;
}

// Returns the rows of one server, for all tasks or for `tasks`. `unreadable`
// gets the rows that can't be read.
absl::StatusOr<std::vector<TaskRow>> AskServer(
    AdminClient& client, const std::set<std::string>& tasks,
    UnreadableRows* unreadable) {
  std::vector<TaskRow> rows;
  absl::Status status = client.VisitStatus(
      [&](const FunctionStatus& function) {
        if (tasks.empty() || tasks.count(function.function) > 0) {
          rows.push_back(MakeRow(client.server(), function));
        }
      },
      unreadable);
  if (!status.ok()) return status;
  if (!absl::GetFlag(FLAGS_priorities)) return rows;
  // Names that spoil this list have spoiled the other list, too.
  UnreadableRows same;
  auto priorities = client.GetPriorityStatus(&same);
  if (!priorities.ok()) return priorities.status();
  std::map<std::string, FunctionPriorityStatus> by_task;
  for (FunctionPriorityStatus& priority : *priorities) {
    by_task[priority.function] = std::move(priority);
  }
  for (TaskRow& row : rows) {
    const FunctionPriorityStatus& priority = by_task[row.task];
    row.high = priority.high;
    row.normal = priority.normal;
    row.low = priority.low;
  }
  return rows;
}

class StatusSource {
 public:
  StatusSource(std::vector<std::unique_ptr<AdminClient>> servers,
               const std::vector<std::string>& tasks)
      : servers_(std::move(servers)), tasks_(tasks.begin(), tasks.end()) {}

  // Returns only the tasks that were asked for, if there are any.
  Look Ask() {
    Look look;
    look.time = absl::Now();
    struct Answer {
      absl::StatusOr<std::vector<TaskRow>> rows;
      UnreadableRows unreadable;
    };
    std::vector<Answer> answers(servers_.size());
    AskAll(servers_.size(), [&](size_t i) {
      answers[i].rows = AskServer(*servers_[i], tasks_, &answers[i].unreadable);
    });
    for (size_t i = 0; i < answers.size(); ++i) {
      const std::string& server = servers_[i]->server();
      auto& [rows, unreadable] = answers[i];
      if (unreadable.count > 0) {
        look.warnings.push_back(Describe(server, unreadable));
      }
      if (!rows.ok()) {
        look.failures.push_back(NamingServer(rows.status(), server));
        continue;
      }
      std::move(rows->begin(), rows->end(), std::back_inserter(look.rows));
    }
    return look;
  }

  // NOT_FOUND: no server knows a task that was asked for. The message names
  // each of them.
  absl::Status CheckTasks(const Look& look) const {
    std::set<std::string> missing = tasks_;
    for (const TaskRow& row : look.rows) missing.erase(row.task);
    if (missing.empty() || !look.failures.empty()) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat(
        "no server knows ", missing.size() == 1 ? "a task" : "the tasks", " \"",
        absl::StrJoin(missing, "\", \""), "\""));
  }

  size_t servers() const { return servers_.size(); }

 private:
  const std::vector<std::unique_ptr<AdminClient>> servers_;
  const std::set<std::string> tasks_;
};

void WriteJson(const Look& look, Output& output) {
  for (const TaskRow& row : look.rows) {
    JsonObject object;
    if (absl::GetFlag(FLAGS_watch)) {
      object.Set("time", absl::FormatTime(look.time, absl::UTCTimeZone()));
    }
    object.Set("server", *row.server);
    object.Set("task", row.task);
    object.SetNumber("queued", static_cast<double>(row.queued));
    object.SetNumber("running", static_cast<double>(row.running));
    object.SetNumber("workers", static_cast<double>(row.workers));
    if (absl::GetFlag(FLAGS_priorities)) {
      object.SetNumber("high", static_cast<double>(row.high));
      object.SetNumber("normal", static_cast<double>(row.normal));
      object.SetNumber("low", static_cast<double>(row.low));
    }
    output.Write(object.ToLine());
  }
}

// The growth of each task's number of jobs since the last look, per second.
class Rates {
 public:
  // Returns "-" if the task was not seen before.
  std::string Of(const TaskRow& row, absl::Time time) const {
    const auto before = jobs_.find({*row.server, row.task});
    if (before == jobs_.end() || time <= time_) return "-";
    return absl::StrFormat(
        "%+.1f",
        static_cast<double>(row.queued + row.running - before->second) /
            absl::ToDoubleSeconds(time - time_));
  }
  void Remember(const Look& look) {
    jobs_.clear();
    for (const TaskRow& row : look.rows) {
      jobs_[{*row.server, row.task}] = row.queued + row.running;
    }
    time_ = look.time;
  }

 private:
  std::map<std::pair<std::string, std::string>, int64_t> jobs_;
  absl::Time time_;
};

void WriteTable(const Look& look, bool name_servers, const Rates* rates,
                Table::Writer writer) {
  std::vector<std::string> heading = {"TASK", "QUEUED", "RUNNING", "WORKERS"};
  if (rates != nullptr) heading.push_back("CHANGE/S");
  const bool priorities = absl::GetFlag(FLAGS_priorities);
  if (priorities) {
    heading.insert(heading.end(), {"HIGH", "NORMAL", "LOW"});
  }
  if (name_servers) heading.push_back("SERVER");
  Table table(std::move(heading), std::move(writer));
  for (const TaskRow& row : look.rows) {
    std::vector<std::string> cells = {row.task, absl::StrCat(row.queued),
                                      absl::StrCat(row.running),
                                      absl::StrCat(row.workers)};
    if (rates != nullptr) cells.push_back(rates->Of(row, look.time));
    if (priorities) {
      for (const int64_t jobs : {row.high, row.normal, row.low}) {
        cells.push_back(absl::StrCat(jobs));
      }
    }
    if (name_servers) cells.push_back(*row.server);
    table.AddRow(std::move(cells));
  }
  table.Finish();
}

// Shows the look as a table or as JSON.
ExitCode ShowLook(const Look& look, bool name_servers, const Rates* rates) {
  Output output;
  if (absl::GetFlag(FLAGS_json)) {
    WriteJson(look, output);
  } else {
    WriteTable(look, name_servers, rates,
               [&output](absl::string_view text) { output.Write(text); });
    if (absl::GetFlag(FLAGS_watch)) output.Write("\n");
  }
  return output.Flush();
}

ExitCode ReportFailures(const Look& look) {
  ExitCode code = kSuccess;
  for (const std::string& warning : look.warnings) ReportWarning(warning);
  for (const absl::Status& failure : look.failures) code = Report(failure);
  return code;
}

ExitCode ShowOnce(StatusSource& source) {
  const Look look = source.Ask();
  // If no server answered, an empty table would be wrong.
  if (look.failures.size() == source.servers()) return ReportFailures(look);
  const ExitCode printed = ShowLook(look, source.servers() > 1, nullptr);
  if (printed != kSuccess) return printed;
  const ExitCode failed = ReportFailures(look);
  return failed != kSuccess ? failed : Report(source.CheckTasks(look));
}

// Returns the content of the screen: the table, and above it the time of the
// look and the servers that gave no answer.
std::string ScreenText(const Look& look, bool name_servers,
                       const Rates& rates) {
  std::string text = absl::StrCat(
      "gearctl status  ",
      absl::FormatTime("%H:%M:%S", look.time, absl::LocalTimeZone()),
      "  every ",
      absl::FormatDuration(absl::GetFlag(FLAGS_interval).duration()),
      ", Ctrl-C ends\n");
  for (const absl::Status& failure : look.failures) {
    absl::StrAppend(&text, Printable(failure.message()), "\n");
  }
  for (const std::string& warning : look.warnings) {
    absl::StrAppend(&text, Printable(warning), "\n");
  }
  text.push_back('\n');
  WriteTable(look, name_servers, &rates, [&text](absl::string_view part) {
    text.append(part.data(), part.size());
  });
  return text;
}

// Ctrl-C is the usual end of a watch, but not before it has shown anything.
Look AskUntilSignal(StatusSource& source, Signals& signals, bool shown,
                    std::function<void()> before_end = nullptr) {
  const EndAtSignal ending(signals, shown ? kSuccess : kInterrupted,
                           std::move(before_end));
  return source.Ask();
}

// Draws again when the size of the terminal changes, and looks again at each
// interval.
ExitCode WatchOnScreen(StatusSource& source, Signals& signals) {
  Screen screen;
  Rates rates;
  for (bool shown = false;; shown = true) {
    const Look look = AskUntilSignal(source, signals, shown, Screen::Leave);
    const std::string text = ScreenText(look, source.servers() > 1, rates);
    rates.Remember(look);
    ExitCode drawn = screen.Draw(text);
    const bool go_on = signals.Sleep(absl::GetFlag(FLAGS_interval).duration(),
                                     [&] { drawn = screen.Draw(text); });
    if (!go_on || drawn != kSuccess) return drawn;
  }
}

ExitCode WatchAsText(StatusSource& source, Signals& signals) {
  Rates rates;
  for (bool shown = false;; shown = true) {
    const Look look = AskUntilSignal(source, signals, shown);
    const ExitCode printed = ShowLook(look, source.servers() > 1, &rates);
    if (printed != kSuccess) return printed;
    ReportFailures(look);
    rates.Remember(look);
    if (!signals.Sleep(absl::GetFlag(FLAGS_interval).duration()))
      return kSuccess;
  }
}

}  // namespace

ExitCode RunStatus(const Arguments& arguments) {
  absl::StatusOr<std::vector<std::unique_ptr<AdminClient>>> servers =
      MakeAdminClients();
  if (!servers.ok()) return Report(servers.status());
  StatusSource source(*std::move(servers), arguments.words);
  if (!absl::GetFlag(FLAGS_watch)) return ShowOnce(source);
  Signals signals;
  return CanDraw(STDOUT_FILENO) && !absl::GetFlag(FLAGS_json)
             ? WatchOnScreen(source, signals)
             : WatchAsText(source, signals);
}

}  // namespace gearctl
}  // namespace gearman
