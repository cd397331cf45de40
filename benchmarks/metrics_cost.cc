// Measures the cost of metrics and logging for a job. Client, embedded job
// server and worker are in one thread, in process, on a virtual clock, so that
// every run does the same.
//
//   bazel run -c opt //benchmarks:metrics_cost
//
// An iteration is a batch of 1,000 jobs; items are jobs. Exactly, in
// instructions of one batch:
//
//   bazel build -c opt //benchmarks:metrics_cost
//   for name in JobsWithout JobsWithPrometheus; do
//     valgrind --tool=callgrind --callgrind-out-file=/dev/null
//       --toggle-collect='*Measured*' .bazel/bin/benchmarks/metrics_cost
//       --benchmark_filter=$name'$' --benchmark_min_time=0.000001
//   done
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/metrics/prometheus_metrics.h"
#include "gearman/plugins/metrics/statsd_metrics.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"

namespace gearman {
namespace {

constexpr int kBatch = 1000;

using Sinks = std::vector<std::shared_ptr<MetricsSink>>;

class Stack {
 public:
  Stack(const Sinks& of_client, const Sinks& of_worker, const Logger& logger) {
    stack_.StartServer("jobs");
    WorkerOptions worker = stack_.WorkerDefaults("worker", {"inproc://jobs"});
    worker.metrics_sinks = of_worker;
    worker.logger = logger;
    stack_.StartWorker("worker", std::move(worker))
        .Register("resize",
                  [](JobContext& context) -> absl::StatusOr<std::string> {
                    const absl::string_view data = context.job().data();
                    return std::string(data.data(), data.size());
                  })
        .IgnoreError();
    ClientOptions client = stack_.ClientDefaults("client", {"inproc://jobs"});
    client.metrics_sinks = of_client;
    client.logger = logger;
    client_ = stack_.MakeClient(std::move(client));
  }

  // The function is not inlined, because callgrind counts in it.
  __attribute__((noinline)) bool Measured() { return RunBatch(); }
  bool RunBatch() {
    std::vector<JobSpec> specs;
    specs.reserve(kBatch);
    for (int i = 0; i < kBatch; ++i) {
      specs.emplace_back("resize", "0123456789abc");
    }
    const auto requests = client_->SubmitMultipleJobs(std::move(specs));
    return client_->WaitUntilJobsCompleted(requests).ok();
  }

 private:
  testing::SimulatedStack stack_{1};
  std::unique_ptr<Client> client_;
};

void Jobs(benchmark::State& state, const Sinks& of_client,
          const Sinks& of_worker, const Logger& logger = Logger()) {
  Stack stack(of_client, of_worker, logger);
  for (int i = 0; i < 5; ++i) stack.RunBatch();  // buffers have their size
  for (auto _ : state) {
    if (!stack.Measured()) state.SkipWithError("a job failed");
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

Sinks Prometheus() {
  return {std::shared_ptr<MetricsSink>(*PrometheusMetrics::Create())};
}

// The sink's timer never fires: time passes only while nothing else can be
// done.
Sinks Statsd() {
  StatsdMetricsOptions options;
  options.send = [](absl::string_view) { return absl::OkStatus(); };
  return {
      std::shared_ptr<MetricsSink>(*StatsdMetrics::Create(std::move(options)))};
}

void JobsWithout(benchmark::State& state) { Jobs(state, {}, {}); }
void JobsWithPrometheus(benchmark::State& state) {
  const Sinks sinks = Prometheus();
  Jobs(state, sinks, sinks);
}
void JobsWithPrometheusAtClient(benchmark::State& state) {
  Jobs(state, Prometheus(), {});
}
void JobsWithPrometheusAtWorker(benchmark::State& state) {
  Jobs(state, {}, Prometheus());
}
void JobsWithStatsd(benchmark::State& state) {
  const Sinks sinks = Statsd();
  Jobs(state, sinks, sinks);
}
void JobsWithAllSinks(benchmark::State& state) {
  Sinks sinks = Prometheus();
  sinks.push_back(Statsd().front());
  sinks.push_back(std::make_shared<InMemoryMetrics>());
  Jobs(state, sinks, sinks);
}
void JobsWithInfoLog(benchmark::State& state) {
  Jobs(state, {}, {},
       Logger(LogLevel::kInfo, [](LogLevel, absl::string_view) {}));
}
void JobsWithDebugLog(benchmark::State& state) {
  Jobs(state, {}, {},
       Logger(LogLevel::kDebug, [](LogLevel, absl::string_view) {}));
}
BENCHMARK(JobsWithout);
BENCHMARK(JobsWithPrometheus);
BENCHMARK(JobsWithPrometheusAtClient);
BENCHMARK(JobsWithPrometheusAtWorker);
BENCHMARK(JobsWithStatsd);
BENCHMARK(JobsWithAllSinks);
BENCHMARK(JobsWithInfoLog);
BENCHMARK(JobsWithDebugLog);

void Scrape(benchmark::State& state) {
  const auto sink =
      std::shared_ptr<PrometheusMetrics>(*PrometheusMetrics::Create());
  Stack stack({sink}, {sink}, Logger());
  if (!stack.RunBatch()) state.SkipWithError("a job failed");
  for (auto _ : state) {
    benchmark::DoNotOptimize(sink->Text());
  }
}
BENCHMARK(Scrape);

}  // namespace
}  // namespace gearman

BENCHMARK_MAIN();
