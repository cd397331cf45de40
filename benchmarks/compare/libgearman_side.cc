#include <libgearman/gearman.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gearman/benchmarks/compare/open_loop.h"
#include "gearman/benchmarks/compare/side.h"

namespace gearman {
namespace benchmarks {
namespace {

struct FreeClient {
  void operator()(gearman_client_st* client) const {
    gearman_client_free(client);
  }
};
using ClientPtr = std::unique_ptr<gearman_client_st, FreeClient>;

class LibgearmanLoad final : public Load {
 public:
  LibgearmanLoad(uint16_t port, const Workload& workload)
      : workload_(workload), payload_(PayloadOf(workload, 0)) {
    // Each thread needs its own client.
    for (int i = 0; i < workload.threads; ++i) {
      clients_.emplace_back(gearman_client_create(nullptr));
      gearman_client_add_server(clients_.back().get(), "127.0.0.1", port);
    }
  }

  void Run(int jobs, const OnLatency& on_latency) override {
    switch (workload_.mode) {
      case Mode::kSync:
      case Mode::kOpenLoop:
        RunSync(jobs, on_latency);
        return;
      case Mode::kHold:
        Fail("libgearman returns from run_tasks only when all jobs are done");
      case Mode::kForeground:
      case Mode::kBackground:
        for (int done = 0; done < jobs; done += workload_.in_flight) {
          RunBatch(std::min(workload_.in_flight, jobs - done));
        }
        return;
    }
  }

 private:
  // Libgearman's client can't submit while it waits. An open loop needs a
  // thread and a connection for each job that may be in flight.
  void RunSync(int jobs, const OnLatency& on_latency) {
    const bool open = workload_.mode == Mode::kOpenLoop;
    const Arrivals arrivals(open ? workload_.rate : 1);
    Numbers numbers(jobs);
    InThreads(workload_.threads, [&](int thread) {
      gearman_client_st* const client =
          clients_[static_cast<size_t>(thread)].get();
      for (int job; (job = numbers.Take()) >= 0;) {
        if (open) arrivals.Await(job);
        const absl::Time begin = open ? arrivals.Due(job) : absl::Now();
        const std::string payload = PayloadOf(workload_, job);
        size_t size = 0;
        gearman_return_t result;
        void* const data =
            gearman_client_do(client, TaskOf(workload_, job), nullptr,
                              payload.data(), payload.size(), &size, &result);
        if (result != GEARMAN_SUCCESS) Fail("libgearman: do");
        std::free(data);
        if (on_latency) on_latency(job, absl::Now() - begin);
      }
    });
  }

  void RunBatch(int count) {
    gearman_client_st* const client = clients_[0].get();
    for (int i = 0; i < count; ++i) {
      gearman_return_t result;
      if (workload_.mode == Mode::kBackground) {
        gearman_client_add_task_background(client, nullptr, nullptr, kTask,
                                           nullptr, payload_.data(),
                                           payload_.size(), &result);
      } else {
        gearman_client_add_task(client, nullptr, nullptr, kTask, nullptr,
                                payload_.data(), payload_.size(), &result);
      }
      if (result != GEARMAN_SUCCESS) Fail("libgearman: add_task");
    }
    if (gearman_client_run_tasks(client) != GEARMAN_SUCCESS) {
      Fail("libgearman: run_tasks");
    }
    gearman_client_task_free_all(client);
  }

  const Workload workload_;
  const std::string payload_;
  std::vector<ClientPtr> clients_;
};

gearman_return_t Handle(gearman_job_st* job, void* context) {
  const void* const data = gearman_job_workload(job);
  const size_t size = gearman_job_workload_size(job);
  DoWork(*static_cast<const Workload*>(context),
         absl::string_view(static_cast<const char*>(data), size));
  return gearman_job_send_complete(job, data, size);
}

class LibgearmanSide final : public Side {
 public:
  std::unique_ptr<Load> MakeLoad(uint16_t port,
                                 const Workload& workload) override {
    return std::make_unique<LibgearmanLoad>(port, workload);
  }

  void RunWorker(uint16_t port, const Workload& workload) override {
    gearman_worker_st* const worker = gearman_worker_create(nullptr);
    gearman_worker_add_server(worker, "127.0.0.1", port);
    Workload context = workload;
    for (const char* const task : {kTask, kSlowTask}) {
      if (task == kSlowTask && workload.own_task == 0) continue;
      gearman_worker_define_function(worker, task, std::string(task).size(),
                                     gearman_function_create(Handle), 0,
                                     &context);
    }
    while (gearman_worker_work(worker) == GEARMAN_SUCCESS) {
    }
    Fail("libgearman: work");
  }
};

}  // namespace

std::unique_ptr<Side> MakeLibgearmanSide() {
  return std::make_unique<LibgearmanSide>();
}

}  // namespace benchmarks
}  // namespace gearman
