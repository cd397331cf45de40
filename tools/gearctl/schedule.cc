// gearctl schedule submits background jobs at the times of a file.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/scheduler.h"
#include "gearman/sdk/scheduler/ticks.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/input.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/schedule_lines.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {
namespace {

using internal::Ticks;

absl::StatusOr<std::vector<Ticks>> ReadSchedules(const std::string& file) {
  // The largest payload is also the limit of the file that holds payloads.
  const absl::StatusOr<size_t> limit = MaxPayloadBytes();
  if (!limit.ok()) return limit.status();
  const absl::StatusOr<std::unique_ptr<Input>> input =
      Input::Open(file, *limit);
  if (!input.ok()) return input.status();
  const absl::StatusOr<std::string> text = (*input)->ReadAll();
  if (!text.ok()) return text.status();
  return ParseScheduleLines(*text, file == "-" ? "standard input" : file);
}

// Shows the next `count` times of each schedule.
ExitCode ShowNext(std::vector<Ticks> schedules, int64_t count) {
  const absl::Time now = absl::Now();
  const bool json = absl::GetFlag(FLAGS_json);
  Output output;
  Table table({"NAME", "TIME", "ZONE", "TASK"},
              [&output](absl::string_view text) { output.Write(text); });
  for (Ticks& ticks : schedules) {
    const Schedule& schedule = ticks.schedule();
    ticks.MoveBehind(now);
    for (int64_t i = 0; i < count; ++i) {
      const std::string time =
          absl::FormatTime(absl::RFC3339_sec, ticks.next(), schedule.time_zone);
      if (json) {
        JsonObject object;
        object.Set("name", schedule.name);
        object.Set("time", time);
        object.Set("zone", schedule.time_zone.name());
        object.Set("task", schedule.task);
        output.Write(object.ToLine());
      } else {
        table.AddRow(
            {schedule.name, time, schedule.time_zone.name(), schedule.task});
      }
      ticks.MoveBehind(ticks.next());
    }
  }
  if (!json) table.Finish();
  return output.Flush();
}

absl::StatusOr<SchedulerOptions> MakeSchedulerOptions() {
  SchedulerOptions options;
  options.lead = absl::GetFlag(FLAGS_lead).duration();
  options.margin = absl::GetFlag(FLAGS_margin).duration();
  if (options.margin >= options.lead) {
    return absl::InvalidArgumentError(
        absl::StrCat("--margin (", absl::FormatDuration(options.margin),
                     ") must be less than --lead (",
                     absl::FormatDuration(options.lead), ")"));
  }
  absl::StatusOr<ClientOptions> client = MakeClientOptions();
  if (!client.ok()) return client.status();
  options.client = *std::move(client);
  // The scheduler has no other way to say that a tick is missed.
  options.client.logger = MakeLogger(LogLevel::kWarning);
  // The selection of another program's config does not count here. A tick is
  // done once only if all schedulers choose its server alike.
  options.client.server_selector = nullptr;
  return options;
}

absl::StatusOr<std::unique_ptr<Scheduler>> StartScheduler(
    const std::vector<Ticks>& schedules) {
  absl::StatusOr<SchedulerOptions> options = MakeSchedulerOptions();
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<Scheduler>> scheduler =
      Scheduler::Create(*std::move(options));
  if (!scheduler.ok()) return AddressError(scheduler.status());
  for (const Ticks& ticks : schedules) {
    absl::Status added = (*scheduler)->Add(ticks.schedule());
    if (!added.ok()) return added;
  }
  absl::Status started = (*scheduler)->Start();
  if (!started.ok()) return started;
  return scheduler;
}

ExitCode TellTicks(const SchedulerStats& stats) {
  if (!absl::GetFlag(FLAGS_json)) {
    PrintError(absl::StrCat("gearctl: ", stats.accepted, " ticks accepted, ",
                            stats.missed, " missed, ", stats.unknown,
                            " unknown\n"));
    return kSuccess;
  }
  JsonObject object;
  object.SetNumber("accepted", static_cast<double>(stats.accepted));
  object.SetNumber("missed", static_cast<double>(stats.missed));
  object.SetNumber("unknown", static_cast<double>(stats.unknown));
  return Print(object.ToLine());
}

}  // namespace

ExitCode RunSchedule(const Arguments& arguments) {
  absl::StatusOr<std::vector<Ticks>> schedules =
      ReadSchedules(arguments.words[0]);
  if (!schedules.ok()) return Report(schedules.status());
  const int64_t next = absl::GetFlag(FLAGS_next).value();
  if (next > 0) return ShowNext(*std::move(schedules), next);
  Signals signals;
  const absl::StatusOr<std::unique_ptr<Scheduler>> scheduler =
      StartScheduler(*schedules);
  if (!scheduler.ok()) return Report(scheduler.status());
  PrintError(absl::StrCat("gearctl: submits the jobs of ", schedules->size(),
                          " schedule", schedules->size() == 1 ? "" : "s",
                          "; Ctrl-C ends it\n"));
  while (!AsksToEnd(signals.WaitFor(absl::InfiniteDuration()))) {
  }
  return TellTicks((*scheduler)->stats());
}

}  // namespace gearctl
}  // namespace gearman
