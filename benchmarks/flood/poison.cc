#include "gearman/benchmarks/flood/poison.h"

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
// In flight at once, and how many of them are poison.
constexpr int kBatch = 1000;
constexpr int kPoisonOneOf = 100;
// What a batch may take, which takes a few milliseconds.
constexpr absl::Duration kBound = absl::Seconds(10);

std::unique_ptr<Client> MakeClient(uint16_t port) {
  ClientOptions options;
  options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
  options.unique_mode = UniqueMode::kNone;
  auto client = Client::Create(std::move(options));
  if (!client.ok()) Fail(client.status().ToString());
  return *std::move(client);
}

// Jobs in a row of which each counts, but those of poison. Nobody waits for the
// end of poison: it is submitted as background jobs.
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

// Good jobs done in a second; `reason` when not all were.
double RateOf(uint16_t port, bool with_poison, absl::Duration duration,
              std::string* reason) {
  const std::unique_ptr<Client> client = MakeClient(port);
  const int good = with_poison ? kBatch - kBatch / kPoisonOneOf : kBatch;
  int done = 0;
  const absl::Time begin = absl::Now();
  while (absl::Now() < begin + duration) {
    std::vector<JobRequest> batch = MakeBatch(with_poison);
    absl::Status status = client->SubmitMultipleRequests(batch);
    if (status.ok()) status = client->WaitUntilJobsCompleted(batch, kBound);
    for (const JobRequest& request : batch) {
      if (status.ok()) status = request.status();
    }
    if (!status.ok()) {
      // What is behind the first semicolon names one job of them.
      const absl::string_view message = status.message();
      *reason = std::string(message.substr(0, message.find(';')));
      break;
    }
    done += good;
  }
  return done / absl::ToDoubleSeconds(absl::Now() - begin);
}

}  // namespace

PoisonResult RunPoison(ServerKind kind, absl::Duration duration) {
  PoisonResult result;
  for (const bool with_poison : {false, true}) {
    const FloodedServer server(kind);
    const Child worker({ThisProgram(), "--role=poison_worker",
                        absl::StrCat("--port=", server.port())},
                       /*keep_output=*/false);
    AwaitWorkers(server.port(), kTask, 1);
    (with_poison ? result.mixed : result.plain) =
        RateOf(server.port(), with_poison, duration, &result.reason);
    // TASK TAB JOBS TAB RUNNING TAB WORKERS
    const std::string idle = absl::StrCat(kTask, "\t0\t0\t");
    if (result.reason.empty() && !support::WaitFor(
                                     [&] {
                                       return absl::StrContains(
                                           ServerStatus(server.port()), idle);
                                     },
                                     kBound)) {
      result.reason = "jobs are left behind";
    }
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
