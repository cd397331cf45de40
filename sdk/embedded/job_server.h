// JobServer: a Gearman job server inside this process, for tests, tools and
// programs that need no server of their own. Everything is in memory: jobs end
// with it. To a client or worker it is a gearmand 1.1.20 (docs/protocol.md
// lists the differences).
//
//   auto server = gearman::JobServer::Create();
//   (*server)->Listen("inproc://test").status();
//   gearman::ClientOptions options;
//   options.servers = {"inproc://test"};
//   // ... clients and workers of this process; gone with the server.
//
// Threads: over inproc:// it has none, and no socket: whoever writes to it runs
// it, after dropping all locks of his own. Listening on anything else
// (tcp://127.0.0.1:0, tls://, a scheme of yours) it has exactly one I/O thread.
// Given a poller it has none either, and whoever calls RunOnce runs it.
//
// fork: a server is its process's. A child's copy accepts nothing and runs no
// job; its functions return FAILED_PRECONDITION, or nothing, and the destructor
// does nothing. Over TCP the child's new clients reach the parent's server; the
// inproc:// names of the parent are not there.
//
// Thread-safe.
#ifndef GEARMAN_SDK_EMBEDDED_JOB_SERVER_H_
#define GEARMAN_SDK_EMBEDDED_JOB_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/process_memory.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {

namespace embedded {
class ServerCore;
}  // namespace embedded

struct JobServerOptions {
  // --- as gearmand's options of these names ---
  // Handles are "PREFIX:n". Empty: "H:" and the host's name. At most 42 bytes.
  std::string job_handle_prefix;
  // How often a job may run in all: when its worker is lost for the N-th time
  // it fails. 0: no limit.
  uint32_t job_retries = 0;
  // Sleeping workers that one job wakes; 0: all who can do it.
  uint32_t worker_wakeup = 0;
  // A worker's grab tries last the function that gave it its last job.
  bool round_robin = false;
  // WORK_EXCEPTION reaches clients that have not asked for it.
  bool exceptions = false;

  // --- limits (docs/limits.md) ---
  // Jobs, and bytes of their data, held at once; as many submissions may have
  // joined jobs and wait for them. A submit beyond is
  // answered with ERROR QUEUE_ERROR, as by a full queue of gearmand. 0: no
  // limit.
  size_t max_jobs = 10'000'000;
  size_t max_job_bytes = size_t{4} << 30;
  // Functions known at once. As by gearmand their names stay, to be seen in
  // `status`; for one more, the name is forgotten that nobody has used for the
  // longest time: that has no jobs, workers and `maxqueue`. When all are in
  // use, who submits or registers another one gets ERROR QUEUE_ERROR, but for
  // workers that have registered few: they share a quarter more. 0: no limit.
  size_t max_functions = 100'000;
  // Functions that one worker has registered; one more is refused with ERROR
  // QUEUE_ERROR. 0: no limit.
  size_t max_functions_of_worker = 10'000;
  // One more is closed at once. 0: no limit. Each takes a descriptor, of which
  // a process has mostly 1,024 at first: raise its limit (RLIMIT_NOFILE) in
  // your program's main; a library must not. Clients for whom there is none
  // are closed at once, too.
  size_t max_connections = 10'000;
  // Bytes of one packet, header and names included. The payload of a larger one
  // is skipped: a submission is answered with ERROR ARGUMENT_TOO_LARGE, and a
  // job whose result or update is too large ends with an exception that says
  // so. The connection goes on.
  size_t max_packet_bytes = 64 << 20;
  // While more waits to be written to a connection than this, nothing more is
  // read from it. Bytes.
  size_t output_mark = 1 << 20;
  // A connection for which more waits than this, because others make output
  // for it that it does not read, is closed. Bytes.
  size_t max_output_bytes = 256 << 20;
  // Bytes under way in each direction of an inproc:// stream.
  size_t pipe_bytes = 1 << 20;
  // kShareOfMemory (transports/process_memory.h) stands for a share of the
  // memory that this process may have when the server is created.
  // Bytes of all memory that jobs (with their records) and functions take. A
  // submission beyond is answered as one beyond max_jobs. kShareOfMemory: half.
  // 0: no limit.
  size_t max_queue_memory = kShareOfMemory;
  // Bytes of all memory that connections take: packets that have not ended,
  // output that has not been taken, submissions that wait, functions that
  // workers have registered. Beyond it the connection that takes most (to
  // within a quarter) is closed. kShareOfMemory: a quarter. 0: no limit.
  size_t max_connection_memory = kShareOfMemory;
  // A connection that has begun a packet and for so long sent nothing more of
  // it is closed. InfiniteDuration: never.
  absl::Duration packet_timeout = absl::Minutes(5);
  // A connection that for so long has taken nothing of what waits for it is
  // closed. A peer that does something else meanwhile is not at fault, so it is
  // long. InfiniteDuration: never.
  absl::Duration output_timeout = absl::Minutes(15);
  // Streams whose handshake (TLS) is not finished, at once. Beyond it the one
  // that has waited for its peer the longest is closed; if this server is the
  // one that all wait for, the newest. 0: no limit.
  size_t max_handshakes = 2'000;

  // --- what it is made of ---
  // Hears (as warnings, each kind at most every 10 s) of connections closed
  // at a limit, of clients refused for want of descriptors, and of memory that
  // ran out. Called under the server's lock: it must not call the server.
  Logger logger;
  // The transports to listen with. Null: TransportRegistry::Default(), and tcp
  // and inproc in any case.
  std::shared_ptr<TransportRegistry> transports;
  // Where inproc:// names live. Null: InprocNetwork::Default().
  std::shared_ptr<InprocNetwork> network;
  // Null: the machine's, or the poller's.
  Clock* clock = nullptr;
  // Run the server by hand on this poller, which outlives it and whose keys are
  // all its own.
  Poller* poller = nullptr;
};

class JobServer {
 public:
  // INVALID_ARGUMENT: a handle prefix that is too long or holds a NUL, or a
  // limit or timeout that makes no sense.
  static absl::StatusOr<std::unique_ptr<JobServer>> Create(
      JobServerOptions options = {});
  // Stops.
  ~JobServer();
  JobServer(const JobServer&) = delete;
  JobServer& operator=(const JobServer&) = delete;

  // Serves `address` too, and returns it as clients write it: port 0 has become
  // the real one. ALREADY_EXISTS: somebody listens there. NOT_FOUND: no
  // transport has that scheme. INVALID_ARGUMENT: the address makes no sense.
  // FAILED_PRECONDITION: it has been stopped. Others: the transport's.
  absl::StatusOr<std::string> Listen(absl::string_view address);
  // Addresses that it listens on, in the order of Listen.
  std::vector<std::string> addresses() const;

  // Ends all streams and forgets all jobs: when it returns, no thread, socket
  // or name of the server is left. Idempotent.
  void Stop();

  // Only with a poller of your own: waits until `deadline` for something to do,
  // does it, and returns. One thread at a time. FAILED_PRECONDITION: it runs by
  // itself, or has been stopped.
  absl::Status RunOnce(absl::Time deadline);

  // Connections and jobs that there are now.
  size_t connections() const;
  size_t jobs() const;

 private:
  explicit JobServer(std::shared_ptr<embedded::ServerCore> core);

  const std::shared_ptr<embedded::ServerCore> core_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_JOB_SERVER_H_
