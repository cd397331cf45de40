#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace gearman {
namespace benchmarks {
namespace {

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

class SdkSide final : public Side {
 public:
  void RunClient(uint16_t port, const Workload& workload,
                 const OnLatency& on_latency) override {
    ClientOptions options;
    options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
    if (!workload.uniques) options.unique_mode = UniqueMode::kNone;
    auto client = Client::Create(std::move(options));
    Check(client.status());
    const std::string payload(workload.payload_bytes, 'x');
    if (workload.mode == Mode::kSync) {
      for (int i = 0; i < workload.jobs; ++i) {
        const absl::Time begin = on_latency ? absl::Now() : absl::Time();
        Check((*client)->Run(kTask, payload).status());
        if (on_latency) on_latency(absl::Now() - begin);
      }
      return;
    }
    const int batch =
        workload.mode == Mode::kHold ? workload.jobs : workload.in_flight;
    for (int done = 0; done < workload.jobs; done += batch) {
      std::vector<JobSpec> specs;
      specs.reserve(static_cast<size_t>(batch));
      for (int i = 0; i < batch; ++i) {
        specs.emplace_back(kTask, payload);
        specs.back().background = workload.mode == Mode::kBackground;
      }
      requests_ = (*client)->SubmitMultipleJobs(std::move(specs));
      Check(workload.mode == Mode::kForeground
                ? (*client)->WaitUntilJobsCompleted(requests_)
                : (*client)->WaitUntilJobsAccepted(requests_));
    }
    // What is held counts until it has been measured.
    if (workload.mode == Mode::kHold) held_ = *std::move(client);
  }

  void RunWorker(uint16_t port, const Workload& workload) override {
    WorkerOptions options;
    options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
    options.concurrency = workload.concurrency;
    if (workload.grabs > 0) {
      // A worker has the running job and so many more.
      options.prefetch.max_jobs = workload.grabs - 1;
      options.prefetch.min_jobs = workload.grabs - 1;
    }
    auto worker = Worker::Create(std::move(options));
    Check(worker.status());
    Check((*worker)->Register(
        kTask, [](JobContext& context) -> absl::StatusOr<std::string> {
          const absl::string_view data = context.job().data();
          return std::string(data.data(), data.size());
        }));
    Check((*worker)->Run());
  }

 private:
  std::vector<JobRequest> requests_;
  std::unique_ptr<Client> held_;
};

}  // namespace

std::unique_ptr<Side> MakeSdkSide() { return std::make_unique<SdkSide>(); }

}  // namespace benchmarks
}  // namespace gearman
