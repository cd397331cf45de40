// Side is one of the compared sides: its client and its worker, each in its own
// process.
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

// Called with a job's number and its time. In an open loop the time begins when
// the job was due. Several threads may call it, each for its own jobs.
using OnLatency = std::function<void(int job, absl::Duration)>;

// A client that is ready to submit. One thread calls it. Any error ends the
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
  // True if server and worker are in the client's process, or there are none.
  // The port is then not used, and RunWorker is not called.
  virtual bool in_process() const { return false; }
  // Does jobs until the process is killed. A job's result is its payload.
  virtual void RunWorker(uint16_t port, const Workload& workload) = 0;
};

// Returns the side with a name. "libgearman", "bare" (plain sockets) and "sdk"
// are sides of their own. With "inproc", "tcp" and "tls" the SDK's client,
// worker and embedded server are all in the client's process and use that
// transport. "two hops" is no Gearman: one thread wakes another and is woken by
// it, with std::condition_variable.
std::unique_ptr<Side> MakeSide(absl::string_view name);

std::unique_ptr<Side> MakeBareSide();
std::unique_ptr<Side> MakeLibgearmanSide();
std::unique_ptr<Side> MakeSdkSide();
std::unique_ptr<Side> MakeInProcessSide(absl::string_view scheme);
std::unique_ptr<Side> MakeTwoHopsSide();

// Prints `why` and ends the process.
[[noreturn]] void Fail(absl::string_view why);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_SIDE_H_
