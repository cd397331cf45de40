// WorkerOptions and TaskOptions: how a worker behaves, and how one task
// differs. Plain values; sdk/config.h makes them from a config file.
#ifndef GEARMAN_SDK_WORKER_OPTIONS_H_
#define GEARMAN_SDK_WORKER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/job.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/process_memory.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {

class IncomingJob;

// Sees each job before its handler does: sdk/worker_interceptor.h.
using WorkerInterceptor = std::function<void(IncomingJob&)>;

// How a job ended for its worker.
enum class JobOutcome : unsigned char {
  kComplete,   // WORK_COMPLETE
  kFailed,     // WORK_FAIL
  kException,  // failed, with its text (WorkerOptions::exceptions)
  kTimedOut,   // its time limit passed first (TaskOptions::when_late)
  kLost,       // its connection ended before the answer: nothing was sent
};

// What the hook after a job is told. The references live during the call.
struct JobReport {
  const Job& job;
  JobOutcome outcome;
  // Of the answer: OK for kComplete, else why not.
  const absl::Status& status;
  // From the handler's start to the answer.
  absl::Duration duration;
};

// What a hook wants to happen next.
enum class Proceed : unsigned char {
  kContinue,
  kDrain,  // as Worker::Drain without a limit
  kStop,   // as Worker::Stop
};

// What is answered for a job whose time limit has passed. Its stop token fires
// in each case; a result that comes after the answer is dropped and counted.
enum class WhenLate : unsigned char {
  kFail,       // WORK_FAIL
  kException,  // WORK_EXCEPTION with a text that names the limit
  kWait,       // nothing: the handler's own answer, however late
};

struct TaskOptions {
  // How long the handler may take, from its start. The worker's own timer: no
  // server knows of it, unless:
  absl::Duration time_limit = absl::InfiniteDuration();
  // Announces the time limit to servers with CAN_DO_TIMEOUT, plus one second,
  // so that a living worker's own answer comes first; past it the server hands
  // the job to another worker. (gearmand counts milliseconds, a Perl server
  // takes the same number for seconds.)
  //
  // Don't, with gearmand (1.1, 2.0): it has one timer for each connection,
  // which a finished job does not stop, and takes other clients' jobs away from
  // their workers or loses them. Where a task has it all the same, a connection
  // holds one job at a time and says PRE_SLEEP after each, which is slow and
  // avoids the worst.
  bool announce_time_limit = false;
  WhenLate when_late = WhenLate::kFail;
};

// How many jobs a worker holds that it can't begin at once. Jobs can't be given
// back, so what one worker holds no other can do; but asking for one job at a
// time costs a round trip for each. So it takes only what it will have begun
// within `max_wait`, by the measured time of its handlers: tiny jobs come 128
// at a time, slow ones when a handler is free.
struct PrefetchOptions {
  // At most, and at least, so many, whatever the time. 0 and 0: never any.
  int max_jobs = 128;
  int min_jobs = 0;
  absl::Duration max_wait = absl::Milliseconds(5);
  // At most so many bytes of payload, estimated from what came before.
  size_t max_bytes = 64u << 20;
};

struct WorkerLimits {
  // Bytes of one packet, header and names included. A job whose packet is
  // larger is failed with a text that says so: its payload is skipped, its
  // handler is not called, and the connection goes on. A result that would make
  // a larger packet fails its job, and an update is refused with
  // INVALID_ARGUMENT. Clients have the same default.
  size_t max_packet_bytes = 64u << 20;
  // Bytes waiting to be written to one server. Beyond, no jobs are grabbed
  // there, and handlers that send updates wait.
  size_t max_output_bytes = 64u << 20;
  // Bytes of packets that are being read and of payloads of jobs held, all
  // servers together. One packet may have half of it. From half of it on the
  // worker grabs no job for which there would be no room. If more comes all the
  // same, the worker gives up the connection that read last
  // (RESOURCE_EXHAUSTED) and makes it anew, and the jobs of that connection
  // that have not begun go back. kShareOfMemory: a quarter of the memory that
  // this process may have when the worker is created. 0: no limit.
  size_t max_memory_bytes = kShareOfMemory;
  // Asynchronous jobs (Worker::RegisterAsync) begun and not answered. Beyond,
  // no jobs are grabbed. What a time limit has answered counts no longer.
  int max_pending_jobs = 1000;
};

struct WorkerOptions {
  // Addresses of the servers ("tcp://host:4730", "host", "inproc://name").
  // Empty: "inproc://default", the embedded job server of this process, and a
  // warning in the log that says so.
  std::vector<std::string> servers;
  // Put before each task on the wire, taken off again for handlers.
  std::string task_prefix;
  // The name under which servers list this worker (SET_CLIENT_ID): at most 127
  // bytes that lists can show (IsListable of text/safe_text.h). Empty: none.
  std::string client_id;

  // Handlers that run at once. 1: on the thread that is in Run, without a
  // hop. More: on so many threads, started as they are needed.
  int concurrency = 1;
  PrefetchOptions prefetch;

  // To establish one connection, name look-up included.
  absl::Duration connect_timeout = absl::Seconds(5);
  // A server that leaves a grab or echo unanswered for this long is taken for
  // dead and its connection replaced. As long as parts of a packet come, or
  // leave, it counts from the last part.
  absl::Duration reply_timeout = absl::Seconds(30);
  // An idle connection is checked with ECHO_REQ after this long without a byte.
  // Infinite: never.
  absl::Duration heartbeat_interval = absl::Seconds(30);
  // A sleeping worker asks for jobs this often even if nobody wakes it:
  // gearmand 1.1 wakes nobody for a delayed job that has come due, and no
  // version does when the one worker it woke has gone. Infinite: never.
  absl::Duration regrab_interval = absl::Seconds(10);
  ReconnectOptions reconnect;

  // Whether clients are told the text of thrown exceptions and of error
  // statuses. False: they get a WORK_FAIL, and the text is logged only.
  //
  // The text goes in a WORK_WARNING that begins with "gearman exception: ", and
  // a WORK_FAIL follows. Every client takes that for the end of its job. A
  // client of this SDK has the text in status() and exception(); other clients
  // get it as a warning. A server that knows no WORK_WARNING (Perl's
  // Gearman::Server) gets a WORK_EXCEPTION and a WORK_FAIL instead.
  // docs/interop.md shows what each client makes of it.
  bool exceptions = true;
  // Sends the text in a WORK_EXCEPTION instead, for clients of other libraries
  // that have asked for exceptions. gearmand sends a WORK_FAIL with a spoiled
  // handle to a client that has not asked. `gearman`, libgearman and Perl's
  // client do not take that for the end of their job, and go on waiting.
  // Clients of this SDK have the text either way. Needs `exceptions`.
  bool native_exceptions = false;
  // Options asked for on each new connection (OPTION_REQ). Servers know only
  // "exceptions", which means nothing to one that merely works.
  std::vector<std::string> server_options;

  WorkerLimits limits;

  // Called on the thread in Run, with no lock held, after each wait for I/O;
  // `any_activity`: something had happened. What it throws is logged, and the
  // worker goes on.
  std::function<Proceed(bool any_activity)> after_poll;
  // The same after each job, when its answer is on its way.
  std::function<Proceed(const JobReport&)> after_job;

  // Plugins; null: no metrics.
  std::vector<std::shared_ptr<MetricsSink>> metrics_sinks;
  // Hears of each job that is begun; null: nobody does.
  std::shared_ptr<TraceObserver> trace_observer;
  // Called in this order for each job that is begun.
  std::vector<WorkerInterceptor> interceptors;
  // Address schemes; null: TransportRegistry of the linked builtins.
  std::shared_ptr<TransportRegistry> transports;
  Logger logger = DefaultLogger();

  // Time and readiness; null: the machine's. A worker has its poller to itself.
  std::shared_ptr<Poller> poller;
  // Seed of everything random; unset: from the system.
  std::optional<uint64_t> random_seed;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_OPTIONS_H_
