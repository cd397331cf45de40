// WorkerServers: the servers of a worker, and to each at most one connection
// with its session. Makes connections and makes them anew, moves bytes, holds
// the list of the jobs that came over each. What a job means is the core's
// business.
//
// A link keeps its index: jobs remember theirs. One that leaves (its server was
// removed, or its connection has become too old and was replaced by a new link)
// grabs nothing more, and is closed when its jobs are answered; then any server
// that is added may get it. A job whose handler still runs then has ended, and
// nothing is sent for it any more, so that it may name another server's link.
//
// Belongs to the worker's I/O thread.
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
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/connection.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/reconnect_delay.h"
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
  // Both null, or neither.
  std::unique_ptr<Connection<wire::ToWorker>> connection;
  std::unique_ptr<WorkerSession> session;
  // Received here and not answered; HeldJob::index is the place.
  std::vector<HeldJobPtr> held;
  ServerMetrics* metrics = nullptr;  // null: nothing is counted

  // Counts connections: keys of an earlier one are not mistaken for this one's.
  uint32_t generation = 0;
  bool leaving = false;
  // Of the links in health(): smaller ones come first.
  uint64_t place = 0;
  // Since it last served: failures, and the last one.
  int failures = 0;
  absl::Status last_error;
  ReconnectDelay delay;
  // Without a connection: when to make one. While connecting: when that is
  // given up.
  absl::Time retry_at = absl::InfinitePast();
  absl::Time connecting_since;
  absl::Time connect_deadline = absl::InfiniteFuture();
  // While connected: when the connection has become too old.
  absl::Time end_of_life = absl::InfiniteFuture();
  // The poller must be told anew what this waits for.
  bool touched = false;
  bool congested = false;
  // Found to have come to its end, and not closed yet.
  bool lost = false;

  // How the worker asks for jobs here. A server that does not know a grab
  // answers ERROR, which the session handles, or closes the connection.
  // `closed_behind_grab` counts connections that ended right behind their first
  // grab.
  WorkerSession::Grabs grabs;
  int closed_behind_grab = 0;

  uint64_t sent_counted = 0;
  uint64_t received_counted = 0;
  uint64_t writes_counted = 0;
  WorkerSession::Counts session_counted;

  bool up() const { return connection != nullptr && connection->connected(); }
};

// A connection that came to its end.
struct LostServer {
  int link;
  absl::Status status;
  ReconnectReason reason;
};

class WorkerServers {
 public:
  struct Options {
    WorkerSession::Options session;
    ConnectionOptions connection;
    ReconnectOptions reconnect;
    absl::Duration connect_timeout;
    size_t max_output_bytes;
    std::shared_ptr<TransportRegistry> transports;
    Metrics* metrics = nullptr;
    Logger logger;
  };
  // Totals of all connections, former ones included.
  struct Counts {
    WorkerSession::Counts sessions;
    uint64_t connects = 0;
    uint64_t losses = 0;
    uint64_t connect_failures = 0;
    uint64_t writes = 0;
  };
  using OnEvent =
      absl::FunctionRef<absl::Status(int link, wire::ToWorker& event)>;

  // `poller` and `random` outlive this.
  WorkerServers(std::vector<Address> servers, Options options, Poller* poller,
                std::mt19937_64* random);
  WorkerServers(const WorkerServers&) = delete;
  WorkerServers& operator=(const WorkerServers&) = delete;

  int size() const { return static_cast<int>(links_.size()); }
  WorkerLink& link(int index) { return links_[static_cast<size_t>(index)]; }
  const Counts& counts() const { return counts_; }

  // Makes `wanted` the servers: adds links, and has links leave.
  void SetServers(absl::Span<const Address> wanted);
  // Has those leave that are too old, and puts new ones in their places.
  void Renew(absl::Time now);
  // The link has no grab or job left, and its server has taken the answers, or
  // is gone. Asks the server for a receipt meanwhile.
  static bool HasEnded(WorkerLink& link, absl::Time now);
  std::vector<ServerHealth> health() const;
  // Call it when a server has refused a task, or has taken one that it had
  // refused.
  void HealthChanged() { ++health_version_; }
  // Changes when health() does.
  uint64_t health_version() const { return health_version_; }

  // Names the server and the job whose answer it has not shown to have taken,
  // for a message. Empty: there is none.
  std::string AnswerOnItsWay(int index) const;

  // Makes the connections whose time has come, and offers `tasks` there.
  void Open(const TaskTable& tasks, absl::Time now,
            std::vector<LostServer>* lost);
  // Handles a ready key: connects, or reads and puts events out.
  void OnReady(Poller::Key key, absl::Time now, OnEvent on_event,
               std::vector<LostServer>* lost);
  // Finds the connections whose time is over, lets the sessions do what is due.
  void OnTime(absl::Time now, std::vector<LostServer>* lost);
  // A server has perhaps work that was not grabbed yet.
  bool want_grabs() const;
  // Shares `room` grabs among the servers that want some, in turn. `quick`:
  // see WorkerSession::set_quick.
  void Grab(int room, bool quick, absl::Time now);
  // Lets a link's session settle, and writes what there is to be written.
  void Settle(int link, absl::Time now, std::vector<LostServer>* lost);
  // Writes what there is to be written to one server.
  void Flush(int link, std::vector<LostServer>* lost);
  // Closes a connection, to be made anew (or not, while draining); returns the
  // jobs that came over it.
  std::vector<HeldJobPtr> Close(const LostServer& lost, bool reopen,
                                absl::Time now);

  int outstanding() const;
  int connected() const;
  // When something is due.
  absl::Time next_deadline() const;

 private:
  // Grabs that make sense at a server now.
  static int Wanted(const WorkerLink& link);
  WorkerLink& Add(const Address& address);
  void Leave(WorkerLink& link);
  absl::Status Connect(WorkerLink& link, absl::Time now);
  void AfterConnect(WorkerLink& link, absl::Time now);
  // Adds it to `lost`, once whatever else is wrong with it.
  void Lose(int link, absl::Status status, ReconnectReason reason,
            std::vector<LostServer>* lost);
  void Count(WorkerLink& link);
  // Learns about the server's grabs from the end of a connection. True: the
  // next connection asks with another grab.
  bool LearnGrabs(WorkerLink& link, const LostServer& lost);

  const Options options_;
  Poller* const poller_;
  std::mt19937_64* const random_;
  std::deque<WorkerLink> links_;  // a deque: they stay where they are
  int next_to_grab_ = 0;
  uint64_t next_place_ = 0;
  Counts counts_;
  uint64_t health_version_ = 1;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_
