// gearctl work is a worker that runs a command for each job.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/sdk/worker.h"
#include "gearman/text/safe_text.h"
#include "gearman/tools/gearctl/child_process.h"
#include "gearman/tools/gearctl/child_reaper.h"
#include "gearman/tools/gearctl/command_runner.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/descriptor_limit.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/program.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/text.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {
namespace {

// The limit for a result, because a command that never stops writing would take
// all memory.
constexpr size_t kMaxResultBytes = 1u << 30;

// The descriptors of a command while it starts: both ends of two pipes, and an
// eventfd.
constexpr uint64_t kDescriptorsOfCommand = 5;
// The number of descriptors for connections, standard streams and the like.
constexpr uint64_t kOtherDescriptors = 128;

// Says what becomes of a job whose command has ended with the error `status`.
std::string FateOf(const Job& job, StopReason reason,
                   const absl::Status& status) {
  switch (reason) {
    case StopReason::kConnectionLost:
      return absl::StrCat("was lost with the connection to ", job.connection(),
                          ", which gives it to a worker again");
    case StopReason::kDrainLimit:
    case StopReason::kStopped:
      return absl::StrCat("was given back to ", job.connection(),
                          ", because this worker ends");
    case StopReason::kNone:
    case StopReason::kTimeLimit:
      break;
  }
  return absl::StrCat("failed: ", SafeMessage(status.message()));
}

// Runs the command for jobs. Thread-safe.
class Command {
 public:
  Command(CommandRunner& runner, const std::vector<std::string>& argv)
      : runner_(runner), argv_(argv) {}

  // Answers a job. `worker` is the worker that has it.
  absl::StatusOr<std::string> Run(Worker& worker, JobContext& context) {
    ChildCommand command;
    command.argv = argv_;
    command.environment = {
        absl::StrCat("GEARMAN_TASK=", context.job().task()),
        absl::StrCat("GEARMAN_HANDLE=", context.job().handle()),
        absl::StrCat("GEARMAN_UNIQUE=", context.job().unique())};
    std::string result;
    const auto on_output = [&](std::string piece) {
      if (stream_) return context.SendData(std::move(piece));
      if (result.size() + piece.size() > kMaxResultBytes) {
        return absl::ResourceExhaustedError(absl::StrCat(
            argv_[0], " wrote more than ", kMaxResultBytes,
            " bytes, which is too large for a result: use --stream"));
      }
      result += piece;
      return absl::OkStatus();
    };
    const StopToken token = context.stop_token();
    bool started = false;
    const absl::Status status = runner_.Run(
        command, context.job().data(), on_output,
        [&token] { return token.stop_requested(); }, &started);
    if (status.ok()) return result;
    if (!started && !absl::IsCancelled(status)) {
      // The fault is this worker's, and the jobs may succeed at another worker.
      // So this worker gives the job back instead of failing it and all later
      // jobs.
      SetUnstartable(status);
      worker.Stop();
      token.WaitFor(absl::InfiniteDuration());
      return JobFailed();  // this result is dropped
    }
    PrintError(absl::StrCat("gearctl: job ", SafeText(context.job().handle()),
                            " of ", SafeText(context.job().task()), " ",
                            FateOf(context.job(), token.reason(), status),
                            "\n"));
    return JobFailed(status.message());
  }

  // Not OK: the reason why the command can't be started.
  absl::Status unstartable() {
    absl::MutexLock lock(&mutex_);
    return unstartable_;
  }

 private:
  void SetUnstartable(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    unstartable_.Update(status);
  }

  CommandRunner& runner_;
  const std::vector<std::string>& argv_;
  const bool stream_ = absl::GetFlag(FLAGS_stream);
  absl::Mutex mutex_;
  absl::Status unstartable_ ABSL_GUARDED_BY(mutex_);
};

void ReportShortage(const absl::Status& status, int64_t at_once) {
  PrintError(absl::StrCat("gearctl: ", Printable(status.message()),
                          "; jobs wait until there is room, and ", at_once,
                          " at once are tried\n"));
}

}  // namespace

ExitCode RunWork(const Arguments& arguments) {
  absl::Status found = CheckProgram(arguments.command[0]);
  if (!found.ok()) return Report(found);
  signal(SIGPIPE, SIG_IGN);  // commands need not read all of their input
  Signals signals;
  absl::StatusOr<std::unique_ptr<ChildReaper>> reaper = ChildReaper::Create();
  if (!reaper.ok()) return Report(reaper.status());
  if (const absl::Status& guarded = (*reaper)->guarded(); !guarded.ok()) {
    ReportWarning(absl::StrCat(
        guarded.message(),
        ": if this worker is killed, what a command has started may go on"));
  }
  CommandRunner runner(reaper->get(), ReportShortage);
  absl::StatusOr<WorkerOptions> options = MakeWorkerOptions();
  if (!options.ok()) return Report(options.status());
  const int64_t concurrency = absl::GetFlag(FLAGS_concurrency).value();
  if (concurrency > 0) options->concurrency = static_cast<int>(concurrency);
  RaiseDescriptorLimit(kDescriptorsOfCommand * static_cast<uint64_t>(std::max(
                                                   options->concurrency, 1)) +
                       kOtherDescriptors);
  if (options->client_id.empty()) options->client_id = "gearctl";
  const std::string control = absl::GetFlag(FLAGS_control);
  if (!control.empty()) options->control_task = control;
  // A command takes longer than a packet, so this worker holds no job that
  // another worker could do.
  options->prefetch.max_jobs = 0;
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(*std::move(options));
  if (!worker.ok()) return Report(AddressError(worker.status()));
  Command command(runner, arguments.command);
  const int64_t count = absl::GetFlag(FLAGS_count).value();
  std::atomic<int64_t> begun{0};
  for (const std::string& task : arguments.words) {
    absl::Status status = (*worker)->Register(task, [&](JobContext& context) {
      // The drain begins with the last job, not at its end: further jobs would
      // have been grabbed by then.
      if (++begun == count) (*worker)->Drain();
      return command.Run(**worker, context);
    });
    if (!status.ok()) return Report(status);
  }
  PrintError(absl::StrCat("gearctl: works on ",
                          absl::StrJoin(arguments.words, ", "), " at ",
                          absl::StrJoin((*worker)->servers(), ", "), "\n"));
  std::atomic<int> interrupts{0};
  SignalThread thread(signals, [&worker, &interrupts] {
    if (++interrupts == 1) {
      (*worker)->Drain();
      PrintError(
          "gearctl: finishes what runs; interrupt again to give it back\n");
    } else {
      (*worker)->Stop();
    }
  });
  // Commands must not outlive the worker. They would if a signal ended it at
  // once.
  if (!signals.status().ok()) return Report(signals.status());
  const absl::Status status = (*worker)->Run();
  const absl::Status unstartable = command.unstartable();
  if (!unstartable.ok()) {
    return Report(absl::Status(
        unstartable.code(),
        absl::StrCat(unstartable.message(),
                     "; its jobs were given back to their servers")));
  }
  return status.ok() && interrupts > 1 ? kInterrupted : Report(status);
}

}  // namespace gearctl
}  // namespace gearman
