// WorkerServers holds the servers of a worker and the connections to them. It
// adds to ServerSet what is a worker's own: a connection to every server, made
// again whenever it ends, the grab that each server knows, and the sharing of
// grabs among servers. WorkerCore and WorkerJobs handle the jobs.
//
// A link that is retired grabs nothing more, and is closed when its jobs are
// answered and the server has taken the answers.
//
// Lanes: a grab can't say of which task the job shall be, and a task of which a
// job is held can't be taken back from its server (docs/protocol.md). Therefore
// each task with a limit or a weight has a lane, which is one more connection
// to each server that offers this task alone. Only jobs that may begin are
// asked for there. All other tasks share one lane.
//
// It belongs to the worker's I/O thread.
#ifndef GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_
#define GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/task_gate.h"
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

struct OfLineTag;

// The connections that offer one task with a limit or a weight, or those that
// offer all other tasks, the common lane. ListLink: it is in the line of lanes
// that get grabs.
struct GrabLane : ListLink<OfLineTag> {
  GrabLane() = default;
  GrabLane(std::string its_function, std::shared_ptr<TaskGate> its_gate)
      : function(std::move(its_function)), gate(std::move(its_gate)) {}

  // Empty and null: the common lane.
  const std::string function;
  const std::shared_ptr<TaskGate> gate;
  // The servers of a lane with a gate, by name: objects beside those of
  // ServerSet::servers(), which belong to the lane without one.
  std::map<std::string, ServerPtr<WorkerLinkSession>> servers;
  // The grabs on its links that were not answered.
  int outstanding = 0;
  // The links that want grabs, the first to be served in front.
  std::list<WorkerLink*> wanting;
  // The grabs that are left of its turn in the line. 0: it has no turn.
  int turn = 0;

  // The number of further grabs that its limit allows.
  int room() const {
    return gate == nullptr ? std::numeric_limits<int>::max()
                           : gate->Room() - outstanding;
  }
  // True if the task belongs here.
  bool Has(const Task& task) const {
    return gate == nullptr ? !task.gate->needs_lane() : task.gate == gate;
  }
  int weight() const { return gate == nullptr ? 1 : gate->weight(); }
};

// The grabs of a server, as its connections have shown. A server that does not
// know a grab answers ERROR, which the session handles, or closes the
// connection. `closed_behind_grab` counts connections that ended right after
// their first grab.
template <>
struct Learned<WorkerLinkSession> {
  WorkerSession::Grabs grabs;
  int closed_behind_grab = 0;
  // A connection was closed behind its first grab, and no grab was answered
  // since. A proxy whose server is down closes connections, too. So the next
  // ones ask for an echo first: if it is answered, there is a server, and the
  // grab is to blame for a close.
  bool asks_echo = false;
  // The server has answered GRAB_JOB_ALL. A server that dies while it is asked closes
  // connections, too, so this one must close more of them before the worker
  // believes that an older server has taken its place.
  bool has_known_all = false;
  // Null: the common lane.
  std::shared_ptr<GrabLane> lane;

  // Forgets what may have changed while the server was away.
  void ForgetGrabs() {
    grabs = {};
    closed_behind_grab = 0;
    asks_echo = false;
  }
};

class WorkerLinkSession final : public WorkerSession {
 public:
  using WorkerSession::WorkerSession;

  // Jobs received here and not answered. WorkerJobs owns them, and this list
  // finds them when the connection is lost.
  JobsOfLink jobs;
  // The number of them that their tasks' gates hold back. WorkerJobs counts it.
  int held_back = 0;

  // The fields that follow are WorkerServers' own.
  // The unsent output is above its limit.
  bool congested = false;
  // The link is in its lane's list of those that want grabs; its place in that
  // list or in the other one.
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
  ~WorkerServers() override;

  // The number of grabs that were not answered.
  int outstanding() const { return shared_.outstanding; }

  // --- the servers -----------------------------------------------------------
  // Makes `wanted` the servers: adds new ones, and removes the others.
  void SetServers(absl::Span<const Address> wanted);
  // Offers the tasks that were registered and are not paused, and takes back
  // the others. A task has a lane of its own if its gate says so.
  void ChangeTasks(absl::Span<const TaskChange> changes);
  // Retires all links. No connection is made any more.
  void Drain();
  bool draining() const { return draining_; }
  // True if the link has no successor: it ends for good when it may.
  bool LeavesForGood(const WorkerLink& link) const {
    return link.leaving != nullptr && (draining_ || link.server->removed);
  }
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
  bool want_grabs() const { return in_line_ > 0; }
  // True if output has left, since the last call, that had held back the grabs
  // of its connection. No event follows that, so grab now.
  bool TakeRelief() { return std::exchange(relief_, false); }
  // Call it when more jobs of a task may begin than before.
  void NoteRoom(const TaskGate& gate) {
    if (gate.lane != nullptr) Line(*gate.lane);
  }
  // Shares `room` grabs among the lanes, in turn and by weight, and in each of
  // them among the servers that want some, in turn. `quick`: see
  // WorkerSession::Shared.
  void Grab(int room, bool quick, absl::Time now);

  // --- the end of connections ------------------------------------------------
  // Lets a link leave, so that its server queues again the jobs that it gave to
  // it and that were not answered. A new link takes its place.
  void Renew(WorkerLink& link);
  // Lets the link that has taken the place of this one ask for jobs. A server
  // may wake one of the worker's connections and no other.
  void WakeSuccessor(const WorkerLink& link);
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

  void AddOnce(const Address& address);
  // Makes the owner look at links that leave for good since.
  void TouchAll();
  // Retires the link of a server, and makes no new one.
  void DrainServer(WorkerServer& server);
  // Makes a new link to the server of one that was retired.
  void Succeed(WorkerLink& link);

  // worker_lanes.cc:
  GrabLane& LaneOf(const WorkerLink& link) {
    GrabLane* const lane = link.server->learned.lane.get();
    return lane == nullptr ? main_ : *lane;
  }
  void OpenLane(const TaskChange& change, bool paused);
  void CloseLane(const std::string& function);
  void AddToLane(const std::shared_ptr<GrabLane>& lane, const Address& address);
  void RemoveFromLane(GrabLane& lane, const std::string& server);
  // The tasks that a new link offers.
  std::vector<TaskChange> OffersOf(const WorkerLink& link);
  // Adds to the health of a server how the connections of its lanes are.
  void AddLanes(ServerHealth* health) const;
  // Puts a lane into the line if it has wishes and room, or takes it out.
  void Line(GrabLane& lane);
  // Returns how many turns of all lanes in the line `room` grabs are at least.
  int TurnsIn(int room);
  // Sends at most `room` grabs on the links of a lane, and returns how many.
  int GrabIn(GrabLane& lane, int room, absl::Time now);

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
  GrabLane main_;
  // The lanes but the common one, by function, and the lanes that may get
  // grabs, the first to be served in front.
  std::map<std::string, std::shared_ptr<GrabLane>> lanes_;
  IntrusiveList<GrabLane, OfLineTag> line_;
  int in_line_ = 0;
  // The lane for orders, or null.
  GrabLane* control_ = nullptr;
  // The links that want no grabs, of all lanes.
  Links content_;
  bool draining_ = false;
  bool relief_ = false;  // see TakeRelief
  WorkerCounters* const counters_;
  uint64_t own_health_version_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_WORKER_WORKER_SERVERS_H_
