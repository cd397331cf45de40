// The parts of the SDK alone, and all of them in one process.
//
//   bazel run -c opt //benchmarks:parts -- [--benchmark_filter=REGEX]
//
// "CPU" of a benchmark with several threads is that of all its threads
// together.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "benchmark/benchmark.h"
#include "gearman/benchmarks/condvar_hops.h"
#include "gearman/benchmarks/stack.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/plugins/retry/no_retry.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace {

constexpr char kTask[] = "resize";
constexpr char kUnique[] = "0123456789abcdef0123456789abcdef";
constexpr char kPayload[] = "0123456789abcdef";

// --- the codec: the packets of a job, and those that come with each

constexpr char kHandle[] = "H:machine:1234567";

wire::SubmitJob Submit() {
  return {Priority::kNone, false, kTask, kUnique, Payload::View(kPayload)};
}
wire::JobCreated Created() { return {kHandle}; }
wire::JobAssign Assign() {
  return {wire::GrabKind::kUnique, kHandle, kTask, kUnique, {},
          Payload::View(kPayload)};
}
wire::WorkComplete Complete() { return {kHandle, Payload::View(kPayload)}; }
wire::NoJob None() { return {}; }

template <typename Make>
void Encode(benchmark::State& state, Make make) {
  wire::OutputBuffer out;
  for (auto _ : state) {
    auto message = make();
    benchmark::DoNotOptimize(message);
    wire::Encode(std::move(message), out).IgnoreError();
    if (out.size() > 100000) out.Consume(out.size());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(Encode, SubmitJob, Submit);
BENCHMARK_CAPTURE(Encode, JobCreated, Created);
BENCHMARK_CAPTURE(Encode, JobAssign, Assign);
BENCHMARK_CAPTURE(Encode, WorkComplete, Complete);
BENCHMARK_CAPTURE(Encode, NoJob, None);

void EncodeGrabs(benchmark::State& state) {
  constexpr int kGrabs = 8;
  wire::OutputBuffer out;
  for (auto _ : state) {
    wire::EncodeGrabs(wire::GrabJob{wire::GrabKind::kUnique}, kGrabs, out);
    if (out.size() > 100000) out.Consume(out.size());
  }
  state.SetItemsProcessed(state.iterations() * kGrabs);
}
BENCHMARK(EncodeGrabs);

template <typename Receiver, typename Make>
void Decode(benchmark::State& state, wire::Sender sender, Make make) {
  constexpr int kPackets = 1000;
  wire::OutputBuffer out;
  std::string bytes;
  for (int i = 0; i < kPackets; ++i) {
    wire::Encode(make(), out, sender).IgnoreError();
    std::array<absl::string_view, 16> pieces;
    const size_t count = out.Gather(absl::MakeSpan(pieces));
    for (size_t piece = 0; piece < count; ++piece) {
      bytes.append(pieces[piece].data(), pieces[piece].size());
    }
    out.Consume(out.size());
  }
  wire::Decoder<Receiver> decoder;
  Receiver event;
  for (auto _ : state) {
    size_t fed = 0;
    int packets = 0;
    while (packets < kPackets) {
      if (decoder.Next(&event) == wire::DecodeResult::kMessage) {
        ++packets;
        continue;
      }
      const absl::Span<char> into = decoder.Prepare();
      const size_t size = std::min(into.size(), bytes.size() - fed);
      std::memcpy(into.data(), bytes.data() + fed, size);
      decoder.Commit(size);
      fed += size;
    }
    benchmark::DoNotOptimize(packets);
  }
  state.SetItemsProcessed(state.iterations() * kPackets);
}
template <typename Make>
void DecodeAtServer(benchmark::State& state, Make make) {
  Decode<wire::ToServer>(state, wire::Sender::kWorker, make);
}
template <typename Make>
void DecodeAtClient(benchmark::State& state, Make make) {
  Decode<wire::ToClient>(state, wire::Sender::kServer, make);
}
template <typename Make>
void DecodeAtWorker(benchmark::State& state, Make make) {
  Decode<wire::ToWorker>(state, wire::Sender::kServer, make);
}
BENCHMARK_CAPTURE(DecodeAtServer, SubmitJob, Submit);
BENCHMARK_CAPTURE(DecodeAtServer, WorkComplete, Complete);
BENCHMARK_CAPTURE(DecodeAtClient, JobCreated, Created);
BENCHMARK_CAPTURE(DecodeAtClient, WorkComplete, Complete);
BENCHMARK_CAPTURE(DecodeAtWorker, JobAssign, Assign);
BENCHMARK_CAPTURE(DecodeAtWorker, NoJob, None);

// --- the embedded server's engine: a job submitted, grabbed and answered

void EngineJob(benchmark::State& state) {
  embedded::EngineOptions options;
  embedded::ServerEngine engine(options);
  engine.OnTime(absl::Now());
  auto* const client = engine.OnConnect(1, "client");
  auto* const worker = engine.OnConnect(2, "worker");
  wire::ToServer event = wire::CanDo{kTask};
  engine.OnEvent(worker, event);
  uint64_t job = 0;
  std::string unique;
  for (auto _ : state) {
    ++job;
    unique.clear();
    absl::StrAppend(&unique, absl::Hex(job, absl::kZeroPad16));
    event = wire::SubmitJob{Priority::kNone, false, kTask, unique,
                            Payload::View(kPayload)};
    engine.OnEvent(client, event);
    event = wire::GrabJob{wire::GrabKind::kUnique};
    engine.OnEvent(worker, event);
    const std::string handle = absl::StrCat("H:embedded:", job);
    event = wire::WorkComplete{handle, Payload::View(kPayload)};
    engine.OnEvent(worker, event);
    while (auto* const connection = engine.NextWithOutput()) {
      connection->output().Consume(connection->output().size());
    }
  }
  if (engine.queue().size() != 0) state.SkipWithError("a job is left");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(EngineJob);

// --- the tracker: a job started, accepted and completed, among many others

void TrackerJob(benchmark::State& state) {
  NoRetryPolicy policy;
  internal::JobRequestTracker::Options options;
  options.retry_policy = &policy;
  internal::JobRequestTracker tracker(options);
  const absl::Time now = absl::Now();
  const auto server = internal::ClientServerPtr::Make(
      Address{"tcp", "one:4730"}, /*metrics=*/nullptr);
  tracker.set_now(now);
  const auto start = [&] {
    auto request = std::make_shared<internal::JobRequestState>();
    request->task = kTask;
    request->deadline = now + absl::Minutes(1);
    request->server = server;
    tracker.Start(request, now);
    tracker.OnDispatched(request.get(), now);
    return request.get();  // which keeps itself while it is in flight
  };
  const auto complete = [&](internal::JobRequestState* request) {
    internal::Effect effect;
    effect.kind = internal::Effect::Kind::kCompleted;
    effect.operation = request;
    effect.data = Payload::View(kPayload);
    tracker.OnEffect(effect);
  };
  std::deque<internal::JobRequestState*> in_flight;
  for (int64_t i = 0; i < state.range(0); ++i) in_flight.push_back(start());
  for (auto _ : state) {
    in_flight.push_back(start());
    tracker.OnAccepted(in_flight.back());
    complete(in_flight.front());
    in_flight.pop_front();
  }
  tracker.GiveUpAll(absl::CancelledError("the end"), now);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TrackerJob)->Arg(1)->Arg(1000)->Arg(1000000);

// --- everything in one process

void Pipelined(benchmark::State& state, const std::string& scheme,
               size_t payload_bytes, int in_flight) {
  benchmarks::Stack stack(scheme, kTask);
  const std::string payload(payload_bytes, 'x');
  for (auto _ : state) {
    std::vector<JobSpec> specs;
    specs.reserve(static_cast<size_t>(in_flight));
    for (int i = 0; i < in_flight; ++i) specs.emplace_back(kTask, payload);
    const auto requests = stack.client().SubmitMultipleJobs(std::move(specs));
    if (!stack.client().WaitUntilJobsCompleted(requests).ok()) {
      state.SkipWithError("a job failed");
    }
  }
  state.SetItemsProcessed(state.iterations() * in_flight);
  state.SetBytesProcessed(state.iterations() * in_flight *
                          static_cast<int64_t>(2 * payload_bytes));
}
BENCHMARK_CAPTURE(Pipelined, InProcess16B, "inproc", 16, 1000)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(Pipelined, Tcp16B, "tcp", 16, 1000)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(Pipelined, Tls16B, "tls", 16, 1000)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(Pipelined, InProcess1MiB, "inproc", 1 << 20, 10)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(Pipelined, Tcp1MiB, "tcp", 1 << 20, 10)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(Pipelined, Tls1MiB, "tls", 1 << 20, 10)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

// Measures jobs whose payloads nobody touches but the SDK: the client submits
// the same requests again, and their results become the handler's next ones.
void PassedOn(benchmark::State& state, const std::string& scheme) {
  constexpr int kInFlight = 10;
  const auto bytes = static_cast<size_t>(state.range(0));
  absl::Mutex mutex;
  std::vector<std::string> results(2 * kInFlight, std::string(bytes, 'r'));
  benchmarks::Stack stack(scheme, kTask, [&mutex, &results](JobContext&) {
    absl::MutexLock lock(&mutex);
    std::string result = std::move(results.back());
    results.pop_back();
    return result;
  });
  std::vector<JobRequest> requests;
  for (int i = 0; i < kInFlight; ++i) {
    requests.emplace_back(JobSpec(kTask, std::string(bytes, 'd')));
  }
  for (auto _ : state) {
    if (!stack.client().SubmitMultipleRequests(requests).ok() ||
        !stack.client().WaitUntilJobsCompleted(requests).ok()) {
      state.SkipWithError("a job failed");
      break;
    }
    absl::MutexLock lock(&mutex);
    for (JobRequest& request : requests) {
      results.push_back(*request.TakeResult());
      if (!request.Reset().ok()) state.SkipWithError("no reset");
    }
  }
  state.SetItemsProcessed(state.iterations() * kInFlight);
}
BENCHMARK_CAPTURE(PassedOn, InProcess, "inproc")
    ->Arg(16)
    ->Arg(64 << 10)
    ->Arg(1 << 20)
    ->Arg(16 << 20)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(PassedOn, Tcp, "tcp")
    ->Arg(16)
    ->Arg(64 << 10)
    ->Arg(1 << 20)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void Synchronous(benchmark::State& state, const std::string& scheme) {
  benchmarks::Stack stack(scheme, kTask);
  for (auto _ : state) {
    if (!stack.client().Run(kTask, kPayload).ok()) {
      state.SkipWithError("a job failed");
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(Synchronous, InProcess, "inproc")
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(Synchronous, Tcp, "tcp")
    ->MeasureProcessCPUTime()
    ->UseRealTime();

// Measures two hops between threads, the least time of a synchronous call.
void TwoCondvarHops(benchmark::State& state) {
  benchmarks::CondvarHops hops;
  for (auto _ : state) hops.Two();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TwoCondvarHops)->UseRealTime();

// --- one client, several threads

class SharedClient : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State& state) override {
    if (state.thread_index() == 0) {
      stack_ = std::make_unique<benchmarks::Stack>("tcp", kTask);
    }
  }
  void TearDown(const benchmark::State& state) override {
    if (state.thread_index() == 0) stack_ = nullptr;
  }

 protected:
  std::unique_ptr<benchmarks::Stack> stack_;
};

BENCHMARK_DEFINE_F(SharedClient, SynchronousTcp)(benchmark::State& state) {
  for (auto _ : state) {
    if (!stack_->client().Run(kTask, kPayload).ok()) {
      state.SkipWithError("a job failed");
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_REGISTER_F(SharedClient, SynchronousTcp)
    ->Threads(1)
    ->Threads(2)
    ->Threads(8)
    ->Threads(64)
    ->UseRealTime();

}  // namespace
}  // namespace gearman

BENCHMARK_MAIN();
