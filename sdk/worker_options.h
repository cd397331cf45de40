// WorkerOptions and TaskOptions: how a worker behaves, and how one task
// differs. Both are plain values. sdk/config.h makes them from a config file.
// docs/protocol.md, section "Worker semantics", has the packets that the
// options name.
#ifndef GEARMAN_SDK_WORKER_OPTIONS_H_
#define GEARMAN_SDK_WORKER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/base/callback.h"
#include "gearman/base/duration.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/process_memory.h"

namespace gearman {

class IncomingJob;
class TransportRegistry;

// An interceptor sees each job before its handler (sdk/worker_interceptor.h).
using WorkerInterceptor = Callback<void(IncomingJob&)>;

// How a job ended at its worker.
enum class JobOutcome : unsigned char {
  kComplete,   // WORK_COMPLETE
  kFailed,     // WORK_FAIL
  kException,  // failed with a text (WorkerOptions::exceptions)
  kTimedOut,   // its time limit passed first (TaskOptions::when_late)
  kLost,       // its connection ended before the answer: nothing was sent
};

// The argument of the hook after a job. The references are valid during the
// call.
struct JobReport {
  const Job& job;      // as it came from the server
  JobOutcome outcome;  // how it ended
  // OK for kComplete; otherwise why the job did not complete.
  const absl::Status& status;
  // From the handler's start to the answer.
  absl::Duration duration;
};

// The return value of a hook: what the worker does next.
enum class Proceed : unsigned char {
  kContinue,
  kDrain,  // as Worker::Drain without a limit
  kStop,   // as Worker::Stop
};

// The answer for a job whose time limit has passed. The job's stop token fires
// in each case. A result that comes after the answer is dropped and counted.
enum class WhenLate : unsigned char {
  kFail,       // WORK_FAIL
  kException,  // a failure with a text that names the limit
  kWait,       // nothing: the handler's own answer, however late
};

// A token bucket: each job takes a token when it begins, and no job begins
// without one. The bucket is full at first.
struct RateLimit {
  // Tokens that come in a second, one at a time: from 0.000001 to 1,000,000. 0
  // means no limit.
  double jobs_per_second = 0;
  // The most tokens that the bucket holds, from 1 to 1,000,000: the number of
  // jobs that may begin at once after a pause.
  int burst = 1;
};

// How one task of a worker differs, as a plain value.
struct TaskOptions {
  // The time that the handler may take, from its start. The worker has a timer
  // for it. A server learns of the limit only with announce_time_limit.
  Duration time_limit = absl::InfiniteDuration();
  // Announces the time limit to servers with CAN_DO_TIMEOUT. The worker adds
  // one second, so that the answer of a living worker comes first. After that
  // time the server gives the job to another worker. (gearmand counts
  // milliseconds; a Perl server takes the same number for seconds.)
  //
  // Do not set this with gearmand (1.1 and 2.0). It has one timer for each
  // connection, and a finished job does not stop that timer; therefore it takes
  // other clients' jobs from their workers, or loses them. If a task is
  // announced all the same, a connection holds one job at a time and sends
  // PRE_SLEEP after each. This is slow, but avoids the worst.
  bool announce_time_limit = false;
  // The answer for a job whose time limit has passed.
  WhenLate when_late = WhenLate::kFail;
  // The number of jobs of this task that may run at once in this worker. 0
  // means no limit of its own; WorkerOptions::concurrency holds in any case. A
  // job runs from its start until it is answered and its handler has returned.
  //
  // No server can be told to give a worker fewer jobs of one task. Therefore a
  // task with a limit has a connection of its own to each server. The worker
  // grabs there only what may begin at once, so other workers do the rest, and
  // the worker's other tasks go on.
  int max_running = 0;
  // How often jobs of this task may begin in this worker, by the worker's
  // clock. Such a task also has connections of its own, on which the worker
  // grabs only as many jobs as there are tokens. A job that has begun keeps its
  // token, however it ends.
  RateLimit rate;
  // The share of this task, from 1 to 1000, when jobs of several tasks wait: of
  // a task with weight 3 the worker grabs three jobs for each one of a task
  // with weight 1. A task without waiting jobs leaves its share to the others.
  // 0 means no weight of its own: all such tasks without a limit share one
  // place with weight 1. A task with a limit and no weight has weight 1. A
  // limit holds whatever the weight, also among the jobs that are held ahead
  // (PrefetchOptions).
  //
  // Without weights a server decides. gearmand 1.1 gives the jobs of the task
  // that was registered last before all others (without its option -R). A task
  // with a weight has connections of its own, as one with a limit has.
  int weight = 0;
};

// How many jobs a worker holds beyond those that it can begin at once. A held
// job can't be given back, so no other worker can do it. But a worker that asks
// for one job at a time pays a round trip for each. Therefore a worker takes
// only what it will have begun within `max_wait`, by the measured time of its
// handlers: up to `max_jobs` tiny jobs at a time, and a slow job only when a
// handler is free.
struct PrefetchOptions {
  // The largest and the smallest number, whatever the measured time. The worker
  // asks for more jobs when half of the number is left. 0 and 0 switch prefetch
  // off.
  int max_jobs = 128;
  int min_jobs = 0;
  // The time within which a held job is to begin.
  Duration max_wait = absl::Milliseconds(5);
  // The largest number of payload bytes held, estimated from the jobs before.
  size_t max_bytes = 64u << 20;
};

// The limits of a worker (docs/limits.md).
struct WorkerLimits {
  // Bytes of one packet, including its header and names. A job whose packet is
  // larger fails with a text that says so: its payload is skipped, its handler
  // is not called, and the connection goes on. A result that would make a
  // larger packet fails its job, and an update is refused with
  // INVALID_ARGUMENT. Clients have an equal default.
  size_t max_packet_bytes = 64u << 20;
  // Bytes that wait to be written to one server. Beyond that the worker grabs
  // no jobs there, and handlers that send updates wait.
  size_t max_output_bytes = 64u << 20;
  // Bytes of packets that are being read and of payloads of held jobs, for all
  // servers together. One packet may have half of this limit. When half of it
  // is in use, the worker grabs no job for which there would be no room. If the
  // limit is exceeded all the same, the worker closes the connection that read
  // last (RESOURCE_EXHAUSTED) and makes a new one; the jobs of the closed
  // connection that have not begun go back to the server. kShareOfMemory means
  // a quarter of the memory that this process may have when the worker is
  // created. 0 means no limit.
  size_t max_memory_bytes = kShareOfMemory;
  // Asynchronous jobs (Worker::RegisterAsync) that have begun and have no
  // answer. At the limit the worker grabs no jobs. A job whose time limit was
  // answered no longer counts.
  int max_pending_jobs = 1000;
};

// How a worker behaves, as a plain value.
struct WorkerOptions {
  // The addresses of the servers ("tcp://host:4730", "host", "inproc://name").
  // Empty means "inproc://default", the embedded job server of this process;
  // the log then gets a warning that says so.
  std::vector<std::string> servers;
  // A prefix that the worker puts before each task on the wire and removes from
  // each task that handlers see.
  std::string task_prefix;
  // The name under which servers list this worker (SET_CLIENT_ID): at most 127
  // bytes that lists can show (IsListable of text/safe_text.h). Empty means no
  // name.
  std::string client_id;

  // The name of a task over which this worker takes orders. Empty means that it
  // takes none. The payload of such a job is one of
  //
  //   pause TASK     as Worker::Pause does
  //   resume TASK    as Worker::Resume does
  //   paused         changes nothing
  //
  // and its result names the tasks that are paused then, one a line. `gearctl
  // pause` and `gearctl resume` send them. A server gives an order to one
  // worker that has this name, so each worker needs a name of its own, such as
  // "control/HOST". Every client of the servers may give orders.
  //
  // The worker has connections of its own for orders, and carries them out on
  // the thread that is in Run, even while all handlers are busy. With
  // concurrency 1 that is when the handler that runs returns or looks at its
  // stop token. task_prefix is also put before this name. Interceptors and the
  // trace observer are not called.
  std::string control_task;

  // How many handlers run at once. With 1 they run on the thread that is in
  // Run, or on the one that Start has started. With more they run on that many
  // threads, each started when it is needed.
  int concurrency = 1;
  // How many jobs are held beyond those that can begin at once.
  PrefetchOptions prefetch;

  // The time to establish one connection, including the name lookup.
  Duration connect_timeout = absl::Seconds(5);
  // A server that leaves a grab or an echo unanswered for this long is
  // considered dead, and the worker replaces its connection. While parts of a
  // packet come or leave, the time counts from the last part.
  Duration reply_timeout = absl::Seconds(30);
  // A connection that is idle for this long, without a byte, is checked with
  // ECHO_REQ. Infinite means never.
  Duration heartbeat_interval = absl::Seconds(30);
  // A sleeping worker asks for jobs this often even if no server wakes it.
  // gearmand 1.1 does not wake workers for a delayed job that has come due. No
  // version wakes another worker when the one that it woke has gone. Infinite
  // means never.
  Duration regrab_interval = absl::Seconds(10);
  // Delays before a lost connection is replaced.
  ReconnectOptions reconnect;
  // How long the destructor of a worker that Worker::Start has started drains,
  // as Worker::Drain does, before it stops the worker.
  Duration drain_limit = absl::Seconds(10);

  // Whether clients get the text of exceptions and of error statuses. If false,
  // clients get a WORK_FAIL, and the text is only logged.
  //
  // The text travels in a WORK_WARNING that begins with "gearman exception: ";
  // a WORK_FAIL follows. Every client understands this as the end of its job. A
  // client of this SDK has the text in status() and exception(). Other clients
  // get it as a warning. A server that knows no WORK_WARNING (Perl's
  // Gearman::Server) gets a WORK_EXCEPTION and a WORK_FAIL instead.
  // docs/guide/interop.md shows what each client does with them.
  bool exceptions = true;
  // Sends the text in a WORK_EXCEPTION instead, for clients of other libraries
  // that have asked for exceptions. To a client that has not asked, gearmand
  // sends a WORK_FAIL with a spoiled handle. `gearman`, libgearman and Perl's
  // client do not recognise it as the end of their job and go on waiting.
  // Clients of this SDK have the text either way. It needs `exceptions`.
  bool native_exceptions = false;
  // The options to ask for on each new connection (OPTION_REQ). Servers know
  // only "exceptions", which has no effect on a connection that only works.
  std::vector<std::string> server_options;

  // Limits of packets, memory and pending jobs.
  WorkerLimits limits;

  // Called on the thread in Run, with no lock held, after each wait for I/O.
  // `any_activity` says whether anything was ready. An exception from it is
  // logged, and the worker goes on.
  Callback<Proceed(bool any_activity)> after_poll;
  // Called after each job, when its answer is on its way, like after_poll: on
  // the thread in Run, with no lock held.
  Callback<Proceed(const JobReport&)> after_job;

  // Plugins. No sinks means no metrics.
  std::vector<std::shared_ptr<MetricsSink>> metrics_sinks;
  // The observer of each job that begins; may be null.
  std::shared_ptr<TraceObserver> trace_observer;
  // Called in this order for each job that begins.
  std::vector<WorkerInterceptor> interceptors;
  // The address schemes. Null means TransportRegistry::Default(), which
  // //sdk:builtins fills.
  std::shared_ptr<TransportRegistry> transports;
  // Gets what the worker reports.
  Logger logger = DefaultLogger();

  // The source of time and readiness. Null means the machine's. No other worker
  // may use this poller.
  std::shared_ptr<Poller> poller;
  // The seed of everything random. Unset means a seed from the system.
  std::optional<uint64_t> random_seed;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_OPTIONS_H_
