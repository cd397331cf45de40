// ClientOptions and CallOptions: how a client behaves, and how one call
// differs. Both are plain values. sdk/config.h makes them from a config file. A
// field that a call leaves unset has the client's value.
#ifndef GEARMAN_SDK_CLIENT_OPTIONS_H_
#define GEARMAN_SDK_CLIENT_OPTIONS_H_

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
#include "gearman/base/string_view.h"
#include "gearman/codecs/priority.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/job_status.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/process_memory.h"

namespace gearman {

class JobRequest;
class OutgoingJob;
class TransportRegistry;

// An interceptor sees each job before it is submitted
// (sdk/client_interceptor.h).
using ClientInterceptor = Callback<void(OutgoingJob&)>;

// How the client makes the unique of a request that has none. docs/protocol.md,
// section "Client semantics", says when a server joins jobs by their uniques.
enum class UniqueMode : unsigned char {
  kRandom,   // 128 random bits in hex: never joined by chance
  kPayload,  // a hash of task and payload: equal jobs are joined
  kDash,     // the special "-": the server compares payloads
  kNone,     // empty: never joined; a query by unique is impossible
};

// Selects the thread that does the network I/O (docs/threads.md).
enum class DriveMode : unsigned char {
  // The thread that waits. While none waits: one background thread, started the
  // first time something needs it.
  kAuto,
  // Only threads that call the client. A request that needs a background thread
  // is refused with FAILED_PRECONDITION.
  kCallerOnly,
  // An event loop of the program. The client needs a poller with a descriptor,
  // EpollPoller::CreateForEventLoop (transports/epoll_poller.h). The program
  // calls RunOnce when the descriptor is readable and by the time that the last
  // RunOnce returned. A thread that waits drives meanwhile, so callbacks would
  // run there: such a program does not wait. examples/event_loop shows it.
  kEventLoop,
};

// Decides how a submission behaves when a limit has been reached.
enum class WhenFull : unsigned char {
  kBlock,  // waits for room until the deadline; in a callback: as kFail
  kFail,   // finishes the request at once with RESOURCE_EXHAUSTED
  kDrop,   // as kFail, but calls no callback; metrics count the request
};

// A part of the data or result of a job, as it comes from its server.
struct DataPiece {
  // The packets that carry data.
  enum class Kind : unsigned char {
    kData,    // of a WORK_DATA
    kResult,  // of the WORK_COMPLETE
  };

  Kind kind = Kind::kData;  // the packet that the piece is of
  uint64_t size = 0;        // the bytes of the whole payload
  uint64_t offset = 0;      // the place of `bytes` in it
  // The piece. It is empty only if the payload is empty.
  StringView bytes;

  // Whether this is the first piece of its payload, and whether it is the last.
  bool begins() const { return offset == 0; }
  bool ends() const { return offset + bytes.size() == size; }
};

// The functions that a request calls. They are called in the order of arrival,
// on the thread that does the I/O, with no lock held, and before a wait for the
// end of the request returns. A callback may submit, cancel and read. It must not wait: a
// wait returns FAILED_PRECONDITION. An exception from a callback is logged and
// changes nothing. `data` is valid during the call. A callback may hold what
// can't be copied (base/callback.h).
struct JobCallbacks {
  // A server has accepted the job (JOB_CREATED), and the request has its
  // handle. The client calls this for each attempt that is accepted, and not
  // for a job that an interceptor has answered. A WaitUntilJobsAccepted on
  // another thread may return before the call.
  Callback<void(const JobRequest&)> on_accepted;
  // WORK_DATA. When set, data goes here instead of into JobRequest::updates.
  Callback<void(const JobRequest&, StringView data)> on_data;
  // WORK_DATA and the result, in pieces of at most 256 KiB, each as it arrives.
  // The client then never holds a payload as a whole, and ClientLimits::
  // max_memory_bytes does not limit its size, only max_packet_bytes does. All
  // pieces of one payload follow one another; the last one ends() it. When set,
  // neither on_data nor JobRequest::updates gets data, and JobRequest::result
  // is empty text. If the connection is lost within a payload, no end of it
  // comes; on_complete tells that the job was lost, or a further attempt begins
  // anew with a piece that begins().
  //
  // A payload below 16 KiB, and one that arrives in one read, is one piece. A
  // job that shares a handle with another one of this client (equal uniques,
  // which the server has joined) gets each payload as one piece, which was held
  // as a whole. An answer of an interceptor is in JobRequest::result. A
  // callback that takes long makes the server wait.
  Callback<void(const JobRequest&, const DataPiece&)> on_piece;
  // WORK_WARNING. When set, warnings go here instead of into updates.
  Callback<void(const JobRequest&, StringView data)> on_warning;
  // WORK_STATUS. When set, reports go here instead of into updates.
  Callback<void(const JobRequest&, const JobStatus&)> on_status;
  // The request is finished, however it ended. The client calls this exactly
  // once for each submission, except for requests that are dropped
  // (WhenFull::kDrop) and requests that are refused because their client is
  // being destroyed.
  Callback<void(const JobRequest&)> on_complete;

  // Whether no function is set.
  bool empty() const {
    return !on_accepted && !on_data && !on_piece && !on_warning && !on_status &&
           !on_complete;
  }
};

// How one call differs from the client's defaults, as a plain value.
// Background, priority, run_at and reducer choose the packet that submits the
// job (docs/protocol.md, sections "Packets" and "Client semantics").
struct CallOptions {
  // The whole time that the request may take: attempts, delays and execution
  // together, measured from submission. A request that is not finished by then
  // ends with DEADLINE_EXCEEDED.
  std::optional<Duration> timeout;
  // The priority in the function's queue (SUBMIT_JOB_HIGH, SUBMIT_JOB_LOW).
  std::optional<Priority> priority;
  // The unique, of at most 63 bytes without NUL. If unset,
  // ClientOptions::unique_mode decides.
  std::optional<std::string> unique;
  // The earliest time at which the job runs (SUBMIT_JOB_EPOCH), rounded up to
  // whole seconds. Such a job is always a background job of normal priority.
  std::optional<absl::Time> run_at;
  // Makes the job a reduce job (SUBMIT_REDUCE_JOB) and names the task that does
  // its parts (sdk/reduce.h). At most 64 bytes, with the client's task_prefix,
  // which the client puts before it. Empty means none. Such a job has normal
  // priority, and no run_at. Equal uniques are joined whatever their reducers:
  // the first one counts. A server with a persistent queue that restarts
  // forgets the reducer.
  std::string reducer;
  // How many attempts may be made, on any servers; at least 1.
  std::optional<int> max_connection_attempts;
  // True means that the job may run more than once without harm. If false, a
  // submission that a server may have accepted is repeated only where the
  // IdempotencyPolicy allows it. The default policy, `strict`, does not. The
  // `standard` policy allows it on the same server if the caller gave a unique.
  std::optional<bool> idempotent;
  // Replaces the client's policy for this call.
  std::shared_ptr<RetryPolicy> retry_policy;
  // Says what happens when a limit of the client is reached. If unset,
  // ClientLimits::when_full decides.
  std::optional<WhenFull> when_full;
  // The functions that this request calls.
  JobCallbacks callbacks;
};

// The limits of a client (docs/limits.md).
struct ClientLimits {
  // Requests that are submitted and not finished.
  size_t max_requests_in_flight = 4000000;
  // Bytes that wait to be written, for all servers together.
  size_t max_output_bytes = 256u << 20;
  // Bytes of one packet, including its header and names. A job that would make
  // a larger packet is refused before it is sent. If a server sends a larger
  // packet, its payload is skipped: its request ends with RESOURCE_EXHAUSTED,
  // and the connection goes on. Workers have an equal default.
  size_t max_packet_bytes = 64u << 20;
  // Bytes of untaken data and warnings that one request may hold. Beyond that
  // the request ends with RESOURCE_EXHAUSTED, because a stream with a hole
  // would be worse.
  size_t max_update_bytes = 64u << 20;
  // Bytes of packets that are being read and of untaken updates of requests in
  // flight, all together. Beyond that, the request that gets data or a warning,
  // or the connection that reads, ends with RESOURCE_EXHAUSTED. Once half of
  // the limit is in use, a new report of progress replaces older ones of its
  // request, or is dropped. Results and other data of finished requests don't
  // count. kShareOfMemory means a quarter of the memory that this process may
  // have when the client is created. 0 means no limit.
  size_t max_memory_bytes = kShareOfMemory;
  // Says what happens to a submission when max_requests_in_flight or
  // max_output_bytes is reached.
  WhenFull when_full = WhenFull::kBlock;
};

// How a client behaves, as a plain value.
struct ClientOptions {
  // The addresses of the servers ("tcp://host:4730", "host", "inproc://name").
  // Empty means "inproc://default", the embedded job server of this process;
  // the log then gets a warning that says so.
  std::vector<std::string> servers;
  // A prefix that the client puts before each task on the wire and removes from
  // each task that it shows.
  std::string task_prefix;

  // The defaults of every call. InfiniteDuration means no timeout.
  Duration timeout = absl::InfiniteDuration();
  Priority priority = Priority::kNone;
  UniqueMode unique_mode = UniqueMode::kRandom;
  bool idempotent = false;
  // Attempts for one request, on any servers. 0 means that the retry policy
  // decides: three by default.
  int max_connection_attempts = 0;

  // The time to establish one connection, including the name lookup.
  Duration connect_timeout = absl::Seconds(5);
  // A server that leaves a command unanswered for this long is considered dead,
  // and the client closes its connection. This is about answers, not about
  // results: a job may take any time. While parts of a packet come or leave,
  // the time counts from the last part.
  Duration reply_timeout = absl::Seconds(30);
  // This time has three uses; infinite disables all of them.
  //   - If jobs run on a connection and no byte has come for this time, the
  //     client sends ECHO_REQ. The server has reply_timeout to answer.
  //   - If a connection was idle for this time, the client replaces it before
  //     using it. A firewall may have dropped it, and the outcome of a job that
  //     was sent into it would be unknown.
  //   - A foreground job that was submitted again may have joined a job that an
  //     earlier attempt left behind. gearmand drops such a job without a word
  //     (docs/guide/servers.md). Therefore the client asks for its status
  //     (GET_STATUS) at this interval.
  Duration heartbeat_interval = absl::Seconds(30);
  // Delays for a server that can't be reached, or that broke its connection
  // while it owed an answer. During a delay the server gets no request unless
  // no other server can be used. After the delay one request tries it.
  ReconnectOptions reconnect;
  // Asks for exceptions on each new connection (OPTION_REQ). Otherwise a server
  // turns a WORK_EXCEPTION into a plain failure. Workers of this SDK report the
  // text of a failure without a WORK_EXCEPTION (WorkerOptions::exceptions).
  bool exceptions = true;

  // Says which thread does the network I/O.
  DriveMode drive_mode = DriveMode::kAuto;
  // Limits of requests, of memory and of packets.
  ClientLimits limits;

  // Plugins. Null means: `exponential_backoff` retry, which makes up to three
  // attempts after delays that grow, `strict` idempotency, under which only an
  // attempt that was surely not accepted is repeated unless the request is
  // marked idempotent, and `random` selection. No sinks means no metrics.
  std::shared_ptr<RetryPolicy> retry_policy;
  std::shared_ptr<BackoffPolicy> backoff_policy;
  std::shared_ptr<IdempotencyPolicy> idempotency_policy;
  std::shared_ptr<ServerSelector> server_selector;
  std::vector<std::shared_ptr<MetricsSink>> metrics_sinks;
  // The observer of each submission, retry and status question; may be null.
  std::shared_ptr<TraceObserver> trace_observer;
  // Called in this order for each submission.
  std::vector<ClientInterceptor> interceptors;
  // The address schemes. Null means TransportRegistry::Default(), which
  // //sdk:builtins fills.
  std::shared_ptr<TransportRegistry> transports;
  // Gets what the client reports.
  Logger logger = DefaultLogger();

  // The source of time and readiness. Null means the machine's. No other client
  // may use this poller.
  std::shared_ptr<Poller> poller;
  // The seed of everything random. Unset means a seed from the system.
  std::optional<uint64_t> random_seed;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_CLIENT_OPTIONS_H_
