#include "gearman/tools/gearctl/submit_lines.h"

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
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
#include "absl/time/time.h"
#include "gearman/text/safe_text.h"
#include "gearman/tools/gearctl/failures.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/job_report.h"
#include "gearman/tools/gearctl/no_room.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/terminal.h"
#include "gearman/tools/gearctl/write_all.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace gearctl {
namespace {

// The most lines whose results have not been printed: enough to keep servers
// busy, and few enough for an endless input.
constexpr size_t kLinesInFlight = 10000;
// The most payload bytes of lines whose results have not been printed.
constexpr size_t kBytesInFlight = 256u << 20;
// The most lines that are taken at once, so that available lines leave in few
// writes.
constexpr size_t kLinesAtOnce = 500;
// The time between two looks whether there is room for another line.
constexpr absl::Duration kLookForRoom = absl::Milliseconds(20);
// Output of several lines is gathered up to so many bytes.
constexpr size_t kOutputBytes = 1 << 16;

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
  bool cancelled() {
    absl::MutexLock lock(&mutex_);
    return cancelled_;
  }
  // Waits for the oldest request. nullopt: it was closed and is empty.
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
  // Says that nothing more comes.
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  // Says that nothing more is wanted. Requests that were just submitted may
  // still come.
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
  std::deque<size_t> sizes_ ABSL_GUARDED_BY(mutex_);  // one for each request
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;          // their sum
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// Submits again those of `requests` for which the client had no room, until it
// has, or until `line` is cancelled. (A submission that waits for room could
// not be interrupted.)
void AwaitRoom(Client& client, std::vector<JobRequest> requests, Line& line) {
  while (!line.cancelled()) {
    std::vector<JobRequest> waiting;
    const JobRequest* oldest = nullptr;  // of those that are under way
    for (const JobRequest& request : requests) {
      if (FoundNoRoom(request)) {
        waiting.push_back(request);
      } else if (oldest == nullptr && !request.finished()) {
        oldest = &request;
      }
    }
    if (waiting.empty()) return;
    // Room comes when a request ends, or when bytes leave.
    if (oldest != nullptr) {
      client.Wait(*oldest, kLookForRoom).IgnoreError();
    } else {
      client.RunOnce(Clock::Real()->Now() + kLookForRoom);
    }
    client.SubmitMultipleRequests(waiting).IgnoreError();
  }
}

// Prints results in the order of the lines. One thread.
class LinePrinter {
 public:
  // Adds the output of a finished request.
  void Add(const JobRequest& request) {
    ++lines_;
    const absl::Status status = request.status();
    // After an interrupt nobody waits for room any more.
    if (absl::IsCancelled(status) || FoundNoRoom(request)) {
      ++cancelled_;
      ++missing_;
      return;
    }
    if (absl::GetFlag(FLAGS_json)) {
      JsonObject object;
      object.SetNumber("line", static_cast<double>(lines_));
      Describe(request, object);
      output_ += object.ToLine();
      Note(ExitCodeOf(status));
    } else {
      AppendLine(request, status);
    }
    if (output_.size() >= kOutputBytes) Flush();
  }
  // Call it before a wait.
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
  // Returns the exit code of the program. Reports how many jobs were given up.
  ExitCode End(bool interrupted) {
    Flush();
    progress_.Clear();
    for (const std::string& others : failures_.Others()) {
      PrintError(absl::StrCat("gearctl: ", others, "\n"));
    }
    if (interrupted && cancelled_ > 0) {
      PrintError(absl::StrCat("gearctl: interrupted: ", cancelled_, " of ",
                              lines_,
                              " jobs had not ended; those that a server has go "
                              "on\n"));
    }
    return interrupted ? kInterrupted : worst_;
  }
  // True if output can't be written any more.
  bool failed() const { return failed_; }
  ProgressLine& progress() { return progress_; }

 private:
  // If a request has failed, the failure is reported and its line is empty.
  void AppendLine(const JobRequest& request, const absl::Status& status) {
    for (const std::string& warning : request.warning_updates()) {
      progress_.Clear();
      PrintWarning(warning);
    }
    // Each result stays in its line, also behind lines that were given up.
    output_.append(std::exchange(missing_, 0), line_end_);
    const size_t begin = output_.size();
    if (!status.ok()) {
      Fail(status, request, HowToAsk(request));
    } else if (request.background()) {
      output_ += request.id().ToString();
    } else {
      for (const std::string& data : request.data_updates()) output_ += data;
      absl::StrAppend(&output_, request.result_view());
      // Most commands end their output with a line feed.
      if (line_end_ == '\n' && output_.size() > begin &&
          output_.back() == '\n') {
        output_.pop_back();
      }
    }
    if (output_.find(line_end_, begin) != std::string::npos) {
      output_.resize(begin);
      Fail(SeveralLines(), request, "");
    }
    output_ += line_end_;
  }

  absl::Status SeveralLines() const {
    return absl::FailedPreconditionError(
        line_end_ == '\n'
            ? "the result has line feeds, and would be read as several lines, "
              "so its line is empty: --null or --json print it"
            : "the result has a NUL, and would be read as several results, so "
              "it is left out: --json prints it");
  }

  // `how_to_ask` names the job, so it is printed for each line.
  void Fail(const absl::Status& status, const JobRequest& request,
            const std::string& how_to_ask) {
    Note(ExitCodeOf(status));
    if (how_to_ask.empty() && !failures_.IsNew(lines_, status,
                                               {SafeText(request.handle()),
                                                SafeText(request.unique())})) {
      return;
    }
    progress_.Clear();
    Report(
        absl::Status(status.code(),
                     absl::StrCat("line ", lines_, ": ", status.message(),
                                  how_to_ask.empty() ? "" : "\n", how_to_ask)));
  }

  void Note(ExitCode code) {
    if (worst_ == kSuccess) worst_ = code;
  }

  const bool terminal_ = IsTerminal(STDOUT_FILENO);
  const char line_end_ = absl::GetFlag(FLAGS_null) ? '\0' : '\n';
  ProgressLine progress_;
  LineFailures failures_;
  std::string output_;
  int64_t lines_ = 0;
  int64_t cancelled_ = 0;
  size_t missing_ = 0;  // cancelled lines since the last result
  ExitCode worst_ = kSuccess;
  bool failed_ = false;
};

}  // namespace

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
      client.Wait(*request).IgnoreError();  // the request reports its failure
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
        specs[i].options.when_full = WhenFull::kDrop;
      }
      const std::vector<JobRequest> requests =
          client.SubmitMultipleJobs(std::move(specs));
      AwaitRoom(client, requests, line);
      if (!line.Put(requests, sizes)) break;
    }
    line.Close();
    printing.join();
  }
  const ExitCode code = printer.End(interrupted);
  return read.ok() ? code : Report(read);
}

}  // namespace gearctl
}  // namespace gearman
