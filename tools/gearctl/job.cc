// gearctl job shows the status of one job, once or until its end.
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/find_job.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/job_text.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/terminal.h"

namespace gearman {
namespace gearctl {
namespace {

// A function that asks for the status of the job that the arguments name.
using Question = std::function<absl::StatusOr<JobStatus>()>;

absl::StatusOr<Question> QuestionFor(Client& client,
                                     const Arguments& arguments) {
  if (arguments.words.empty()) {
    return Question(
        [&client, job = UniqueJob(absl::GetFlag(FLAGS_unique))]() mutable {
          return job.Ask(client);
        });
  }
  const absl::StatusOr<JobId> id =
      FindJob(client, arguments.words[0], WhenUnanswered::kTake);
  if (!id.ok()) return id.status();
  return Question([&client, id = *id] {
    return client.GetJobStatus(id, QuestionTimeout());
  });
}

std::string LineOf(const JobStatus& status) {
  if (!HasProgress(status)) return absl::StrCat(StateName(status), "\n");
  return absl::StrFormat("%s %d/%d\n", StateName(status), status.numerator,
                         status.denominator);
}

std::string JsonOf(const std::string& name, const JobStatus& status) {
  JsonObject object;
  object.Set("job", name);
  object.Set("state", StateName(status));
  object.SetNumber("numerator", static_cast<double>(status.numerator));
  object.SetNumber("denominator", static_cast<double>(status.denominator));
  if (!absl::GetFlag(FLAGS_unique).empty()) {
    object.SetNumber("clients", static_cast<double>(status.client_count));
  }
  return object.ToLine();
}

// Prints each change on a line.
class StatusPrinter {
 public:
  explicit StatusPrinter(std::string name) : name_(std::move(name)) {}

  ExitCode Show(const JobStatus& status) {
    const std::string text =
        absl::GetFlag(FLAGS_json) ? JsonOf(name_, status) : LineOf(status);
    if (text == last_) return kSuccess;
    last_ = text;
    return Print(text);
  }

 private:
  const std::string name_;
  std::string last_;
};

absl::Status Unknown(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("no server knows the job ", name,
                                          ": it has ended or never existed"));
}

ExitCode Watch(const Question& question, const std::string& name) {
  Signals signals;
  ProgressLine progress;
  StatusPrinter printer(name);
  const bool bar = CanDraw(STDERR_FILENO) && !absl::GetFlag(FLAGS_json);
  bool seen = false;
  for (;;) {
    const absl::StatusOr<JobStatus> status = [&] {
      const EndAtSignal ending(
          signals, kInterrupted, [&progress] { progress.Clear(); },
          [&progress] { progress.Redraw(); });
      return question();
    }();
    if (!status.ok()) return Report(status.status());
    if (!status->known && !seen) return Report(Unknown(name));
    seen = true;
    if (bar && status->running && HasProgress(*status)) {
      progress.Show(status->numerator, status->denominator, name);
    } else {
      progress.Clear();
      const ExitCode printed = printer.Show(*status);
      if (printed != kSuccess) return printed;
    }
    if (!status->known) return kSuccess;
    if (!signals.Sleep(absl::GetFlag(FLAGS_interval).duration(),
                       [&progress] { progress.Redraw(); })) {
      return kInterrupted;
    }
  }
}

}  // namespace

ExitCode RunJob(const Arguments& arguments) {
  const std::string unique = absl::GetFlag(FLAGS_unique);
  if (arguments.words.empty() == unique.empty()) {
    return Report(absl::InvalidArgumentError(
        "a job is named by its HANDLE or by --unique KEY"));
  }
  const std::string name = unique.empty() ? arguments.words[0] : unique;
  absl::StatusOr<std::unique_ptr<Client>> client = MakeAskingClient();
  if (!client.ok()) return Report(client.status());
  const absl::StatusOr<Question> question = QuestionFor(**client, arguments);
  if (!question.ok()) return Report(question.status());
  if (absl::GetFlag(FLAGS_watch)) return Watch(*question, name);
  const absl::StatusOr<JobStatus> status = (*question)();
  if (!status.ok()) return Report(status.status());
  if (!status->known) return Report(Unknown(name));
  return StatusPrinter(name).Show(*status);
}

}  // namespace gearctl
}  // namespace gearman
