// JobServer: a Gearman job server inside this process, for tests, tools and
// programs that need no separate server. The server keeps everything in memory:
// its jobs end with it. To a client or worker it behaves like gearmand 1.1.20
// (docs/protocol.md, section "Where the embedded server differs from gearmand,
// and why").
//
//   auto server = gearman::JobServer::Create();
//   (*server)->Listen("inproc://test").status();
//   gearman::ClientOptions options;
//   options.servers = {"inproc://test"};
//   // ... clients and workers of this process. The name ends with the server.
//
// Any thread may call any function.
#ifndef GEARMAN_SDK_EMBEDDED_JOB_SERVER_H_
#define GEARMAN_SDK_EMBEDDED_JOB_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/duration.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/process_memory.h"

namespace gearman {

class TransportRegistry;

namespace embedded {
class ServerCore;
}  // namespace embedded

// The settings of a JobServer, as a plain value.
struct JobServerOptions {
  // --- as gearmand's options of these names ---
  // Handles are "PREFIX:n". An empty prefix stands for "H:" and the host's
  // name. A prefix has 42 bytes at most.
  std::string job_handle_prefix;
  // The number of times that a job may run: the job fails when its worker is
  // lost for the N-th time. 0 means no limit.
  uint32_t job_retries = 0;
  // The number of sleeping workers that one job wakes. 0 means all workers that
  // can do it.
  uint32_t worker_wakeup = 0;
  // Whether a grab looks last at the function that gave the worker its last
  // job.
  bool round_robin = false;
  // Whether clients that have not asked for exceptions also get
  // WORK_EXCEPTION.
  bool exceptions = false;

  // --- limits (docs/limits.md) ---
  // Limits of the jobs held at once and of the bytes of their data. Submissions
  // that wait for a job which they have joined are no jobs: there may be
  // max_jobs of them, too. The server answers a submission beyond a limit with
  // ERROR QUEUE_ERROR, like gearmand with a full queue. 0 means no limit.
  size_t max_jobs = 10'000'000;
  size_t max_job_bytes = size_t{4} << 30;
  // Functions known at once. Like gearmand, the server keeps the names of
  // unused functions and lists them in `status`. To make room for another
  // function, it forgets the one that has been unused (without jobs, workers
  // and `maxqueue`) for longest. When all are in use, it answers the submission
  // or registration of another one with ERROR QUEUE_ERROR. Only workers that
  // have registered few functions may register more: they share a quarter more.
  // 0 means no limit.
  size_t max_functions = 100'000;
  // Functions that one worker may register. The server refuses another one with
  // ERROR QUEUE_ERROR. 0 means no limit.
  size_t max_functions_of_worker = 10'000;
  // The most connections at one time. The server closes a further one at once.
  // 0 means no limit. Each connection takes a descriptor, and most processes
  // may have only 1,024 at first. The program may raise the limit
  // (RLIMIT_NOFILE); a library must not. The server also closes at once a
  // connection for which there is no descriptor.
  size_t max_connections = 10'000;
  // Bytes of one packet, header and names included. The server skips the
  // payload of a larger one. It answers a submission with ERROR
  // ARGUMENT_TOO_LARGE. A job whose result or update is too large ends with an
  // exception that says so. The connection goes on.
  size_t max_packet_bytes = 64 << 20;
  // Bytes. While more output than this waits for a connection, the server reads
  // nothing more from it.
  size_t output_mark = 1 << 20;
  // Bytes. If more output than this waits for a connection, the server closes
  // it. Others may cause output for a peer that does not read.
  size_t max_output_bytes = 256 << 20;
  // Bytes under way in each direction of an inproc:// stream.
  size_t pipe_bytes = 1 << 20;
  // Bytes of all memory that jobs, their records and functions take. The server
  // answers a submission beyond this like one beyond max_jobs. kShareOfMemory
  // (transports/process_memory.h) means half of the memory that this process
  // may have when the server is created. 0 means no limit.
  size_t max_queue_memory = kShareOfMemory;
  // Bytes of all memory that connections take: unfinished packets, output that
  // peers have not taken, submissions that wait, functions that workers have
  // registered. Beyond this the server closes the connection that takes most
  // (to within a quarter). kShareOfMemory means a quarter of the memory that
  // this process may have when the server is created. 0 means no limit.
  size_t max_connection_memory = kShareOfMemory;
  // The server closes a connection that has begun a packet and has sent nothing
  // more of it for this time. InfiniteDuration means never.
  Duration packet_timeout = absl::Minutes(5);
  // The server closes a connection that has taken nothing of its waiting output
  // for this time. The time is long because a peer that is busy with something
  // else is not at fault. InfiniteDuration means never.
  Duration output_timeout = absl::Minutes(15);
  // The most streams whose handshake (TLS) is not finished. Beyond this the
  // server closes the stream that has waited longest for its peer. If all
  // streams wait for this server, it closes the newest. 0 means no limit.
  size_t max_handshakes = 2'000;

  // --- what it is made of ---
  // Gets a warning when a connection is closed or refused at a limit, when a
  // client is refused because there is no descriptor, and when memory runs out;
  // each kind at most every 10 s. The server calls it under its lock: it must
  // not call the server.
  Logger logger = DefaultLogger();
  // The transports to listen with. Null means TransportRegistry::Default(). tcp
  // and inproc are there in any case.
  std::shared_ptr<TransportRegistry> transports;
  // The network that holds the inproc:// names. Null means
  // InprocNetwork::Default().
  std::shared_ptr<InprocNetwork> network;
  // The server's clock. Null means the clock of the poller, or the machine's if
  // there is no poller.
  Clock* clock = nullptr;
  // The poller of a server that the caller runs, by RunOnce. The poller must
  // outlive the server, which uses all of its keys. Null means that the server
  // runs by itself.
  Poller* poller = nullptr;
};

// Threads: a server that listens on inproc:// alone has no thread and no
// socket. A thread that writes to it runs the server, after it has released its
// own locks. With any other address (tcp://127.0.0.1:0, tls://, a scheme of the
// caller's) the server has exactly one I/O thread. With
// JobServerOptions::poller it has none, and the thread that calls RunOnce runs
// it.
//
// fork: a server belongs to the process that made it. The child's copy accepts
// no connection and runs no job. Its functions return FAILED_PRECONDITION or
// nothing, and its destructor does nothing. New clients of the child reach the
// parent's server over TCP. The parent's inproc:// names don't exist in the
// child.
class JobServer {
 public:
  // Makes a server that listens nowhere yet. Returns INVALID_ARGUMENT for a
  // handle prefix that is too long or that lists can't show (IsListable of
  // text/safe_text.h), and for a limit or timeout that makes no sense.
  static absl::StatusOr<std::unique_ptr<JobServer>> Create(
      JobServerOptions options = {});
  // Calls Stop.
  ~JobServer();
  JobServer(const JobServer&) = delete;
  JobServer& operator=(const JobServer&) = delete;

  // Accepts connections at `address`, beside those of earlier calls. A
  // connection takes packets of clients and workers, and text commands
  // (docs/protocol.md, sections "Packets" and "Admin text protocol"). Returns
  // the address for clients, in which the real port stands in place of port 0.
  // Returns ALREADY_EXISTS if another server listens there, NOT_FOUND if no
  // transport has that scheme, INVALID_ARGUMENT if the address makes no sense,
  // and FAILED_PRECONDITION if this server has been stopped. The transport may
  // return other errors.
  absl::StatusOr<std::string> Listen(StringView address);
  // The addresses that the server listens on, in the order of Listen.
  std::vector<std::string> addresses() const;

  // Closes all streams and forgets all jobs. When Stop returns, no thread,
  // socket or name of the server is left. A second call does nothing.
  void Stop();

  // Waits for something to do, at most until `deadline`, does it and returns.
  // This is for a server with JobServerOptions::poller. One thread at a time
  // may call it. Returns FAILED_PRECONDITION if the server runs by itself, or
  // has been stopped.
  absl::Status RunOnce(absl::Time deadline);

  // The numbers of connections and jobs at this moment.
  size_t connections() const;
  size_t jobs() const;

 private:
  explicit JobServer(std::shared_ptr<embedded::ServerCore> core);

  const std::shared_ptr<embedded::ServerCore> core_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_JOB_SERVER_H_
