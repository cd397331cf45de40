#include "gearman/sdk/internal/worker/worker_servers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/internal/net/server_set_impl.h"
#include "gearman/sdk/log.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

template class ServerSet<WorkerLinkSession>;

namespace {

// A server that does not know a grab may close the connection. After this many
// such closes in a row, the worker tries another grab.
constexpr int kClosesOfAnUnknownGrab = 2;
// The number of closes for a server that has answered GRAB_JOB_ALL before.
constexpr int kClosesOfAGrabOnceKnown = 8;

// Returns the grab to try after `kind`. After the oldest grab the first one
// follows again, because no grab was the cause then.
wire::GrabKind Lesser(wire::GrabKind kind) {
  switch (kind) {
    case wire::GrabKind::kAll:
      return wire::GrabKind::kUnique;
    case wire::GrabKind::kUnique:
      return wire::GrabKind::kPlain;
    case wire::GrabKind::kPlain:
      break;
  }
  return wire::GrabKind::kAll;
}

absl::string_view GrabName(wire::GrabKind kind) {
  switch (kind) {
    case wire::GrabKind::kAll:
      return "GRAB_JOB_ALL";
    case wire::GrabKind::kUnique:
      return "GRAB_JOB_UNIQ";
    case wire::GrabKind::kPlain:
      break;
  }
  return "GRAB_JOB";
}

// Returns the grabs of a link's server. The session may have removed the doubt
// (Grabs::unsure), when the server answered or refused a better grab.
WorkerSession::Grabs KnownGrabs(const WorkerLink& link) {
  const WorkerSession::Grabs& learned = link.server->learned.grabs;
  return learned.unsure && !link.session->grabs().unsure ? link.session->grabs()
                                                         : learned;
}

ServerSetOptions SetOptions(ServerSetOptions options) {
  options.retire_on_time = true;
  // Nobody asks for a removed server.
  options.max_removed = 0;
  return options;
}

}  // namespace

WorkerServers::WorkerServers(const std::vector<Address>& servers,
                             Options options, const TaskTable* tasks,
                             Mailbox* mailbox, Poller* poller,
                             std::mt19937_64* random, WorkerCounters* counters)
    : ServerSet(SetOptions(std::move(options.set)), poller, random, this),
      max_output_bytes_(options.max_output_bytes),
      tasks_(tasks),
      mailbox_(mailbox),
      counters_(counters) {
  shared_.options = std::move(options.session);
  shared_.counters = counters;
  shared_.metrics = this->options().metrics;
  for (const Address& server : servers) AddOnce(server);
}

WorkerServers::~WorkerServers() {
  CloseAll();
  // The servers share the ownership of their lane.
  for (const auto& [function, lane] : lanes_) lane->servers.clear();
}

// --- which servers there are -------------------------------------------------

void WorkerServers::AddOnce(const Address& address) {
  const WorkerServerPtr known = Find(address.ToString());
  if (known != nullptr && !known->removed) return;
  const WorkerServerPtr server = Add(address);
  if (server == nullptr) return;
  // A server that comes back begins anew.
  server->OnAnswer();
  server->learned = {};
  AwaitRetry(*server);
  for (const auto& [function, lane] : lanes_) AddToLane(lane, address);
}

void WorkerServers::SetServers(absl::Span<const Address> wanted) {
  absl::flat_hash_set<std::string> names;
  for (const Address& address : wanted) names.insert(address.ToString());
  const std::vector<WorkerServerPtr> before(servers().begin(), servers().end());
  for (const WorkerServerPtr& server : before) {
    if (names.contains(server->name)) continue;
    Remove(server);
    for (const auto& [function, lane] : lanes_) {
      RemoveFromLane(*lane, server->name);
    }
  }
  for (const Address& address : wanted) AddOnce(address);
  TouchAll();
}

void WorkerServers::Drain() {
  draining_ = true;
  for (const WorkerServerPtr& server : servers()) DrainServer(*server);
  for (const auto& [function, lane] : lanes_) {
    for (const auto& [name, server] : lane->servers) DrainServer(*server);
  }
  TouchAll();
}

void WorkerServers::TouchAll() {
  for (const auto& link : links()) Touch(*link);
}

void WorkerServers::DrainServer(WorkerServer& server) {
  WorkerLink* const link = server.link;
  server.retry_at = absl::InfiniteFuture();
  AwaitRetry(server);
  if (link == nullptr) return;
  Retire(*link, "the worker drains, and nothing is left to do there");
  // health() tells of it until it is closed.
  server.link = link;
}

std::vector<ServerHealth> WorkerServers::health() const {
  std::vector<ServerHealth> all;
  all.reserve(servers().size());
  for (const WorkerServerPtr& server : servers()) {
    ServerHealth& health = all.emplace_back();
    health.server = server->name;
    health.failures = server->failures;
    if (server->link != nullptr && server->link->up()) {
      health.state = ServerState::kUp;
      health.refused_tasks = server->link->session->refused_tasks();
    } else if (server->failures == 0) {
      health.state = ServerState::kConnecting;
    } else {
      health.state = ServerState::kFailing;
      health.last_error = server->last_error;
      health.next_attempt =
          server->link == nullptr ? server->retry_at : absl::InfinitePast();
    }
    AddLanes(&health);
  }
  return all;
}

// --- connecting --------------------------------------------------------------

std::unique_ptr<WorkerLinkSession> WorkerServers::MakeSession(
    WorkerLink& link, wire::OutputBuffer* output) {
  const Learned<WorkerLinkSession>& learned = link.server->learned;
  auto session = std::make_unique<WorkerLinkSession>(
      &shared_, output, learned.grabs,
      learned.lane == nullptr ? nullptr : &learned.lane->outstanding);
  session->ChangeTasks(OffersOf(link));
  if (learned.asks_echo) session->AskEchoFirst();
  content_.push_back(&link);
  session->place = std::prev(content_.end());
  return session;
}

void WorkerServers::Open(absl::Time now) {
  // A delay may be zero, so that a server would come again at once.
  std::vector<std::pair<WorkerServerPtr, absl::Status>> refused;
  while (WorkerServerPtr server = PopRetry(now)) {
    absl::Status status = Connect(server, now);
    if (!status.ok()) {
      refused.emplace_back(std::move(server), std::move(status));
    }
  }
  for (const auto& [server, status] : refused) {
    options().logger.Log(LogLevel::kWarning, server->LostText(status));
    counters_->Add(&WorkerStats::connect_failures);
    // When connecting works again, it may be another server.
    server->learned.ForgetGrabs();
    OnFailure(*server, status, /*at_once=*/false, now);
  }
}

void WorkerServers::OnFailure(WorkerServer& server, const absl::Status& status,
                              bool at_once, absl::Time now) {
  HealthChanged();
  server.OnFailure(status);
  if (server.removed) return;
  if (draining_) {
    server.retry_at = absl::InfiniteFuture();
    return;
  }
  if (at_once) {
    server.retry_at = now;
  } else {
    server.Delay(options().reconnect, now, random());
  }
  AwaitRetry(server);
}

void WorkerServers::OnRetired(WorkerLink& link) {
  options().logger.Log(LogLevel::kInfo, "a new connection to ",
                       link.server->name,
                       ": the old one has reached connection_lifetime");
  Succeed(link);
}

void WorkerServers::Renew(WorkerLink& link) {
  if (link.leaving != nullptr) return;
  options().logger.Log(LogLevel::kInfo, "a new connection to ",
                       link.server->name,
                       ": a job that came over the old one is given back");
  Retire(link, "a job is given back, and nothing is left to do on it");
  Succeed(link);
}

void WorkerServers::WakeSuccessor(const WorkerLink& link) {
  WorkerLink* const successor = link.server->link;
  if (successor == nullptr) return;
  successor->session->WakeUp();
  Touch(*successor);
}

void WorkerServers::Succeed(WorkerLink& link) {
  WorkerServer& server = *link.server;
  HealthChanged();
  server.learned.grabs = KnownGrabs(link);
  server.learned.closed_behind_grab = 0;
  server.retry_at = absl::InfinitePast();
  AwaitRetry(server);
}

// --- grabs -------------------------------------------------------------------

void WorkerServers::NoteWish(WorkerLink& link) {
  WorkerLinkSession& session = *link.session;
  const bool wants = link.up() && !link.lost && !session.congested &&
                     session.wanted_grabs() > 0;
  GrabLane& lane = LaneOf(link);
  if (wants == session.wants_grabs) {
    // An answer, or a grab that is overdue, may have made room in the lane.
    Line(lane);
    return;
  }
  session.wants_grabs = wants;
  Links& to = wants ? lane.wanting : content_;
  Links& from = wants ? content_ : lane.wanting;
  to.splice(to.end(), from, session.place);
  Line(lane);
}

void WorkerServers::OnTime(absl::Time now) {
  ServerSet::OnTime(now);
  ForEachTouched([this](WorkerLink& link) { NoteWish(link); });
}

void WorkerServers::SetCongested(WorkerLink& link, bool congested) {
  if (congested == std::exchange(link.session->congested, congested)) return;
  mailbox_->SetCongested(link.connection.key(), congested);
  if (!congested) relief_ = true;
}

// --- writing -----------------------------------------------------------------

void WorkerServers::OnFlushed(WorkerLink& link) {
  const uint64_t writes = link.connection.writes();
  counters_->Add(&WorkerStats::writes,
                 writes - std::exchange(link.session->writes_counted, writes));
  SetCongested(link, link.connection.output().held() > max_output_bytes_);
  NoteWish(link);
}

// --- the end of connections --------------------------------------------------

void WorkerServers::OnClosing(WorkerLink& link) {
  WorkerLinkSession& session = *link.session;
  SetCongested(link, false);
  GrabLane& lane = LaneOf(link);
  (session.wants_grabs ? lane.wanting : content_).erase(session.place);
  Line(lane);
}

std::string WorkerServers::AnswerOnItsWay(const WorkerLink& link) {
  if (!link.up() || link.session->answer_on_its_way().empty()) return "";
  return absl::StrCat(link.server->name,
                      " may not have taken the answer of job ",
                      SafeText(link.session->answer_on_its_way()));
}

bool WorkerServers::LearnGrabs(const Lost& lost) {
  const WorkerLink& link = *lost.link;
  const WorkerSession& session = *link.session;
  Learned<WorkerLinkSession>& learned = link.server->learned;
  if (lost.reason == ReconnectReason::kConnectFailed) {
    // When connecting works again, it may be another server.
    learned.ForgetGrabs();
    return false;
  }
  if (session.grab_answered() && session.grabs().kind == wire::GrabKind::kAll) {
    learned.has_known_all = true;
  }
  if (session.grab_answered()) learned.asks_echo = false;
  if (session.probing()) {
    learned.grabs = {session.grabs().kind, /*unsure=*/false};
    return true;
  }
  if (!session.first_grab_unanswered()) {
    learned.grabs = KnownGrabs(link);
    learned.closed_behind_grab = 0;
    return false;
  }
  const bool closed = lost.reason == ReconnectReason::kClosed ||
                      lost.reason == ReconnectReason::kFailed;
  const int believed =
      learned.has_known_all ? kClosesOfAGrabOnceKnown : kClosesOfAnUnknownGrab;
  if (!closed || lost.status.code() != absl::StatusCode::kUnavailable) {
    return false;
  }
  learned.asks_echo = true;
  if (!session.served() || ++learned.closed_behind_grab < believed) {
    return false;
  }
  learned.closed_behind_grab = 0;
  const wire::GrabKind before = learned.grabs.kind;
  learned.grabs.kind = Lesser(before);
  learned.grabs.unsure = learned.grabs.kind != wire::GrabKind::kAll;
  if (!learned.grabs.unsure) return false;
  options().logger.Log(LogLevel::kWarning, link.server->name,
                       " closes connections behind their first ",
                       GrabName(before), ": asked with ",
                       GrabName(learned.grabs.kind), " now");
  return true;
}

std::unique_ptr<WorkerLink> WorkerServers::CloseLost(const Lost& lost,
                                                     absl::Time now) {
  const WorkerServerPtr server = lost.link->server;
  // A link that has a successor says nothing about the server any more.
  const bool current = server->link == lost.link;
  const bool other_grab = current && LearnGrabs(lost);
  std::string note;
  const absl::string_view answered = lost.link->session->fresh_answer(now);
  if (!answered.empty()) {
    note = absl::StrCat("; the answer of job ", SafeText(answered),
                        " was on its way, so the server may give that job out "
                        "again");
  }
  counters_->Add(lost.reason == ReconnectReason::kConnectFailed
                     ? &WorkerStats::connect_failures
                     : &WorkerStats::connections_lost);
  std::unique_ptr<WorkerLink> closed = Close(lost, note);
  if (current) OnFailure(*server, lost.status, other_grab, now);
  return closed;
}

}  // namespace internal
}  // namespace gearman
