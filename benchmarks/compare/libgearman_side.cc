#include <libgearman/gearman.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gearman/benchmarks/compare/side.h"

namespace gearman {
namespace benchmarks {
namespace {

gearman_return_t Echo(gearman_job_st* job, void* /*context*/) {
  return gearman_job_send_complete(job, gearman_job_workload(job),
                                   gearman_job_workload_size(job));
}

class LibgearmanSide final : public Side {
 public:
  void RunClient(uint16_t port, const Workload& workload,
                 const OnLatency& on_latency) override {
    gearman_client_st* const client = gearman_client_create(nullptr);
    gearman_client_add_server(client, "127.0.0.1", port);
    const std::string payload(workload.payload_bytes, 'x');
    switch (workload.mode) {
      case Mode::kSync:
        for (int i = 0; i < workload.jobs; ++i) {
          const absl::Time begin = on_latency ? absl::Now() : absl::Time();
          size_t size = 0;
          gearman_return_t result;
          void* const data =
              gearman_client_do(client, kTask, nullptr, payload.data(),
                                payload.size(), &size, &result);
          if (result != GEARMAN_SUCCESS) Fail("libgearman: do");
          std::free(data);
          if (on_latency) on_latency(absl::Now() - begin);
        }
        break;
      case Mode::kHold:
        Fail("libgearman returns from run_tasks only when all jobs are done");
      case Mode::kForeground:
      case Mode::kBackground:
        for (int done = 0; done < workload.jobs; done += workload.in_flight) {
          RunBatch(client, workload, payload);
        }
        break;
    }
    gearman_client_free(client);
  }

  void RunWorker(uint16_t port, const Workload& /*workload*/) override {
    gearman_worker_st* const worker = gearman_worker_create(nullptr);
    gearman_worker_add_server(worker, "127.0.0.1", port);
    gearman_worker_define_function(worker, kTask, sizeof(kTask) - 1,
                                   gearman_function_create(Echo), 0, nullptr);
    while (gearman_worker_work(worker) == GEARMAN_SUCCESS) {
    }
    Fail("libgearman: work");
  }

 private:
  static void RunBatch(gearman_client_st* client, const Workload& workload,
                       const std::string& payload) {
    for (int i = 0; i < workload.in_flight; ++i) {
      gearman_return_t result;
      if (workload.mode == Mode::kBackground) {
        gearman_client_add_task_background(client, nullptr, nullptr, kTask,
                                           nullptr, payload.data(),
                                           payload.size(), &result);
      } else {
        gearman_client_add_task(client, nullptr, nullptr, kTask, nullptr,
                                payload.data(), payload.size(), &result);
      }
      if (result != GEARMAN_SUCCESS) Fail("libgearman: add_task");
    }
    if (gearman_client_run_tasks(client) != GEARMAN_SUCCESS) {
      Fail("libgearman: run_tasks");
    }
    gearman_client_task_free_all(client);
  }
};

}  // namespace

std::unique_ptr<Side> MakeLibgearmanSide() {
  return std::make_unique<LibgearmanSide>();
}

}  // namespace benchmarks
}  // namespace gearman
