// SdkLoad: a workload submitted by the SDK's client.
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
  // In one thread, which submits and takes results by turns.
  void RunOpenLoop(int jobs, const OnLatency& on_latency);
  // The thread only submits; results come by callbacks.
  void RunOpenLoopWithCallbacks(int jobs, const OnLatency& on_latency);
  JobSpec SpecOf(int job) const;

  Client* const client_;
  const Workload workload_;
  const std::string payload_;
  // What is held counts until it has been measured.
  std::vector<JobRequest> requests_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_SDK_LOAD_H_
