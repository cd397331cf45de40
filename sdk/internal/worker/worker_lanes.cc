// The part of WorkerServers that gives each task with a limit or a weight
// connections of its own, and that shares grabs among the lanes.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/job/task_gate.h"
#include "gearman/sdk/internal/job/task_table.h"
#include "gearman/sdk/internal/worker/worker_servers.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace internal {

// --- which lanes there are ---------------------------------------------------

void WorkerServers::ChangeTasks(absl::Span<const TaskChange> changes) {
  // The changes for the common lane. A task leaves it when it is paused or gets
  // a lane of its own, and the other tasks go on.
  std::vector<TaskChange> common(changes.begin(), changes.end());
  for (TaskChange& change : common) {
    const bool own = change.task != nullptr && change.task->gate->needs_lane();
    const bool paused = change.task != nullptr && change.task->gate->paused();
    if (own) {
      OpenLane(change, paused);
    } else {
      CloseLane(change.function);
    }
    if (!own && !paused) continue;
    change.task = nullptr;
    change.gives_way = true;
  }
  for (const auto& link : links()) {
    if (LaneOf(*link).gate != nullptr) continue;
    link->session->ChangeTasks(common);
    Touch(*link);
  }
}

void WorkerServers::OpenLane(const TaskChange& change, bool paused) {
  const auto known = lanes_.find(change.function);
  if (known != lanes_.end() && known->second->gate == change.task->gate) {
    const TaskChange offer{change.function, paused ? nullptr : change.task};
    for (const auto& [name, server] : known->second->servers) {
      if (server->link == nullptr) continue;
      server->link->session->ChangeTasks({offer});
      Touch(*server->link);
    }
    return;
  }
  CloseLane(change.function);
  const auto lane =
      std::make_shared<GrabLane>(change.function, change.task->gate);
  lane->gate->lane = lane.get();
  if (change.task->control) control_ = lane.get();
  lanes_.emplace(change.function, lane);
  for (const WorkerServerPtr& server : servers()) {
    AddToLane(lane, server->address);
  }
}

void WorkerServers::CloseLane(const std::string& function) {
  const auto found = lanes_.find(function);
  if (found == lanes_.end()) return;
  const std::shared_ptr<GrabLane> lane = std::move(found->second);
  lanes_.erase(found);
  lane->gate->lane = nullptr;
  if (control_ == lane.get()) control_ = nullptr;
  // The servers share the ownership of their lane.
  for (const auto& [name, server] : std::exchange(lane->servers, {})) {
    RemoveBeside(*server, "its task needs it no more, and nothing is left");
  }
}

void WorkerServers::AddToLane(const std::shared_ptr<GrabLane>& lane,
                              const Address& address) {
  WorkerServerPtr& server = lane->servers[address.ToString()];
  if (server != nullptr) return;
  server = AddBeside(address);
  server->learned.lane = lane;
  if (draining_) server->retry_at = absl::InfiniteFuture();
  AwaitRetry(*server);
}

void WorkerServers::RemoveFromLane(GrabLane& lane, const std::string& server) {
  const auto found = lane.servers.find(server);
  if (found == lane.servers.end()) return;
  const WorkerServerPtr removed = std::move(found->second);
  lane.servers.erase(found);
  RemoveBeside(*removed, "the server was removed, and nothing is left to do");
}

std::vector<TaskChange> WorkerServers::OffersOf(const WorkerLink& link) {
  const GrabLane& lane = LaneOf(link);
  std::vector<TaskChange> offers;
  for (TaskChange& offer : tasks_->AsChanges()) {
    if (lane.Has(*offer.task) && !offer.task->gate->paused()) {
      offers.push_back(std::move(offer));
    }
  }
  return offers;
}

void WorkerServers::AddLanes(ServerHealth* health) const {
  for (const auto& [function, lane] : lanes_) {
    const auto found = lane->servers.find(health->server);
    if (found == lane->servers.end()) continue;
    const WorkerServer& server = *found->second;
    if (server.link != nullptr && server.link->up()) {
      for (std::string& task : server.link->session->refused_tasks()) {
        health->refused_tasks.push_back(std::move(task));
      }
    } else if (server.failures > 0 && health->state == ServerState::kUp) {
      health->state = ServerState::kFailing;
      health->failures = server.failures;
      health->last_error = server.last_error;
      health->next_attempt = server.retry_at;
    }
  }
  std::sort(health->refused_tasks.begin(), health->refused_tasks.end());
}

// --- grabs -------------------------------------------------------------------

void WorkerServers::Line(GrabLane& lane) {
  const bool belongs = !lane.wanting.empty() && lane.room() > 0;
  // A lane that wants nothing leaves the rest of its turn to the others.
  if (lane.wanting.empty()) lane.turn = 0;
  if (belongs == lane.linked()) return;
  if (!belongs) {
    lane.Unlink();
    --in_line_;
    return;
  }
  // A lane that comes back from its task's limit goes on with its turn. With a
  // low limit each turn would have one grab otherwise, whatever the weight.
  if (lane.turn > 0) {
    line_.PushFront(lane);
  } else {
    line_.PushBack(lane);
  }
  ++in_line_;
}

int WorkerServers::TurnsIn(int room) {
  // In a turn each lane gets one grab at least.
  if (in_line_ == 0 || room <= in_line_) return 1;
  int weights = 0;
  for (const GrabLane& lane : line_) weights += lane.weight();
  return std::max(1, room / weights);
}

void WorkerServers::Grab(int room, bool quick, absl::Time now) {
  shared_.quick = quick;
  ForEachTouched([this](WorkerLink& link) {
    link.session->TakeBack();
    if (link.session->blocked()) {
      options().logger.Log(LogLevel::kInfo, "a new connection to ",
                           link.server->name,
                           ": the old one has jobs of a task that is grabbed "
                           "there no more");
      Retire(link, "its jobs have ended, and a new one does the rest");
      Succeed(link);
    }
    NoteWish(link);
  });
  // Orders are taken even while no handler is free.
  if (control_ != nullptr) {
    GrabIn(*control_, control_->room(), now);
    Line(*control_);
  }
  const int turns = TurnsIn(room);
  for (int content = 0; room > 0 && content < in_line_;) {
    GrabLane& lane = line_.front();
    if (lane.gate != nullptr) lane.gate->Refresh(now);
    const int most = lane.weight() * turns;
    // A turn goes on that the last call has not ended for want of room.
    const int turn = lane.turn == 0 ? most : std::min(lane.turn, most);
    const int sent = GrabIn(lane, std::min({turn, lane.room(), room}), now);
    room -= sent;
    // Grabs that one lane does not want are left for the others. A lane at its
    // task's limit has not refused them.
    lane.turn = room > 0 && lane.room() > 0 ? 0 : turn - sent;
    // GrabIn has taken a lane that wants no more out of the line.
    if (lane.linked()) {
      content = sent > 0 ? 0 : content + 1;
      if (lane.turn == 0) {
        lane.Unlink();
        line_.PushBack(lane);
      }
    }
    Line(lane);
  }
}

int WorkerServers::GrabIn(GrabLane& lane, int room, absl::Time now) {
  Links& links = lane.wanting;
  int sent = 0;
  int wanting = static_cast<int>(links.size());
  while (sent < room && wanting > 0) {
    WorkerLink& link = *links.front();
    // Grabs that one server does not want are left for the others. A link that
    // was not touched wants none if `quick` has changed: it goes to sleep.
    const int share =
        std::min(link.session->wanted_grabs(), (room - sent - 1) / wanting + 1);
    link.session->Grab(share, now);
    Touch(link);
    sent += share;
    --wanting;
    // The link comes last the next time.
    links.splice(links.end(), links, links.begin());
    NoteWish(link);
  }
  return sent;
}

}  // namespace internal
}  // namespace gearman
