// The worker and the client of the picture of the dashboard
// (tools/dashboard_picture): a small shop whose jobs take a while, fail now and
// then, and come at a rate that the caller changes while it runs.
//
//   shop worker CONFIG   does the jobs until SIGTERM
//   shop client CONFIG   submits jobs at the rates that standard input names
//
// A line of standard input is `TASK JOBS_PER_SECOND`. The end of standard input
// ends the client when all its jobs have ended. Both print "ready".
//
//   resize   takes 40 ms
//   mail     takes 5 ms; one of 10 fails, and one of 25 raises an exception.
//            The client tries such a job again
//   report   a background job that takes 150 ms
//   export   must end within 200 ms, and one of 4 does not
#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_signals.h"

namespace {

using gearman::JobContext;

// The number of jobs of one task that have begun in this process.
class Count {
 public:
  // True for one job of `n`.
  bool IsOneOf(int n) { return ++begun_ % n == 0; }

 private:
  std::atomic<int> begun_ = 0;
};

absl::StatusOr<std::string> Mail(Count* begun, Count* strange) {
  absl::SleepFor(absl::Milliseconds(5));
  if (strange->IsOneOf(25)) return absl::NotFoundError("no such recipient");
  if (begun->IsOneOf(10)) return gearman::JobFailed();
  return std::string("sent");
}

absl::Status Work(const gearman::Config& config) {
  const auto worker = gearman::CreateWorker(config);
  if (!worker.ok()) return worker.status();
  Count mails;
  Count strange_mails;
  Count exports;
  const auto resize = [](JobContext&) -> absl::StatusOr<std::string> {
    absl::SleepFor(absl::Milliseconds(40));
    return std::string(2000, 'x');
  };
  const auto mail = [&](JobContext&) { return Mail(&mails, &strange_mails); };
  const auto report = [](JobContext&) -> absl::StatusOr<std::string> {
    absl::SleepFor(absl::Milliseconds(150));
    return std::string("written");
  };
  const auto export_rows =
      [&exports](JobContext&) -> absl::StatusOr<std::string> {
    absl::SleepFor(absl::Milliseconds(exports.IsOneOf(4) ? 300 : 60));
    return std::string("exported");
  };
  gearman::TaskOptions limited;
  limited.time_limit = absl::Milliseconds(200);
  absl::Status status = (*worker)->Register("resize", resize);
  if (status.ok()) status = (*worker)->Register("mail", mail);
  if (status.ok()) status = (*worker)->Register("report", report);
  if (status.ok()) status = (*worker)->Register("export", export_rows, limited);
  if (!status.ok()) return status;
  const auto signals =
      gearman::WorkerSignals::Create({worker->get()}, absl::Seconds(5));
  if (!signals.ok()) return signals.status();
  std::cout << "ready" << std::endl;
  return (*worker)->Run();
}

// The rates of the tasks, which one thread sets and another reads.
class Rates {
 public:
  void Set(const std::string& task, double rate) {
    const absl::MutexLock lock(&mutex_);
    rates_[task] = rate;
  }
  void End() {
    const absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  // Returns after `step` the tasks of which a job is due, one entry a job.
  // Returns nothing, and sets `*ended`, after End.
  std::vector<std::string> Due(absl::Duration step, bool* ended) {
    const absl::MutexLock lock(&mutex_);
    *ended = mutex_.AwaitWithTimeout(absl::Condition(&ended_), step);
    std::vector<std::string> due;
    if (*ended) return due;
    for (const auto& [task, rate] : rates_) {
      double& owed = owed_[task];
      owed += rate * absl::ToDoubleSeconds(step);
      for (; owed >= 1; owed -= 1) due.push_back(task);
    }
    return due;
  }

 private:
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, double> rates_ ABSL_GUARDED_BY(mutex_);
  // The parts of jobs that a step has left over.
  std::map<std::string, double> owed_ ABSL_GUARDED_BY(mutex_);
};

// Jobs in the foreground that have not ended: the client waits for them.
class Unfinished {
 public:
  void Add() {
    const absl::MutexLock lock(&mutex_);
    ++jobs_;
  }
  void Remove() {
    const absl::MutexLock lock(&mutex_);
    --jobs_;
  }
  void WaitForNone() {
    const absl::MutexLock lock(&mutex_);
    bool (*const none)(int*) = [](int* jobs) { return *jobs == 0; };
    mutex_.Await(absl::Condition(none, &jobs_));
  }

 private:
  absl::Mutex mutex_;
  int jobs_ ABSL_GUARDED_BY(mutex_) = 0;
};

void Submit(gearman::Client& client, const std::string& task,
            Unfinished* unfinished) {
  gearman::CallOptions options;
  options.timeout = absl::Seconds(5);
  if (task == "report") {
    options.priority = gearman::Priority::kLow;
    client.SubmitBackgroundJob(task, std::string(200, 'r'), std::move(options));
    return;
  }
  if (task == "resize") options.priority = gearman::Priority::kHigh;
  options.idempotent = task == "mail";
  unfinished->Add();
  options.callbacks.on_complete = [unfinished](const gearman::JobRequest&) {
    unfinished->Remove();
  };
  client.SubmitJob(task, std::string(500, 'd'), std::move(options));
}

absl::Status Shop(const gearman::Config& config) {
  Unfinished unfinished;
  const auto client = gearman::CreateClient(config);
  if (!client.ok()) return client.status();
  std::cout << "ready" << std::endl;
  Rates rates;
  std::thread buyer([&] {
    for (bool ended = false; !ended;) {
      for (const std::string& task :
           rates.Due(absl::Milliseconds(20), &ended)) {
        Submit(**client, task, &unfinished);
      }
    }
  });
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream fields(line);
    std::string task;
    double rate = 0;
    if (fields >> task >> rate) rates.Set(task, rate);
  }
  rates.End();
  buyer.join();
  unfinished.WaitForNone();
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string side = argc == 3 ? argv[1] : "";
  if (side != "worker" && side != "client") {
    std::cerr << "usage: " << argv[0] << " worker|client CONFIG\n";
    return 2;
  }
  const absl::StatusOr<gearman::Config> config =
      gearman::Config::FromFile(argv[2]);
  absl::Status status = config.status();
  if (status.ok()) status = side == "worker" ? Work(*config) : Shop(*config);
  if (status.ok()) return 0;
  std::cerr << argv[0] << ": " << status << "\n";
  return 1;
}
