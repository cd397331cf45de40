// gearctl bench measures jobs per second, and the time that each job takes.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
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
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/worker.h"
#include "gearman/tools/gearctl/ask_all.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/latencies.h"
#include "gearman/tools/gearctl/load.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/terminal.h"
#include "gearman/tools/gearctl/write_all.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace gearctl {
namespace {

// Workers that return each payload, each on its own thread.
class EchoWorkers {
 public:
  explicit EchoWorkers(std::string task) : task_(std::move(task)) {}
  ~EchoWorkers() { End(absl::ZeroDuration()); }

  // Returns when the servers know that no worker here offers the task any more,
  // or after `limit`.
  void End(absl::Duration limit) {
    for (const auto& worker : workers_) {
      worker->Unregister(task_).IgnoreError();  // OK: it is registered
      worker->Drain(limit);
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    workers_.clear();
  }

  absl::Status Start(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      absl::StatusOr<WorkerOptions> options = MakeWorkerOptions();
      if (!options.ok()) return options.status();
      options->client_id = "gearctl-bench";
      // These workers are none of the program whose config this may be.
      options->concurrency = 1;
      options->control_task.clear();
      absl::StatusOr<std::unique_ptr<Worker>> worker =
          Worker::Create(*std::move(options));
      if (!worker.ok()) return AddressError(worker.status());
      absl::Status status = (*worker)->Register(
          task_, [this](JobContext& context) -> absl::StatusOr<std::string> {
            absl::MutexLock lock(&mutex_);
            ++done_;
            return std::string(context.job().data());
          });
      if (!status.ok()) return status;
      std::thread thread;
      status = StartThread(
          "a worker's thread",
          [worker = worker->get()] {
            worker->Run().IgnoreError();  // OK: it was stopped
          },
          &thread);
      if (!status.ok()) return status;
      threads_.push_back(std::move(thread));
      workers_.push_back(*std::move(worker));
    }
    return absl::OkStatus();
  }

  // Waits until the workers have done so many jobs, or until Interrupt.
  void WaitFor(int64_t jobs) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return done_ >= jobs || interrupted_;
    };
    mutex_.Await(absl::Condition(&enough));
  }
  void Interrupt() {
    absl::MutexLock lock(&mutex_);
    interrupted_ = true;
  }

 private:
  const std::string task_;
  absl::Mutex mutex_;
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

absl::StatusOr<std::unique_ptr<Client>> MakeBenchClient(int64_t in_flight) {
  absl::StatusOr<ClientOptions> options = MakeClientOptions();
  if (!options.ok()) return options.status();
  // All payloads are equal, and a server would join their jobs.
  options->unique_mode = UniqueMode::kRandom;
  // There is room for --in-flight, whatever a config says.
  size_t& most = options->limits.max_requests_in_flight;
  most = std::max(most, static_cast<size_t>(in_flight));
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(*std::move(options));
  if (!client.ok()) return AddressError(client.status());
  return client;
}

// A task of this run only, so that no other worker gets its jobs.
std::string OwnTask() {
  return absl::StrCat("gearctl-bench-", getpid(), "-",
                      absl::ToUnixMicros(absl::Now()));
}

// Drops the task at the servers. If they are gone, that does not matter.
void Forget(const std::string& task, absl::Duration limit) {
  const auto options = MakeClientOptions();
  const auto servers = MakeAdminClients(limit);
  if (!options.ok() || !servers.ok()) return;
  const std::string function = absl::StrCat(options->task_prefix, task);
  AskAll(servers->size(), [&](size_t i) {
    (*servers)[i]->DropFunction(function).status().IgnoreError();
  });
}

struct Figures {
  double seconds;
  double jobs_per_second;
  double megabytes_per_second;
};

Figures MakeFigures(const LoadResult& result, size_t payload) {
  Figures figures;
  figures.seconds = absl::ToDoubleSeconds(result.elapsed);
  figures.jobs_per_second =
      figures.seconds > 0
          ? static_cast<double>(result.succeeded) / figures.seconds
          : 0;
  figures.megabytes_per_second =
      figures.jobs_per_second * static_cast<double>(payload) / 1e6;
  return figures;
}

struct Percentile {
  const char* name;  // as a heading, and as a key
  const char* key;
  double part;
};
constexpr Percentile kPercentiles[] = {{"P50", "p50_us", 0.5},
                                       {"P90", "p90_us", 0.9},
                                       {"P99", "p99_us", 0.99},
                                       {"P99.9", "p99_9_us", 0.999}};

// More digits have no meaning.
double Thousandths(double number) { return std::round(number * 1000) / 1000; }

double Microseconds(absl::Duration latency) {
  return Thousandths(absl::ToDoubleMicroseconds(latency));
}

std::string JsonOf(const LoadOptions& options, const LoadResult& result) {
  const Figures figures = MakeFigures(result, options.data.size());
  const Latencies& latencies = result.latencies;
  JsonObject object;
  object.Set("task", options.task);
  object.SetBool("background", options.background);
  object.SetNumber("size", static_cast<double>(options.data.size()));
  object.SetNumber("in_flight", static_cast<double>(options.in_flight));
  object.SetNumber("rate", options.rate);
  object.SetNumber("submitted", static_cast<double>(result.submitted));
  object.SetNumber("succeeded", static_cast<double>(result.succeeded));
  object.SetNumber("failed", static_cast<double>(result.failed));
  object.SetNumber("seconds", Thousandths(figures.seconds));
  object.SetNumber("jobs_per_second", Thousandths(figures.jobs_per_second));
  object.SetNumber("megabytes_per_second",
                   Thousandths(figures.megabytes_per_second));
  object.SetNumber("min_us", Microseconds(latencies.min()));
  object.SetNumber("mean_us", Microseconds(latencies.mean()));
  for (const Percentile& percentile : kPercentiles) {
    object.SetNumber(percentile.key,
                     Microseconds(latencies.Percentile(percentile.part)));
  }
  object.SetNumber("max_us", Microseconds(latencies.max()));
  return object.ToLine();
}

std::string TextOf(const LoadOptions& options, const LoadResult& result) {
  const Figures figures = MakeFigures(result, options.data.size());
  Table rates({"JOBS", "FAILED", "SECONDS", "JOBS/S", "MB/S"});
  rates.AddRow({absl::StrCat(result.succeeded), absl::StrCat(result.failed),
                absl::StrFormat("%.3f", figures.seconds),
                absl::StrFormat("%.0f", figures.jobs_per_second),
                absl::StrFormat("%.2f", figures.megabytes_per_second)});
  std::vector<std::string> heading = {"MIN", "MEAN"};
  const Latencies& latencies = result.latencies;
  std::vector<std::string> row = {ShortDuration(latencies.min()),
                                  ShortDuration(latencies.mean())};
  for (const Percentile& percentile : kPercentiles) {
    heading.emplace_back(percentile.name);
    row.push_back(ShortDuration(latencies.Percentile(percentile.part)));
  }
  heading.emplace_back("MAX");
  row.push_back(ShortDuration(latencies.max()));
  Table table(heading);
  table.AddRow(row);
  return absl::StrCat(
      rates.ToString(), "\n", table.ToString(), "\n",
      TextPlot(latencies, SizeOfTerminal(STDOUT_FILENO).columns));
}

absl::Status WriteSvg(const std::string& path, const LoadOptions& options,
                      const LoadResult& result) {
  std::ofstream file(path, std::ios::binary);
  file << SvgPlot(result.latencies,
                  absl::StrFormat("%s: %d jobs, %.0f a second", options.task,
                                  result.succeeded,
                                  MakeFigures(result, 0).jobs_per_second));
  file.close();
  return file ? absl::OkStatus()
              : absl::UnknownError(absl::StrCat(path, " can't be written"));
}

absl::StatusOr<LoadOptions> MakeLoadOptions(const Arguments& arguments) {
  LoadOptions options;
  options.task = arguments.words.empty() ? OwnTask() : arguments.words[0];
  const int64_t size = absl::GetFlag(FLAGS_size).value();
  options.data.assign(static_cast<size_t>(size), 'x');
  options.background = absl::GetFlag(FLAGS_background);
  options.jobs = absl::GetFlag(FLAGS_jobs).value();
  options.duration = absl::GetFlag(FLAGS_duration).duration();
  options.in_flight = absl::GetFlag(FLAGS_in_flight).value();
  options.rate = absl::GetFlag(FLAGS_rate);
  absl::Status status = Load::Check(options);
  if (!status.ok()) return status;
  return options;
}

ExitCode ShowResult(const LoadOptions& options, const LoadResult& result) {
  const ExitCode printed =
      Print(absl::GetFlag(FLAGS_json) ? JsonOf(options, result)
                                      : TextOf(options, result));
  if (printed != kSuccess) return printed;
  if (const std::string path = absl::GetFlag(FLAGS_svg); !path.empty()) {
    const absl::Status status = WriteSvg(path, options, result);
    if (!status.ok()) return Report(status);
  }
  if (result.failed == 0) return kSuccess;
  PrintError(absl::StrCat("gearctl: ", result.failed,
                          " jobs failed; the first one:\n"));
  return Report(result.first_failure);
}

}  // namespace

ExitCode RunBench(const Arguments& arguments) {
  absl::StatusOr<LoadOptions> options = MakeLoadOptions(arguments);
  if (!options.ok()) return Report(options.status());
  const bool own = arguments.words.empty();
  Signals signals;
  ProgressLine progress;
  auto workers = std::make_unique<EchoWorkers>(options->task);
  absl::StatusOr<std::unique_ptr<Client>> client =
      MakeBenchClient(options->in_flight);
  if (!client.ok()) return Report(client.status());
  absl::Status status;
  {
    const EndAtSignal ending(signals, kInterrupted);
    status = (*client)->WaitForReady(QuestionTimeout());
  }
  if (own && status.ok()) {
    status = workers->Start(absl::GetFlag(FLAGS_workers).value());
  }
  if (!status.ok()) return Report(status);
  const bool by_time = options->duration > absl::ZeroDuration();
  Load load(**client, *options);
  LoadResult result;
  std::atomic<bool> interrupted{false};
  // The first job finds connections and workers. It is not part of the figures.
  std::optional<JobRequest> first;
  if (own) {
    JobSpec spec(options->task, options->data);
    spec.options.timeout = QuestionTimeout();
    first = (*client)->SubmitJob(std::move(spec));
  }
  {
    SignalThread thread(
        signals,
        [&] {
          interrupted = true;
          if (first) first->Cancel();
          load.Stop();
          workers->Interrupt();
        },
        [&progress] { progress.Redraw(); });
    if (first) status = (*client)->Wait(*first);
    if (status.ok()) {
      result = load.Run([&](int64_t done) {
        progress.Show(done, by_time ? 0 : options->jobs, "jobs done");
      });
    }
    // Background jobs of a task that no other worker does must not be left
    // behind.
    if (own && options->background && status.ok()) {
      workers->WaitFor(result.succeeded + 1);
    }
  }
  client->reset();  // ends jobs in progress before the load
  progress.Clear();
  ExitCode code = kInterrupted;
  if (status.ok()) {
    code = ShowResult(*options, result);
    if (interrupted && code == kSuccess) code = kInterrupted;
  } else if (!interrupted) {
    code = Report(status);
  }
  // A server that hangs must not hold up the end for long.
  const absl::Duration limit =
      interrupted ? absl::Seconds(1) : QuestionTimeout();
  const EndAtSignal ending(signals, kInterrupted);
  workers->End(limit);
  if (own) Forget(options->task, limit);
  return code;
}

}  // namespace gearctl
}  // namespace gearman
