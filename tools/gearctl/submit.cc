// gearctl submit submits a job, or one for each line of the input.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/text/safe_text.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/input.h"
#include "gearman/tools/gearctl/job_report.h"
#include "gearman/tools/gearctl/job_text.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/submit_lines.h"
#include "gearman/tools/gearctl/terminal.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {
namespace {

// Makes a job from the flags.
absl::StatusOr<JobSpec> MakeSpec(const std::string& task) {
  JobSpec spec(task, "");
  absl::StatusOr<Priority> priority =
      ParsePriority(absl::GetFlag(FLAGS_priority));
  if (!priority.ok()) return priority.status();
  spec.options.priority = *priority;
  spec.background = absl::GetFlag(FLAGS_background);
  if (std::string unique = absl::GetFlag(FLAGS_unique); !unique.empty()) {
    spec.options.unique = std::move(unique);
  }
  if (const std::string epoch = absl::GetFlag(FLAGS_epoch); !epoch.empty()) {
    absl::StatusOr<absl::Time> time = ParseEpoch(epoch, absl::Now());
    if (!time.ok()) return time.status();
    spec.options.run_at = *time;
    spec.background = true;
  }
  spec.options.reducer = absl::GetFlag(FLAGS_reducer);
  const int64_t retries = absl::GetFlag(FLAGS_retries).value();
  if (retries > 0) {
    spec.options.max_connection_attempts = static_cast<int>(retries + 1);
    spec.options.idempotent = true;
  }
  return spec;
}

// True if the payload comes from standard input although nothing says so.
bool TakesStandardInput(const Arguments& arguments) {
  return arguments.words.size() == 1 && arguments.flags.count("file") == 0 &&
         arguments.flags.count("data") == 0;
}

// INVALID_ARGUMENT: standard input can't be the payload. `asked`: "-" or a flag
// has asked for it.
absl::Status CheckStandardInput(bool asked) {
  // Standard input is closed, or nohup has taken it away.
  if ((fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY) {
    return absl::InvalidArgumentError(
        "standard input is closed: give the payload by --data TEXT (--data '' "
        "for an empty one) or --file FILE");
  }
  if (!asked && IsTerminal(STDIN_FILENO)) {
    return absl::InvalidArgumentError(
        "there is no payload, and standard input is a terminal: give it by "
        "--data TEXT (--data '' for an empty one), --file FILE or a pipe, or "
        "\"-\" to type it, with Ctrl-D at its end");
  }
  return absl::OkStatus();
}

// Opens the source of payloads: --file or standard input. Null: --data.
absl::StatusOr<std::unique_ptr<Input>> OpenInput(const Arguments& arguments) {
  std::string path = absl::GetFlag(FLAGS_file);
  const bool data = arguments.flags.count("data") > 0;
  const bool word = arguments.words.size() > 1;
  if (word && arguments.words[1] != "-") {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", arguments.words[1],
                     "\" is too much: a payload is given by --data TEXT, "
                     "--file FILE, or \"-\" for standard input"));
  }
  if (word + data + !path.empty() > 1) {
    return absl::InvalidArgumentError(
        "only one of --data, --file and \"-\" can be the payload");
  }
  const bool lines = absl::GetFlag(FLAGS_lines);
  if (data && lines) {
    return absl::InvalidArgumentError(
        "--lines reads standard input or --file FILE, not --data");
  }
  if (data) return nullptr;
  if (path.empty()) path = "-";
  if (path == "-") {
    const absl::Status status =
        CheckStandardInput(!TakesStandardInput(arguments));
    if (!status.ok()) return status;
  }
  const absl::StatusOr<size_t> max_bytes = MaxPayloadBytes();
  if (!max_bytes.ok()) return max_bytes.status();
  return Input::Open(path, *max_bytes, absl::GetFlag(FLAGS_null) ? '\0' : '\n');
}

ExitCode PrintEnd(const JobRequest& request) {
  const absl::Status status = request.status();
  if (absl::GetFlag(FLAGS_json)) {
    JsonObject object;
    Describe(request, object);
    const ExitCode printed = Print(object.ToLine());
    return status.ok() ? printed : ExitCodeOf(status);
  }
  if (!status.ok()) {
    // If the user has interrupted it, no reason is needed.
    if (!absl::IsCancelled(status)) Report(status);
    if (const std::string how = HowToAsk(request); !how.empty()) {
      PrintError(absl::StrCat("gearctl: ", how, "\n"));
    }
    return ExitCodeOf(status);
  }
  if (request.background()) {
    return Print(absl::StrCat(request.id().ToString(), "\n"));
  }
  const absl::string_view result = request.result_view();
  const ExitCode printed = Print(result);
  const bool open_line =
      IsTerminal(STDOUT_FILENO) && !result.empty() && result.back() != '\n';
  return open_line && printed == kSuccess ? Print("\n") : printed;
}

ExitCode SubmitOne(Client& client, JobSpec spec) {
  Signals signals;
  ProgressLine progress;
  // If nobody reads the output, there is no reason to wait.
  std::atomic<ExitCode> printed{kSuccess};
  if (!absl::GetFlag(FLAGS_json) && !spec.background) {
    JobCallbacks& callbacks = spec.options.callbacks;
    callbacks.on_data = [&](const JobRequest& request, absl::string_view data) {
      progress.Clear();
      printed = Print(data);
      if (printed != kSuccess) request.Cancel();
    };
    callbacks.on_warning = [&](const JobRequest&, absl::string_view data) {
      progress.Clear();
      PrintWarning(data);
    };
    callbacks.on_status = [&](const JobRequest& request,
                              const JobStatus& status) {
      progress.Show(status.numerator, status.denominator, request.task());
    };
  }
  const JobRequest request = client.SubmitJob(std::move(spec));
  {
    SignalThread thread(
        signals, [&request] { request.Cancel(); },
        [&progress] { progress.Redraw(); });
    client.Wait(request).IgnoreError();  // the request reports its failure
  }
  progress.Clear();
  return printed == kSuccess ? PrintEnd(request) : printed.load();
}

}  // namespace

ExitCode RunSubmit(const Arguments& arguments) {
  absl::StatusOr<JobSpec> spec = MakeSpec(arguments.words[0]);
  if (!spec.ok()) return Report(spec.status());
  const bool lines = absl::GetFlag(FLAGS_lines);
  if (!lines && absl::GetFlag(FLAGS_null)) {
    return Report(absl::InvalidArgumentError(
        "--null says how --lines ends a line: give both"));
  }
  if (lines && spec->options.unique) {
    return Report(absl::InvalidArgumentError(
        "--unique would join all jobs of --lines into one"));
  }
  absl::StatusOr<std::unique_ptr<Input>> input = OpenInput(arguments);
  if (!input.ok()) return Report(input.status());
  absl::StatusOr<std::unique_ptr<Client>> client = MakeClient();
  if (!client.ok()) return Report(client.status());
  if (lines) return SubmitLines(**client, *spec, **input);
  if (*input != nullptr) {
    absl::StatusOr<std::string> data = (*input)->ReadAll();
    if (!data.ok()) return Report(data.status());
    if (data->empty() && TakesStandardInput(arguments)) {
      PrintError(
          "gearctl: standard input is empty, and so is the payload; --data '' "
          "says that it shall be\n");
    }
    spec->data = *std::move(data);
  } else {
    spec->data = absl::GetFlag(FLAGS_data);
  }
  return SubmitOne(**client, *std::move(spec));
}

}  // namespace gearctl
}  // namespace gearman
