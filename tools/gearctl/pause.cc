// gearctl pause and resume give orders to a worker, over its control task.
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/exit_code.h"
#include "gearman/tools/gearctl/failures.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/subcommand.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/text.h"

namespace gearman {
namespace gearctl {
namespace {

ExitCode PrintPaused(absl::string_view names) {
  std::string text;
  for (const absl::string_view name :
       absl::StrSplit(names, '\n', absl::SkipEmpty())) {
    if (absl::GetFlag(FLAGS_json)) {
      JsonObject object;
      object.Set("task", name);
      object.SetBool("paused", true);
      absl::StrAppend(&text, object.ToLine());
    } else {
      absl::StrAppend(&text, Printable(name), "\n");
    }
  }
  return Print(text);
}

// Gives an order, and returns the names of the worker's paused tasks.
absl::StatusOr<std::string> Give(Client& client, const std::string& control,
                                 std::string order) {
  CallOptions options;
  options.timeout = QuestionTimeout();
  absl::StatusOr<std::string> paused =
      client.Run(control, std::move(order), options);
  if (!absl::IsDeadlineExceeded(paused.status())) return paused;
  return absl::DeadlineExceededError(
      absl::StrCat(paused.status().message(),
                   "; no worker took the order: is one running "
                   "that takes orders over this task, and has it a handler "
                   "that is free?"));
}

// `verb` is the order for each task that is named.
ExitCode GiveOrders(const Arguments& arguments, absl::string_view verb) {
  absl::StatusOr<std::unique_ptr<Client>> client = MakeClient();
  if (!client.ok()) return Report(client.status());
  const std::string& control = arguments.words[0];
  absl::StatusOr<std::string> paused = std::string();
  if (arguments.words.size() == 1) {
    paused = Give(**client, control, "paused");
    return paused.ok() ? PrintPaused(*paused) : Report(paused.status());
  }
  Failures failures;
  std::string names;
  for (size_t i = 1; i < arguments.words.size(); ++i) {
    const std::string& task = arguments.words[i];
    // After a worker that takes no orders, each further task would wait
    // equally long.
    if (!absl::IsDeadlineExceeded(paused.status())) {
      paused = Give(**client, control, absl::StrCat(verb, " ", task));
    }
    if (paused.ok()) names = *paused;
    failures.Add(absl::StrCat("task \"", task, "\""), paused.status());
  }
  const ExitCode printed = PrintPaused(names);
  const absl::Status status = failures.ToStatus();
  return status.ok() ? printed : Report(status);
}

}  // namespace

ExitCode RunPause(const Arguments& arguments) {
  return GiveOrders(arguments, "pause");
}

ExitCode RunResume(const Arguments& arguments) {
  return GiveOrders(arguments, "resume");
}

}  // namespace gearctl
}  // namespace gearman
