// The four call styles beside each other: CPU time and throughput of a client
// with 1,000 tiny jobs in flight, through a real gearmand to a worker in a
// process of its own.
//
//   styles [--rounds=N] [--waves=N] [--only=STYLE]
//
// Each round runs every style, so a machine whose speed changes is fair to all.
// A wave is 1,000 jobs that are submitted at once and all awaited. The table
// has medians; "beside callbacks" is the median of the rounds' quotients.
//
// --only runs the waves of one style, such as "futures, one batch", once and
// without a table. A profiler counts its instructions; the difference between
// runs with more and fewer waves leaves out what the program's start costs.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>  // NOLINT: a call style is made of it
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/children.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/coroutines.h"
#include "gearman/sdk/futures.h"
#include "gearman/sdk/task.h"
#include "gearman/sdk/worker.h"

namespace gearman {
namespace benchmarks {
namespace {

constexpr int kInFlight = 1000;
constexpr char kTask[] = "tiny";

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

std::vector<JobSpec> Specs() {
  std::vector<JobSpec> specs;
  specs.reserve(kInFlight);
  for (int i = 0; i < kInFlight; ++i) {
    specs.emplace_back(kTask, "0123456789abcdef");
  }
  return specs;
}

// --- the styles ----------------------------------------------------------------

void BlockingWave(Client& client) {
  const std::vector<JobRequest> requests = client.SubmitMultipleJobs(Specs());
  for (const auto& result : client.Results(requests)) Check(result.status());
}

// The background thread does the I/O, as for the next two styles.
void CallbackWave(Client& client) {
  std::atomic<int> left{kInFlight};
  absl::Notification done;
  std::vector<JobSpec> specs = Specs();
  for (JobSpec& spec : specs) {
    spec.options.callbacks.on_complete = [&](const JobRequest& request) {
      Check(request.status());
      request.TakeResult();
      if (left.fetch_sub(1) == 1) done.Notify();
    };
  }
  client.SubmitMultipleJobs(std::move(specs));
  done.WaitForNotification();
}

// A program without sdk/futures.h: its callbacks set promises of its own.
void PromiseWave(Client& client) {
  std::vector<std::promise<absl::StatusOr<std::string>>> promises(kInFlight);
  std::vector<JobSpec> specs = Specs();
  for (int i = 0; i < kInFlight; ++i) {
    specs[i].options.callbacks.on_complete =
        [promise = &promises[i]](const JobRequest& request) {
          if (!request.status().ok())
            return promise->set_value(request.status());
          promise->set_value(*request.TakeResult());
        };
  }
  client.SubmitMultipleJobs(std::move(specs));
  for (auto& promise : promises) Check(promise.get_future().get().status());
}

void FutureWave(Client& client) {
  for (auto& future : AsyncAll(client, Specs())) Check(future.get().status());
}

Task<void> AwaitAll(Client& client) {
  for (Call& call : gearman::RunAll(client, Specs())) {
    Check((co_await call.Result()).status());
  }
}

void CoroutineWave(Client& client) { SyncWait(AwaitAll(client)); }

// 1,000 coroutines, each of which awaits one job.
Task<void> AwaitOne(Client& client, JobSpec spec) {
  Check((co_await gearman::Run(client, std::move(spec))).status());
}

void TasksWave(Client& client) {
  std::vector<Task<void>> tasks;
  tasks.reserve(kInFlight);
  for (JobSpec& spec : Specs()) {
    tasks.push_back(AwaitOne(client, std::move(spec)));
  }
  SyncWait(WhenAll(std::move(tasks)));
}

// Each job is submitted by itself, with a callback.
void SingleCallbacksWave(Client& client) {
  std::atomic<int> left{kInFlight};
  absl::Notification done;
  for (JobSpec& spec : Specs()) {
    spec.options.callbacks.on_complete = [&](const JobRequest& request) {
      Check(request.status());
      request.TakeResult();
      if (left.fetch_sub(1) == 1) done.Notify();
    };
    client.SubmitJob(std::move(spec));
  }
  done.WaitForNotification();
}

struct Style {
  const char* name;
  void (*wave)(Client&);
  // The index of the style with callbacks that does the same.
  int beside;
  std::vector<double> cpu;   // microseconds a job, one entry for each round
  std::vector<double> wall;  // likewise
};

// --- measuring -----------------------------------------------------------------

double Cpu() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::unique_ptr<Client> MakeClient(const std::string& server) {
  ClientOptions options;
  options.servers = {server};
  return OrDie(Client::Create(std::move(options)));
}

void Measure(const std::string& server, int waves, Style* style) {
  const auto client = MakeClient(server);
  style->wave(*client);  // connects, and fills the caches
  const absl::Time begun = absl::Now();
  const double cpu = Cpu();
  for (int i = 0; i < waves; ++i) style->wave(*client);
  const double jobs = static_cast<double>(waves) * kInFlight;
  style->cpu.push_back((Cpu() - cpu) / jobs * 1e6);
  style->wall.push_back(absl::ToDoubleMicroseconds(absl::Now() - begun) / jobs);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double MedianQuotient(const std::vector<double>& values,
                      const std::vector<double>& others) {
  std::vector<double> quotients;
  for (size_t i = 0; i < values.size(); ++i) {
    quotients.push_back(values[i] / others[i]);
  }
  return Median(std::move(quotients));
}

// With `only`, runs that style and prints nothing.
void Compare(int rounds, int waves, absl::string_view only) {
  const Gearmand gearmand;
  const std::string server = absl::StrCat("127.0.0.1:", gearmand.port());
  const Child worker({ThisProgram(), absl::StrCat("--worker=", server)},
                     /*keep_output=*/false);
  AwaitWorkers(gearmand.port(), kTask, 1);
  Style styles[] = {
      {"callbacks, one batch", CallbackWave, 0, {}, {}},
      {"blocking, one batch", BlockingWave, 0, {}, {}},
      {"promises set by callbacks, one batch", PromiseWave, 0, {}, {}},
      {"futures, one batch", FutureWave, 0, {}, {}},
      {"one coroutine, one batch", CoroutineWave, 0, {}, {}},
      {"callbacks, job by job", SingleCallbacksWave, 5, {}, {}},
      {"1,000 coroutines, job by job", TasksWave, 5, {}, {}},
  };
  if (!only.empty()) {
    for (const Style& style : styles) {
      if (style.name != only) continue;
      const auto client = MakeClient(server);
      for (int i = 0; i < waves; ++i) style.wave(*client);
      return;
    }
    Fail(absl::StrCat("there is no style \"", only, "\""));
  }
  for (int round = 0; round < rounds; ++round) {
    for (Style& style : styles) Measure(server, waves, &style);
  }
  std::printf(
      "| style | CPU a job | beside callbacks | jobs/s | beside callbacks |\n"
      "|---|---|---|---|---|\n");
  for (const Style& style : styles) {
    const Style& beside = styles[style.beside];
    std::printf("| %s | %.2f µs | %.2f | %.0f | %.2f |\n", style.name,
                Median(style.cpu), MedianQuotient(style.cpu, beside.cpu),
                1e6 / Median(style.wall),
                MedianQuotient(beside.wall, style.wall));
  }
}

void Work(const std::string& server) {
  WorkerOptions options;
  options.servers = {server};
  const auto worker = OrDie(Worker::Create(std::move(options)));
  Check(worker->Register(kTask, [](JobContext& context) {
    return absl::StatusOr<std::string>(std::string(context.job().data()));
  }));
  Check(worker->Run());
}

}  // namespace

void Fail(absl::string_view what) {
  std::fprintf(stderr, "styles: %s\n", std::string(what).c_str());
  std::exit(1);
}

}  // namespace benchmarks
}  // namespace gearman

int main(int argc, char** argv) {
  int rounds = 9;
  int waves = 30;
  absl::string_view only;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--worker=")) {
      gearman::benchmarks::Work(std::string(argument));
      return 0;
    }
    if (absl::ConsumePrefix(&argument, "--only=")) {
      only = argument;
      continue;
    }
    const bool known = (absl::ConsumePrefix(&argument, "--rounds=") &&
                        absl::SimpleAtoi(argument, &rounds) && rounds > 0) ||
                       (absl::ConsumePrefix(&argument, "--waves=") &&
                        absl::SimpleAtoi(argument, &waves) && waves > 0);
    if (!known) {
      std::fprintf(stderr,
                   "usage: %s [--rounds=N] [--waves=N] [--only=STYLE]\n",
                   argv[0]);
      return 2;
    }
  }
  gearman::benchmarks::Compare(rounds, waves, only);
  return 0;
}
