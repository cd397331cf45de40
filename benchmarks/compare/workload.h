// Workload: what a client submits and a worker does in one measurement. A plain
// value, which travels to child processes as text.
#ifndef GEARMAN_BENCHMARKS_COMPARE_WORKLOAD_H_
#define GEARMAN_BENCHMARKS_COMPARE_WORKLOAD_H_

#include <string>

#include "absl/strings/string_view.h"

namespace gearman {
namespace benchmarks {

enum class Mode : int {
  kForeground,  // `in_flight` jobs are submitted, all are waited for, again
  kBackground,  // the same with background jobs, which end when accepted
  kSync,        // one job after the other, in each of `threads` threads
  kHold,        // all jobs are submitted and accepted; no worker does them
  kOpenLoop,    // `rate` jobs a second, whatever has become of those before
};

struct Workload {
  Mode mode = Mode::kForeground;
  int jobs = 0;     // measured
  int warm_up = 0;  // done before, in the same mode
  int in_flight = 1000;
  int payload_bytes = 16;
  // Threads of the client, of Mode::kSync; of a client that can't submit while
  // it waits, also of Mode::kOpenLoop.
  int threads = 1;
  // Of Mode::kOpenLoop.
  int rate = 0;

  // Worker processes.
  int workers = 1;
  // Grabs that each keeps outstanding; 0: as the side does by itself.
  int grabs = 0;
  // Handlers at once in each. (Only the SDK's worker has more than one.)
  int concurrency = 1;
  // What a slow job does: uses the CPU, sleeps.
  int busy_us = 0;
  int sleep_ms = 0;
  // One job of so many is slow, by a fixed sequence without a pattern; the
  // others are answered at once. 1: each. (Mode::kOpenLoop only.)
  int slow_one_of = 1;
  // Slow jobs are another task, kSlowTask.
  int own_task = 0;

  // Each job has a unique of its own; else the packet has an empty one, as
  // libgearman's has. (Only the SDK's client can.)
  int uniques = 0;
  // Results come by callbacks, on the client's own thread. (SDK, open loop.)
  int callbacks = 0;
  // The memory that a process frees is not given back to the system at once
  // (glibc's M_TRIM_THRESHOLD).
  int keep_memory = 0;
  // A system call tracer counts; times mean nothing.
  int counted = 0;
};

inline constexpr char kTask[] = "tiny";
inline constexpr char kSlowTask[] = "slow";

std::string EncodeWorkload(const Workload& workload);
// Ends the process when `text` is not what EncodeWorkload made.
Workload DecodeWorkload(absl::string_view text);

// Whether the job with this number is slow.
bool IsSlow(const Workload& workload, int job);
// Its task and payload.
const char* TaskOf(const Workload& workload, int job);
std::string PayloadOf(const Workload& workload, int job);
// What a handler does with this payload, beside returning it.
void DoWork(const Workload& workload, absl::string_view payload);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_WORKLOAD_H_
