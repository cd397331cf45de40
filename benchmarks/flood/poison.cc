#include "gearman/benchmarks/flood/poison.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "gearman/benchmarks/compare/children.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/wait_for.h"

namespace gearman {
namespace benchmarks {
namespace {

constexpr size_t kMaxPacketBytes = 4096;
constexpr size_t kPoisonBytes = 5000;
constexpr size_t kPayloadBytes = 16;
// The jobs in flight at once. In the mix with poison, one of kPoisonOneOf is
// poison.
constexpr int kBatch = 1000;
constexpr int kPoisonOneOf = 100;
// The two mixes alternate after this time.
constexpr absl::Duration kSlice = absl::Milliseconds(100);
// The most time for a batch, which usually takes a few milliseconds.
constexpr absl::Duration kBound = absl::Seconds(10);

std::unique_ptr<Client> MakeClient(uint16_t port) {
  ClientOptions options;
  options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
  options.unique_mode = UniqueMode::kNone;
  auto client = Client::Create(std::move(options));
  if (!client.ok()) Fail(client.status().ToString());
  return *std::move(client);
}

// Makes a batch of jobs. All of them but poison count as done work. Poison jobs
// are background jobs, so that the client does not wait for their end.
std::vector<JobRequest> MakeBatch(bool with_poison) {
  std::vector<JobRequest> batch;
  batch.reserve(kBatch);
  for (int i = 0; i < kBatch; ++i) {
    const bool poison = with_poison && i % kPoisonOneOf == kPoisonOneOf / 2;
    JobSpec spec(kTask,
                 std::string(poison ? kPoisonBytes : kPayloadBytes, 'x'));
    spec.background = poison;
    batch.emplace_back(std::move(spec));
  }
  return batch;
}

// The work that one of the two mixes has done.
struct Done {
  int jobs = 0;
  absl::Duration time;

  double PerSecond() const {
    return jobs / std::max(1e-9, absl::ToDoubleSeconds(time));
  }
};

// Runs batches for `duration`, and adds their good jobs to `done`.
absl::Status RunSlice(Client& client, bool with_poison, absl::Duration duration,
                      Done* done) {
  const int good = with_poison ? kBatch - kBatch / kPoisonOneOf : kBatch;
  const absl::Time begin = absl::Now();
  absl::Status status;
  while (status.ok() && absl::Now() < begin + duration) {
    std::vector<JobRequest> batch = MakeBatch(with_poison);
    status = client.SubmitMultipleRequests(batch);
    if (status.ok()) status = client.WaitUntilJobsCompleted(batch, kBound);
    for (const JobRequest& request : batch) {
      if (status.ok()) status = request.status();
    }
    if (status.ok()) done->jobs += good;
  }
  done->time += absl::Now() - begin;
  return status;
}

// Waits until no job of the task is queued or runs. False: it took too long.
bool AwaitIdle(uint16_t port) {
  // TASK TAB JOBS TAB RUNNING TAB WORKERS
  const std::string idle = absl::StrCat(kTask, "\t0\t0\t");
  return support::WaitFor(
      [&] { return absl::StrContains(ServerStatus(port), idle); }, kBound);
}

}  // namespace

PoisonResult RunPoison(ServerKind kind, absl::Duration duration) {
  const FloodedServer server(kind);
  const Child worker({ThisProgram(), "--role=poison_worker",
                      absl::StrCat("--port=", server.port())},
                     /*keep_output=*/false);
  AwaitWorkers(server.port(), kTask, 1);
  const std::unique_ptr<Client> client = MakeClient(server.port());
  Done plain;
  Done mixed;
  // The mixes alternate, so that other load of the machine affects both alike.
  // The first turn warms up connections and caches.
  absl::Status status;
  const int turns = 1 + static_cast<int>(duration / kSlice);
  for (int turn = 0; turn <= turns && status.ok(); ++turn) {
    if (turn == 1) plain = mixed = Done();
    status = RunSlice(*client, /*with_poison=*/false, kSlice, &plain);
    if (status.ok()) {
      status = RunSlice(*client, /*with_poison=*/true, kSlice, &mixed);
    }
  }
  PoisonResult result;
  result.plain = plain.PerSecond();
  result.mixed = mixed.PerSecond();
  if (!status.ok()) {
    // The text behind the first semicolon names one of the jobs.
    const absl::string_view message = status.message();
    result.reason = std::string(message.substr(0, message.find(';')));
  } else if (!AwaitIdle(server.port())) {
    result.reason = "jobs are left behind";
  }
  return result;
}

void RunPoisonWorker(uint16_t port) {
  WorkerOptions options;
  options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
  options.limits.max_packet_bytes = kMaxPacketBytes;
  auto worker = Worker::Create(std::move(options));
  if (!worker.ok()) Fail(worker.status().ToString());
  const absl::Status status = (*worker)->Register(
      kTask, [](JobContext& context) -> absl::StatusOr<std::string> {
        const absl::string_view data = context.job().data();
        return std::string(data.data(), data.size());
      });
  if (!status.ok()) Fail(status.ToString());
  Fail((*worker)->Run().ToString());
}

}  // namespace benchmarks
}  // namespace gearman
