// ClientOptions and CallOptions: how a client behaves, and how one call
// differs. Plain values; sdk/config.h makes them from a config file.
//
// A call's options merge over the client's field by field: what a call leaves
// unset, the client decides.
#ifndef GEARMAN_SDK_CLIENT_OPTIONS_H_
#define GEARMAN_SDK_CLIENT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
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
#include "gearman/transports/transport_registry.h"

namespace gearman {

class JobRequest;
class OutgoingJob;

// Sees each job before it is submitted: sdk/client_interceptor.h.
using ClientInterceptor = std::function<void(OutgoingJob&)>;

// The unique of a request that was given none.
enum class UniqueMode : unsigned char {
  kRandom,   // 128 random bits in hex: never joined by chance
  kPayload,  // made from task and payload: equal jobs are joined
  kDash,     // the special "-": the server itself compares payloads
  kNone,     // empty: never joined, and not to be asked for by unique
};

// Who does the network I/O (the table in sdk/client.h).
enum class DriveMode : unsigned char {
  // The thread that waits; one background thread, started the first time
  // something needs it, while nobody waits.
  kAuto,
  // Only threads that call the client; what needs more is refused with
  // FAILED_PRECONDITION.
  kCallerOnly,
};

// What a submission does when a limit has been reached.
enum class WhenFull : unsigned char {
  kBlock,  // waits (driving the I/O) until there is room or the deadline
  kFail,   // finishes the request at once with RESOURCE_EXHAUSTED
  kDrop,   // as kFail, but silently: no callback; counted in metrics
};

// Called in the order of arrival on the thread that drives the I/O, with no
// lock held, and before a Wait for the request returns. They may submit,
// cancel and read; they must not wait (FAILED_PRECONDITION). What they throw is
// logged, and changes nothing. The data is valid during the call.
struct JobCallbacks {
  // WORK_DATA. When set, data goes here instead of into data_updates.
  std::function<void(const JobRequest&, absl::string_view data)> on_data;
  // WORK_WARNING. When set, warnings go here instead of into warning_updates.
  std::function<void(const JobRequest&, absl::string_view data)> on_warning;
  // WORK_STATUS.
  std::function<void(const JobRequest&, const JobStatus&)> on_status;
  // The request is finished, however it ended. Exactly once per submission, but
  // for what is dropped (WhenFull::kDrop), and what is refused because its
  // client is being destroyed.
  std::function<void(const JobRequest&)> on_complete;

  bool empty() const {
    return !on_data && !on_warning && !on_status && !on_complete;
  }
};

struct CallOptions {
  // The whole time that the request may take, attempts, delays and execution
  // together; then it ends with DEADLINE_EXCEEDED. Measured from submission.
  std::optional<absl::Duration> timeout;
  // Priority in the function's queue.
  std::optional<Priority> priority;
  // The unique: at most 63 bytes, no NUL. Unset: by ClientOptions::unique_mode.
  std::optional<std::string> unique;
  // The job runs at this time at the earliest (SUBMIT_JOB_EPOCH; whole seconds,
  // always background and of normal priority).
  std::optional<absl::Time> run_at;
  // How many attempts may be made, on whichever servers; at least 1.
  std::optional<int> max_connection_attempts;
  // The job may run more than once without harm: only then may a policy repeat
  // what may have been accepted.
  std::optional<bool> idempotent;
  // Replaces the client's policy for this call.
  std::shared_ptr<RetryPolicy> retry_policy;
  std::optional<WhenFull> when_full;
  JobCallbacks callbacks;
};

struct ClientLimits {
  // Requests submitted and not finished.
  size_t max_requests_in_flight = 4000000;
  // Bytes waiting to be written, all servers together.
  size_t max_output_bytes = 256u << 20;
  // Bytes of one packet, header and names included. A job that would make a
  // larger one is refused before it is sent. The payload of a larger packet
  // from a server is skipped: its request ends with RESOURCE_EXHAUSTED, and the
  // connection goes on. Workers have the same default.
  size_t max_packet_bytes = 64u << 20;
  // Bytes of untaken updates that one request may hold; beyond, the request
  // ends with RESOURCE_EXHAUSTED (a stream with a hole would be worse).
  size_t max_update_bytes = 64u << 20;
  // Bytes of packets that are being read and of untaken updates of requests in
  // flight, all together. Beyond, the request that gets an update, or the
  // connection that reads, ends with RESOURCE_EXHAUSTED. Results, and what else
  // a finished request holds, don't count. kShareOfMemory: a quarter of the
  // memory that this process may have when the client is created. 0: no limit.
  size_t max_memory_bytes = kShareOfMemory;
  WhenFull when_full = WhenFull::kBlock;
};

struct ClientOptions {
  // Addresses of the servers ("tcp://host:4730", "host", "inproc://name").
  // Empty: "inproc://default", the embedded job server of this process, and a
  // warning in the log that says so.
  std::vector<std::string> servers;
  // Put before each task on the wire, taken off again for the user.
  std::string task_prefix;

  // Defaults for every call. A default timeout of InfiniteDuration: none.
  absl::Duration timeout = absl::InfiniteDuration();
  Priority priority = Priority::kNone;
  UniqueMode unique_mode = UniqueMode::kRandom;
  bool idempotent = false;
  // Attempts for one request, on whichever servers; 0: what the retry policy
  // says, mostly each server once.
  int max_connection_attempts = 0;

  // To establish one connection, name look-up included.
  absl::Duration connect_timeout = absl::Seconds(5);
  // A server that leaves a command unanswered for this long is taken for dead
  // and its connection closed. (Answers, not results: a job may take for ever.)
  // As long as parts of a packet come, or leave, it counts from the last part.
  absl::Duration reply_timeout = absl::Seconds(30);
  // A connection on which jobs run, and nothing came for so long, is checked
  // with ECHO_REQ, which then has reply_timeout; one that idled for so long is
  // replaced before it is used (a firewall may have forgotten it, and what is
  // sent into it would be in doubt). Infinite: neither.
  absl::Duration heartbeat_interval = absl::Seconds(30);
  // A server that can't be reached, or broke its connection while it owed
  // something, gets no request for a while as long as another server is left:
  // for these delays, then one request tries it.
  ReconnectOptions reconnect;
  // Ask each new connection for exceptions (OPTION_REQ); without it a server
  // turns a WORK_EXCEPTION into a plain failure. Workers of this SDK tell a
  // failure's text without a WORK_EXCEPTION (WorkerOptions::exceptions).
  bool exceptions = true;

  DriveMode drive_mode = DriveMode::kAuto;
  ClientLimits limits;

  // Plugins; null: `immediate` retry without delays, `standard` idempotency,
  // `random` selection, no metrics.
  std::shared_ptr<RetryPolicy> retry_policy;
  std::shared_ptr<BackoffPolicy> backoff_policy;
  std::shared_ptr<IdempotencyPolicy> idempotency_policy;
  std::shared_ptr<ServerSelector> server_selector;
  std::vector<std::shared_ptr<MetricsSink>> metrics_sinks;
  // Hears of each submission, retry and status question; null: nobody does.
  std::shared_ptr<TraceObserver> trace_observer;
  // Called in this order for each submission.
  std::vector<ClientInterceptor> interceptors;
  // Address schemes; null: TransportRegistry::Default(), which //sdk:builtins
  // fills.
  std::shared_ptr<TransportRegistry> transports;
  Logger logger = DefaultLogger();

  // Time and readiness; null: the machine's. A client has its poller to itself.
  std::shared_ptr<Poller> poller;
  // Seed of everything random; unset: from the system.
  std::optional<uint64_t> random_seed;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_CLIENT_OPTIONS_H_
