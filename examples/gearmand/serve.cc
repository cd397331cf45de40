#include "gearman/examples/gearmand/serve.h"

#include <cstdint>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/examples/gearmand/flags.h"
#include "gearman/sdk/worker_signals.h"

ABSL_FLAG(uint64_t, count, 0, "end after so many jobs; 0: no limit");

namespace gearmand_examples {

absl::Status Serve(const std::string& task, gearman::Worker::Handler handler,
                   const std::string& identifier) {
  // The hook runs on this thread, so it needs no mutex.
  uint64_t left = absl::GetFlag(FLAGS_count);
  absl::Time idle_since = absl::Now();
  gearman::WorkerOptions options;
  options.servers = {Server()};
  options.client_id = identifier;
  // A worker that drains does the jobs that it holds: here it holds none, so
  // that it does not do more than --count.
  options.prefetch.max_jobs = 0;
  // gearmand 1.1 wakes nobody when the time of a delayed job has come.
  options.regrab_interval = absl::Seconds(1);
  options.after_job = [&](const gearman::JobReport&) {
    idle_since = absl::Now();
    return left > 0 && --left == 0 ? gearman::Proceed::kDrain
                                   : gearman::Proceed::kContinue;
  };
  const auto worker = gearman::Worker::Create(std::move(options));
  if (!worker.ok()) return worker.status();
  const absl::Status status = (*worker)->Register(task, std::move(handler));
  if (!status.ok()) return status;
  const auto signals =
      gearman::WorkerSignals::Create({worker->get()}, absl::Seconds(10));
  if (!signals.ok()) return signals.status();
  if (Timeout() == absl::InfiniteDuration()) return (*worker)->Run();
  while (absl::Now() < idle_since + Timeout() && !(*worker)->stopped()) {
    (*worker)->RunOnce(idle_since + Timeout());
  }
  (*worker)->Drain(absl::Seconds(10));
  return (*worker)->Run();
}

}  // namespace gearmand_examples
