#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/benchmarks/compare/sdk_load.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace gearman {
namespace benchmarks {
namespace {

class SdkSide final : public Side {
 public:
  std::unique_ptr<Load> MakeLoad(uint16_t port,
                                 const Workload& workload) override {
    ClientOptions options;
    options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
    if (workload.uniques == 0) options.unique_mode = UniqueMode::kNone;
    if (workload.mode == Mode::kOpenLoop && workload.callbacks == 0) {
      options.drive_mode = DriveMode::kCallerOnly;
    }
    auto client = Client::Create(std::move(options));
    if (!client.ok()) Fail(client.status().ToString());
    struct Owning final : SdkLoad {
      Owning(std::unique_ptr<Client> client, const Workload& workload)
          : SdkLoad(client.get(), workload), client(std::move(client)) {}
      std::unique_ptr<Client> client;
    };
    return std::make_unique<Owning>(*std::move(client), workload);
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
    if (!worker.ok()) Fail(worker.status().ToString());
    for (const char* const task : {kTask, kSlowTask}) {
      if (task == kSlowTask && workload.own_task == 0) continue;
      const absl::Status status = (*worker)->Register(
          task,
          [&workload](JobContext& context) -> absl::StatusOr<std::string> {
            const absl::string_view data = context.job().data();
            DoWork(workload, data);
            return std::string(data.data(), data.size());
          });
      if (!status.ok()) Fail(status.ToString());
    }
    Fail((*worker)->Run().ToString());
  }
};

}  // namespace

std::unique_ptr<Side> MakeSdkSide() { return std::make_unique<SdkSide>(); }

}  // namespace benchmarks
}  // namespace gearman
