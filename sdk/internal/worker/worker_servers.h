// WorkerServers holds the servers of a worker and the connections to them. It
// adds to ServerSet what is a worker's own: a connection to every server, made
// again whenever it ends, the grab that each server knows, and the sharing of
// grabs among servers. WorkerCore and WorkerJobs handle the jobs.
//
// A link that is retired grabs nothing more, and is closed when its jobs are
// answered and the server has taken the answers.
//
// It belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/task_table.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/link.h"
#include "gearman/sdk/internal/net/server.h"
#include "gearman/sdk/internal/net/server_set.h"
#include "gearman/sdk/internal/worker/worker_counters.h"
#include "gearman/sdk/internal/worker/worker_session.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

// The grabs of a server, as its connections have shown. A server that does not
// know a grab answers ERROR, which the session handles, or closes the
// connection. `closed_behind_grab` counts connections that ended right after
// their first grab.
template <>
struct Learned<WorkerLinkSession> {
  WorkerSession::Grabs grabs;
  int closed_behind_grab = 0;
  // It has answered GRAB_JOB_ALL. A server that dies while it is asked closes
  // connections, too, so this one must close more of them before the worker
  // believes that an older server has taken its place.
  bool has_known_all = false;

  // Forgets what may have changed while the server was away.
  void ForgetGrabs() {
    grabs = {};
    closed_behind_grab = 0;
  }
};

class WorkerLinkSession final : public WorkerSession {
 public:
  using WorkerSession::WorkerSession;

  // Jobs received here and not answered. WorkerJobs owns them, and this list
  // finds them when the connection is lost.
  JobsOfLink jobs;

  // The fields that follow are WorkerServers' own.
  // The unsent output is above its limit.
  bool congested = false;
  // The link is in the list of those that want grabs; its place in that list or
  // in the other one.
  bool wants_grabs = false;
  std::list<WorkerLink*>::iterator place;
  uint64_t writes_counted = 0;
};

using WorkerServer = ServerOf<WorkerLinkSession>;
using WorkerServerPtr = ServerPtr<WorkerLinkSession>;

extern template class ServerSet<WorkerLinkSession>;

class WorkerServers final : public ServerSet<WorkerLinkSession>,
                            private ServerSet<WorkerLinkSession>::Owner {
 public:
  struct Options {
    WorkerSession::Options session;
    ServerSetOptions set;
    size_t max_output_bytes = 0;
  };
  // Offers `tasks` on new connections, and tells `mailbox` which connections
  // are congested. All pointers must outlive this object.
  WorkerServers(const std::vector<Address>& servers, Options options,
                const TaskTable* tasks, Mailbox* mailbox, Poller* poller,
                std::mt19937_64* random, WorkerCounters* counters);
  ~WorkerServers() override { CloseAll(); }

  // The number of grabs that were not answered.
  int outstanding() const { return shared_.outstanding; }

  // --- the servers -----------------------------------------------------------
  // Makes `wanted` the servers: adds new ones, and removes the others.
  void SetServers(absl::Span<const Address> wanted);
  // Offers the tasks that were registered, and takes back the others.
  void ChangeTasks(absl::Span<const TaskChange> changes);
  // Retires all links. No connection is made any more.
  void Drain();
  bool draining() const { return draining_; }
  std::vector<ServerHealth> health() const;
  // Call it when a server has refused a task, or has taken one that it had
  // refused.
  void HealthChanged() { ++own_health_version_; }
  // Changes whenever health() may have.
  uint64_t health_version() const {
    return ServerSet::health_version() + own_health_version_;
  }

  // --- a turn ----------------------------------------------------------------
  // Makes the connections that are due.
  void Open(absl::Time now);
  // ServerSet::OnTime, after all events of this turn were handled.
  void OnTime(absl::Time now);
  // True if a server may have work that was not grabbed yet.
  bool want_grabs() const { return !wanting_.empty(); }
  // Shares `room` grabs among the servers that want some, in turn. `quick`: see
  // WorkerSession::Shared.
  void Grab(int room, bool quick, absl::Time now);

  // --- the end of connections ------------------------------------------------
  // Lets a link leave, so that its server queues again the jobs that it gave to
  // it and that were not answered. A new link takes its place.
  void Renew(WorkerLink& link);
  // Names, for a message, the server and the job whose answer the server may
  // not have taken. Empty: there is none.
  static std::string AnswerOnItsWay(const WorkerLink& link);
  // Closes a lost link and returns it, with its jobs. The connection is made
  // again later.
  std::unique_ptr<WorkerLink> CloseLost(const Lost& lost, absl::Time now);

 private:
  using Links = std::list<WorkerLink*>;

  std::unique_ptr<WorkerLinkSession> MakeSession(
      WorkerLink& link, wire::OutputBuffer* output) override;
  void OnFlushed(WorkerLink& link) override;
  void OnClosing(WorkerLink& link) override;
  void OnRetired(WorkerLink& link) override;
  // Makes a new connection to the server of a retired link.
  void Replace(WorkerLink& link);

  void AddOnce(const Address& address);
  // Notes that a server's connection has ended or could not be made. `at_once`:
  // the next one needs no delay.
  void OnFailure(WorkerServer& server, const absl::Status& status, bool at_once,
                 absl::Time now);
  // Puts the link into the list where it belongs. Call it when something has
  // happened to it.
  void NoteWish(WorkerLink& link);
  void SetCongested(WorkerLink& link, bool congested);
  // Learns about the server's grabs from the end of a connection. Returns true
  // if the next connection asks with another grab.
  bool LearnGrabs(const Lost& lost);

  const size_t max_output_bytes_;
  const TaskTable* const tasks_;
  Mailbox* const mailbox_;
  WorkerSession::Shared shared_;
  // The links that want grabs, the first to be served in front, and the others.
  Links wanting_;
  Links content_;
  bool draining_ = false;
  WorkerCounters* const counters_;
  uint64_t own_health_version_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_
