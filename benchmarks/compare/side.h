// Side: one of those that are compared: its client and its worker, each run in
// a process of its own. Blocking, one thread calls.
#ifndef GEARMAN_BENCHMARKS_COMPARE_SIDE_H_
#define GEARMAN_BENCHMARKS_COMPARE_SIDE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {
namespace benchmarks {

enum class Mode : unsigned char {
  kForeground,  // `in_flight` jobs are submitted, all are waited for, again
  kBackground,  // the same with background jobs, which end when accepted
  kSync,        // one job after the other
  kHold,        // all jobs are submitted and accepted; no worker does them
};

struct Workload {
  Mode mode = Mode::kForeground;
  int jobs = 0;
  int in_flight = 1000;
  size_t payload_bytes = 16;
  // Grabs that the worker keeps outstanding; 0: as the side does by itself.
  int grabs = 0;
  int concurrency = 1;
  // Each job has a unique of its own; else the packet has an empty one, as
  // libgearman's has. (Only the SDK's side can.)
  bool uniques = false;
};

inline constexpr char kTask[] = "tiny";

// Called with the time that each job took, where one at a time is made.
using OnLatency = std::function<void(absl::Duration)>;

class Side {
 public:
  virtual ~Side() = default;

  // Does the client's part of a workload with the server at that port of the
  // loopback. Ends the process when something goes wrong.
  virtual void RunClient(uint16_t port, const Workload& workload,
                         const OnLatency& on_latency) = 0;
  // Does jobs until the process is killed: the result is the payload.
  virtual void RunWorker(uint16_t port, const Workload& workload) = 0;
};

std::unique_ptr<Side> MakeBareSide();        // "bare": plain sockets
std::unique_ptr<Side> MakeLibgearmanSide();  // "libgearman"
std::unique_ptr<Side> MakeSdkSide();         // "sdk"

// Prints and ends the process.
[[noreturn]] void Fail(absl::string_view why);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_SIDE_H_
