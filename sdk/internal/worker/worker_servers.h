// WorkerServers holds the servers of a worker. Each server has at most one
// connection, with its session. WorkerServers makes and replaces connections,
// moves bytes, and lists the jobs that came over each. WorkerCore and
// WorkerJobs handle the jobs.
//
// A link keeps its index, which jobs remember. A link leaves when its server
// was removed, or when its connection is too old and a new link replaces it. A
// leaving link grabs nothing more, and is closed when its jobs are answered.
// After that any new server may get it. A job whose handler still runs then has
// ended, and nothing is sent for it, so it does not matter that its index names
// another server.
//
// It belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/connection.h"
#include "gearman/sdk/internal/net/reconnect_delay.h"
#include "gearman/sdk/internal/worker/held_job.h"
#include "gearman/sdk/internal/worker/worker_session.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

struct WorkerLink {
  std::string name;  // the address as configured, in canonical form
  Address address;
  // Either both are null or neither is.
  std::unique_ptr<Connection<wire::Decoder<wire::ToWorker>>> connection;
  std::unique_ptr<WorkerSession> session;
  // Jobs received here and not answered. HeldJob::index is a job's place.
  std::vector<HeldJobPtr> held;
  ServerMetrics* metrics = nullptr;  // null: nothing is counted

  // Counts connections, so that the key of an earlier one is not taken for this
  // one's.
  uint32_t generation = 0;
  bool leaving = false;
  // The order of the links in health(): smaller values come first.
  uint64_t place = 0;
  // The number of failures since the server last served, and the last one.
  int failures = 0;
  absl::Status last_error;
  ReconnectDelay delay;
  // retry_at: when to make a connection, if there is none. connect_deadline:
  // when the attempt is given up.
  absl::Time retry_at = absl::InfinitePast();
  absl::Time connecting_since;
  absl::Time connect_deadline = absl::InfiniteFuture();
  // While connected: when the connection is too old.
  absl::Time end_of_life = absl::InfiniteFuture();
  // The poller must be told what this connection waits for.
  bool touched = false;
  bool congested = false;
  // The connection was found to have ended, and is not closed yet.
  bool lost = false;

  // The way to ask for jobs here. A server that does not know a grab answers
  // ERROR, which the session handles, or closes the connection.
  // `closed_behind_grab` counts connections that ended right after their first
  // grab.
  WorkerSession::Grabs grabs;
  int closed_behind_grab = 0;

  uint64_t sent_counted = 0;
  uint64_t received_counted = 0;
  uint64_t writes_counted = 0;
  WorkerSession::Counts session_counted;

  bool up() const { return connection != nullptr && connection->connected(); }
};

// A connection that has ended.
struct LostServer {
  int link;
  absl::Status status;
  ReconnectReason reason;
};

class WorkerServers {
 public:
  struct Options {
    WorkerSession::Options session;
    wire::DecoderOptions decoder;
    ConnectionOptions connection;
    ReconnectOptions reconnect;
    absl::Duration connect_timeout;
    size_t max_output_bytes;
    std::shared_ptr<TransportRegistry> transports;
    Metrics* metrics = nullptr;
    Logger logger;
  };
  // Totals of all connections, including closed ones.
  struct Counts {
    WorkerSession::Counts sessions;
    uint64_t connects = 0;
    uint64_t losses = 0;
    uint64_t connect_failures = 0;
    uint64_t writes = 0;
  };
  using OnEvent =
      absl::FunctionRef<absl::Status(int link, wire::ToWorker& event)>;

  // `poller` and `random` must outlive this object.
  WorkerServers(std::vector<Address> servers, Options options, Poller* poller,
                std::mt19937_64* random);
  WorkerServers(const WorkerServers&) = delete;
  WorkerServers& operator=(const WorkerServers&) = delete;

  int size() const { return static_cast<int>(links_.size()); }
  WorkerLink& link(int index) { return links_[static_cast<size_t>(index)]; }
  const Counts& counts() const { return counts_; }

  // Makes `wanted` the servers: adds links for new ones, and lets others leave.
  void SetServers(absl::Span<const Address> wanted);
  // Lets links leave that are too old, and puts new ones in their places.
  void Renew(absl::Time now);
  // True if the link has no grab or job left, and its server has taken the
  // answers or is gone. Asks the server for a receipt if one is needed.
  static bool HasEnded(WorkerLink& link, absl::Time now);
  std::vector<ServerHealth> health() const;
  // Call it when a server has refused a task, or has taken one that it had
  // refused.
  void HealthChanged() { ++health_version_; }
  // Changes whenever health() does.
  uint64_t health_version() const { return health_version_; }

  // Names, for a message, the server and the job whose answer the server may
  // not have taken. Empty: there is none.
  std::string AnswerOnItsWay(int index) const;

  // Makes the connections that are due, and offers `tasks` on them.
  void Open(const TaskTable& tasks, absl::Time now,
            std::vector<LostServer>* lost);
  // Handles a ready key: connects, or reads and calls `on_event`.
  void OnReady(Poller::Key key, absl::Time now, OnEvent on_event,
               std::vector<LostServer>* lost);
  // Finds connections that are out of time, and lets sessions handle what is
  // due.
  void OnTime(absl::Time now, std::vector<LostServer>* lost);
  // True if a server may have work that was not grabbed yet.
  bool want_grabs() const;
  // Shares `room` grabs among the servers that want some, in turn. `quick`: see
  // WorkerSession::set_quick.
  void Grab(int room, bool quick, absl::Time now);
  // Lets a link's session settle, and writes its output.
  void Settle(int link, absl::Time now, std::vector<LostServer>* lost);
  // Writes the output to one server.
  void Flush(int link, std::vector<LostServer>* lost);
  // Closes a connection and returns the jobs that came over it. `reopen`: it is
  // made again later.
  std::vector<HeldJobPtr> Close(const LostServer& lost, bool reopen,
                                absl::Time now);

  int outstanding() const;
  int connected() const;
  // The next time at which something is due.
  absl::Time next_deadline() const;

 private:
  // The number of grabs that make sense at a server now.
  static int Wanted(const WorkerLink& link);
  WorkerLink& Add(const Address& address);
  void Leave(WorkerLink& link);
  absl::Status Connect(WorkerLink& link, absl::Time now);
  void AfterConnect(WorkerLink& link, absl::Time now);
  // Adds the link to `lost`. Does so only once, even if more goes wrong with
  // it.
  void Lose(int link, absl::Status status, ReconnectReason reason,
            std::vector<LostServer>* lost);
  void Count(WorkerLink& link);
  // Learns about the server's grabs from the end of a connection. Returns true
  // if the next connection asks with another grab.
  bool LearnGrabs(WorkerLink& link, const LostServer& lost);

  const Options options_;
  Poller* const poller_;
  std::mt19937_64* const random_;
  std::deque<WorkerLink> links_;  // a deque, so that links keep their place
  int next_to_grab_ = 0;
  uint64_t next_place_ = 0;
  Counts counts_;
  uint64_t health_version_ = 1;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_
