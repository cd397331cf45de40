// Side: one of those that are compared: its client and its worker, each run in
// a process of its own.
#ifndef GEARMAN_BENCHMARKS_COMPARE_SIDE_H_
#define GEARMAN_BENCHMARKS_COMPARE_SIDE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/workload.h"

namespace gearman {
namespace benchmarks {

// Called with a job's number and the time that it took, in an open loop from
// the moment at which it was to be submitted. Several threads may call it, each
// for jobs of its own.
using OnLatency = std::function<void(int job, absl::Duration)>;

// A client, ready to submit. One thread calls; whatever goes wrong ends the
// process.
class Load {
 public:
  virtual ~Load() = default;

  // Does `jobs` jobs of the workload, in its mode. `on_latency` may be null.
  virtual void Run(int jobs, const OnLatency& on_latency) = 0;
};

class Side {
 public:
  virtual ~Side() = default;

  // A client of the server at that port of the loopback.
  virtual std::unique_ptr<Load> MakeLoad(uint16_t port,
                                         const Workload& workload) = 0;
  // Server and worker are in the client's process, or there are none: the port
  // means nothing, and RunWorker is not called.
  virtual bool in_process() const { return false; }
  // Does jobs until the process is killed: the result is the payload.
  virtual void RunWorker(uint16_t port, const Workload& workload) = 0;
};

// The side with a name: "libgearman", "bare" (plain sockets), or "sdk".
// "inproc", "tcp", "tls": the SDK's client, worker and embedded server, all in
// the client's process, talking so. "two hops": no Gearman at all, one thread
// wakes another one and is woken by it, with std::condition_variable.
std::unique_ptr<Side> MakeSide(absl::string_view name);

std::unique_ptr<Side> MakeBareSide();
std::unique_ptr<Side> MakeLibgearmanSide();
std::unique_ptr<Side> MakeSdkSide();
std::unique_ptr<Side> MakeInProcessSide(absl::string_view scheme);
std::unique_ptr<Side> MakeTwoHopsSide();

// Prints and ends the process.
[[noreturn]] void Fail(absl::string_view why);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_SIDE_H_
