// Workload is the work of client and worker in one measurement. A plain value,
// which is passed to child processes as text.
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
  kOpenLoop,    // `rate` jobs a second, never waiting for earlier ones
};

struct Workload {
  Mode mode = Mode::kForeground;
  int jobs = 0;     // measured
  int warm_up = 0;  // done before, in the same mode
  int in_flight = 1000;
  int payload_bytes = 16;
  // The threads of the client in Mode::kSync. A client that can't submit while
  // it waits uses them in Mode::kOpenLoop, too.
  int threads = 1;
  // The connections of a bare client, or of each of its threads. They share the
  // jobs in flight.
  int connections = 1;
  // Jobs a second in Mode::kOpenLoop.
  int rate = 0;

  // Worker processes.
  int workers = 1;
  // The grabs that each worker keeps outstanding; 0: the side decides.
  int grabs = 0;
  // The handlers at once in each worker. Only the SDK's worker may have
  // several.
  int concurrency = 1;
  // A slow job uses the CPU for `busy_us` and sleeps for `sleep_ms`.
  int busy_us = 0;
  int sleep_ms = 0;
  // One job of so many is slow, by a fixed sequence without a pattern. The
  // others are answered at once. 1: every job. (Mode::kOpenLoop only.)
  int slow_one_of = 1;
  // Slow jobs have their own task, kSlowTask.
  int own_task = 0;

  // Each job has its own unique. Otherwise the packet has an empty one, like
  // libgearman's. Only the SDK's client can do this.
  int uniques = 0;
  // Results come by callbacks, on the client's own thread. (SDK, open loop.)
  int callbacks = 0;
  // The client submits the requests of its first batch again and again, as the
  // bare loop sends one packet again. Only the SDK's client can do this.
  int again = 0;
  // The process does not give freed memory back to the system at once (glibc's
  // M_TRIM_THRESHOLD).
  int keep_memory = 0;
  // The crowd that is at the server before the clock starts: connections that
  // do nothing, functions of one worker that grabs nothing, and jobs that wait
  // for that worker.
  int idle_connections = 0;
  int functions = 0;
  int queued = 0;
  // A system call tracer counts calls. Times then have no meaning.
  int counted = 0;
};

inline constexpr char kTask[] = "tiny";
inline constexpr char kSlowTask[] = "slow";

std::string EncodeWorkload(const Workload& workload);
// Ends the process if EncodeWorkload did not make `text`.
Workload DecodeWorkload(absl::string_view text);

// True if the job with this number is slow.
bool IsSlow(const Workload& workload, int job);
// The task and the payload of a job.
const char* TaskOf(const Workload& workload, int job);
std::string PayloadOf(const Workload& workload, int job);
// Does the work of a handler with this payload, except returning it.
void DoWork(const Workload& workload, absl::string_view payload);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_WORKLOAD_H_
