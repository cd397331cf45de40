// SdkLoad is a workload that the SDK's client submits.
#ifndef GEARMAN_BENCHMARKS_COMPARE_SDK_LOAD_H_
#define GEARMAN_BENCHMARKS_COMPARE_SDK_LOAD_H_

#include <string>
#include <vector>

#include "gearman/benchmarks/compare/side.h"
#include "gearman/benchmarks/compare/workload.h"
#include "gearman/sdk/client.h"

namespace gearman {
namespace benchmarks {

class SdkLoad : public Load {
 public:
  // `client` outlives Run.
  SdkLoad(Client* client, const Workload& workload);

  void Run(int jobs, const OnLatency& on_latency) override;

 private:
  void RunBatches(int jobs);
  std::vector<JobRequest> MakeRequests(int jobs) const;
  void RunSync(int jobs, const OnLatency& on_latency);
  // One thread submits and takes results in turns.
  void RunOpenLoop(int jobs, const OnLatency& on_latency);
  // The thread only submits. Results come by callbacks.
  void RunOpenLoopWithCallbacks(int jobs, const OnLatency& on_latency);
  JobSpec SpecOf(int job) const;

  Client* const client_;
  const Workload workload_;
  const std::string payload_;
  // Held jobs count until their memory has been measured.
  std::vector<JobRequest> requests_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_SDK_LOAD_H_
