// gearctl submit: a job, or one for each line of the input.
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/input.h"
#include "gearman/tools/gearctl/job_text.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/terminal.h"
#include "gearman/tools/gearctl/text.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace gearctl {
namespace {

// Lines whose results have not been printed. Enough to keep servers busy, and
// few enough for an input without end.
constexpr size_t kLinesInFlight = 10000;
// Bytes of payload of lines whose results have not been printed.
constexpr size_t kBytesInFlight = 256u << 20;
// What is there of the input leaves in so few writes.
constexpr size_t kLinesAtOnce = 500;
// Output of several lines is gathered up to so many bytes.
constexpr size_t kOutputBytes = 1 << 16;

// What the flags say of a job.
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
  const int retries = absl::GetFlag(FLAGS_retries);
  if (retries < 0) {
    return absl::InvalidArgumentError("--retries must not be negative");
  }
  if (retries > 0) {
    spec.options.max_connection_attempts = retries + 1;
    spec.options.idempotent = true;
  }
  return spec;
}

// Where payloads come from: --file or standard input; null: neither.
absl::StatusOr<std::unique_ptr<Input>> OpenInput(const Arguments& arguments) {
  const std::string path = absl::GetFlag(FLAGS_file);
  const bool standard_input = arguments.words.size() > 1;
  if (standard_input && arguments.words[1] != "-") {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", arguments.words[1],
                     "\" is too much: a payload is given by --data TEXT, "
                     "--file FILE, or \"-\" for standard input"));
  }
  if (standard_input + !path.empty() + !absl::GetFlag(FLAGS_data).empty() > 1) {
    return absl::InvalidArgumentError(
        "only one of --data, --file and \"-\" can be the payload");
  }
  if (path.empty() && !standard_input) return nullptr;
  const absl::StatusOr<size_t> max_bytes = MaxPayloadBytes();
  if (!max_bytes.ok()) return max_bytes.status();
  return Input::Open(path.empty() ? "-" : path, *max_bytes);
}

void Describe(const JobRequest& request, JsonObject& object) {
  object.Set("task", request.task());
  object.Set("state", JobStateName(request.state()));
  object.SetBool("background", request.background());
  if (!request.handle().empty()) {
    object.Set("handle", request.handle());
    object.Set("server", request.connection());
    object.Set("unique", request.unique());
    object.Set("id", request.id().ToString());
  }
  if (const auto data = request.data_updates(); !data.empty()) {
    object.SetList("data", data);
  }
  if (const auto warnings = request.warning_updates(); !warnings.empty()) {
    object.SetList("warnings", warnings);
  }
  if (request.result()) object.Set("result", *request.result());
  if (request.exception()) object.Set("exception", *request.exception());
  if (!request.status().ok()) {
    object.Set("code", absl::StatusCodeToString(request.status().code()));
    object.Set("error", request.status().message());
  }
}

void PrintWarning(absl::string_view data) {
  std::fprintf(stderr, "warning: %s\n", Printable(data).c_str());
}

// How to ask for one that is waited for no longer. Before the server has said
// its handle, it may have the job all the same.
ExitCode ReportCancelled(const JobRequest& request) {
  std::fprintf(stderr, "gearctl: the job %s on; to ask: gearctl job '%s'\n",
               request.handle().empty() ? "may go" : "goes",
               request.id().ToString().c_str());
  return kInterrupted;
}

ExitCode PrintEnd(const JobRequest& request) {
  const absl::Status status = request.status();
  if (absl::GetFlag(FLAGS_json)) {
    JsonObject object;
    Describe(request, object);
    const ExitCode printed = Print(object.ToLine());
    return status.ok() ? printed : ExitCodeOf(status);
  }
  if (absl::IsCancelled(status)) return ReportCancelled(request);
  if (!status.ok()) return Report(status);
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
  // Nobody reads the output: nothing is to be waited for.
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
    client.Wait(request).IgnoreError();  // the request tells
  }
  progress.Clear();
  return printed == kSuccess ? PrintEnd(request) : printed.load();
}

// Requests in the order of their lines, between the thread that submits and the
// thread that prints.
class Line {
 public:
  // Waits for room. `sizes` are the sizes of the requests' payloads. False: no
  // more requests are wanted, and these are cancelled, too.
  bool Put(const std::vector<JobRequest>& requests,
           const std::vector<size_t>& sizes) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](Line* line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(line->mutex_) {
            return line->cancelled_ ||
                   (line->requests_.size() < kLinesInFlight &&
                    line->bytes_ < kBytesInFlight);
          },
          this));
      requests_.insert(requests_.end(), requests.begin(), requests.end());
      sizes_.insert(sizes_.end(), sizes.begin(), sizes.end());
      bytes_ = std::accumulate(sizes.begin(), sizes.end(), bytes_);
      if (!cancelled_) return true;
    }
    for (const JobRequest& request : requests) request.Cancel();
    return false;
  }
  bool empty() {
    absl::MutexLock lock(&mutex_);
    return requests_.empty();
  }
  // Waits for the oldest; none: it was closed and is empty.
  std::optional<JobRequest> Front() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Line* line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(line->mutex_) {
          return line->closed_ || !line->requests_.empty();
        },
        this));
    if (requests_.empty()) return std::nullopt;
    return requests_.front();
  }
  void Pop() {
    absl::MutexLock lock(&mutex_);
    requests_.pop_front();
    bytes_ -= sizes_.front();
    sizes_.pop_front();
  }
  // Nothing more comes.
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  // Nothing more is wanted. What has just been submitted may still come.
  void Cancel() {
    std::vector<JobRequest> requests;
    {
      absl::MutexLock lock(&mutex_);
      cancelled_ = true;
      requests.assign(requests_.begin(), requests_.end());
    }
    for (const JobRequest& request : requests) request.Cancel();
  }

 private:
  absl::Mutex mutex_;
  std::deque<JobRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::deque<size_t> sizes_ ABSL_GUARDED_BY(mutex_);  // one for each
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;          // their sum
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// Prints results in the order of the lines. One thread.
class LinePrinter {
 public:
  // Gathers what becomes of a finished request.
  void Add(const JobRequest& request) {
    ++lines_;
    const absl::Status status = request.status();
    if (absl::IsCancelled(status)) {
      ++cancelled_;
      return;
    }
    if (absl::GetFlag(FLAGS_json)) {
      JsonObject object;
      object.SetNumber("line", static_cast<double>(lines_));
      Describe(request, object);
      output_ += object.ToLine();
      Note(ExitCodeOf(status));
    } else {
      AddText(request, status);
    }
    if (output_.size() >= kOutputBytes) Flush();
  }
  // Before it waits.
  void Flush() {
    if (!output_.empty()) {
      progress_.Clear();
      const ExitCode printed = Print(output_);
      if (printed != kSuccess) failed_ = true;
      Note(printed);
      output_.clear();
    }
    if (!terminal_) progress_.Show(lines_, 0, "lines done");
  }
  // What the program ends with; says how many jobs were given up.
  ExitCode End(bool interrupted) {
    Flush();
    progress_.Clear();
    if (interrupted && cancelled_ > 0) {
      std::fprintf(stderr,
                   "gearctl: interrupted: %lld of %lld jobs had not ended; "
                   "those that a server has go on\n",
                   static_cast<long long>(cancelled_),
                   static_cast<long long>(lines_));
    }
    return interrupted ? kInterrupted : worst_;
  }
  // Output can't be written any more.
  bool failed() const { return failed_; }
  ProgressLine& progress() { return progress_; }

 private:
  void AddText(const JobRequest& request, const absl::Status& status) {
    for (const std::string& warning : request.warning_updates()) {
      progress_.Clear();
      PrintWarning(warning);
    }
    if (status.ok() && request.background()) {
      absl::StrAppend(&output_, request.id().ToString(), "\n");
      return;
    }
    for (const std::string& data : request.data_updates()) output_ += data;
    absl::StrAppend(&output_, request.result_view(), "\n");
    if (!status.ok()) {
      progress_.Clear();
      Note(
          Report(absl::Status(status.code(), absl::StrCat("line ", lines_, ": ",
                                                          status.message()))));
    }
  }

  void Note(ExitCode code) {
    if (worst_ == kSuccess) worst_ = code;
  }

  const bool terminal_ = IsTerminal(STDOUT_FILENO);
  ProgressLine progress_;
  std::string output_;
  int64_t lines_ = 0;
  int64_t cancelled_ = 0;
  ExitCode worst_ = kSuccess;
  bool failed_ = false;
};

ExitCode SubmitLines(Client& client, const JobSpec& pattern, Input& input) {
  Signals signals;
  Line line;
  LinePrinter printer;
  std::thread printing;
  const auto print = [&] {
    for (;;) {
      if (line.empty()) printer.Flush();
      const std::optional<JobRequest> request = line.Front();
      if (!request) return;
      if (!request->finished()) printer.Flush();
      client.Wait(*request).IgnoreError();  // the request tells
      printer.Add(*request);
      line.Pop();
      if (printer.failed()) {
        line.Cancel();
        input.Stop();
        return;
      }
    }
  };
  absl::Status read = StartThread("the thread that prints", print, &printing);
  if (!read.ok()) return Report(read);
  std::atomic<bool> interrupted{false};
  {
    SignalThread thread(
        signals,
        [&] {
          interrupted = true;
          line.Cancel();
          input.Stop();
        },
        [&printer] { printer.progress().Redraw(); });
    for (;;) {
      absl::StatusOr<std::vector<std::string>> texts =
          input.NextLines(kLinesAtOnce);
      if (!texts.ok()) read = texts.status();
      if (!texts.ok() || texts->empty()) break;
      std::vector<JobSpec> specs(texts->size(), pattern);
      std::vector<size_t> sizes(texts->size());
      for (size_t i = 0; i < specs.size(); ++i) {
        sizes[i] = (*texts)[i].size();
        specs[i].data = std::move((*texts)[i]);
      }
      if (!line.Put(client.SubmitMultipleJobs(std::move(specs)), sizes)) break;
    }
    line.Close();
    printing.join();
  }
  const ExitCode code = printer.End(interrupted);
  return read.ok() ? code : Report(read);
}

}  // namespace

ExitCode RunSubmit(const Arguments& arguments) {
  absl::StatusOr<JobSpec> spec = MakeSpec(arguments.words[0]);
  if (!spec.ok()) return Report(spec.status());
  absl::StatusOr<std::unique_ptr<Input>> input = OpenInput(arguments);
  if (!input.ok()) return Report(input.status());
  const bool lines = absl::GetFlag(FLAGS_lines);
  if (lines && *input == nullptr) {
    return Report(absl::InvalidArgumentError(
        "--lines reads --file FILE, or \"-\" for standard input"));
  }
  if (lines && spec->options.unique) {
    return Report(absl::InvalidArgumentError(
        "--unique would join all jobs of --lines into one"));
  }
  absl::StatusOr<std::unique_ptr<Client>> client = MakeClient();
  if (!client.ok()) return Report(client.status());
  if (lines) return SubmitLines(**client, *spec, **input);
  if (*input != nullptr) {
    absl::StatusOr<std::string> data = (*input)->ReadAll();
    if (!data.ok()) return Report(data.status());
    spec->data = *std::move(data);
  } else {
    spec->data = absl::GetFlag(FLAGS_data);
  }
  return SubmitOne(**client, *std::move(spec));
}

}  // namespace gearctl
}  // namespace gearman
