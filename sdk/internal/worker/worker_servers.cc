#include "gearman/sdk/internal/worker/worker_servers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace internal {
namespace {

// A server that does not know a grab may close the connection, and so does a
// proxy whose backend is down. After this many such closes in a row, the worker
// tries another grab.
constexpr int kClosesOfAnUnknownGrab = 2;

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

// Returns the grabs of a link. Its session may have removed the doubt
// (Grabs::unsure), when the server answered or refused a better grab.
WorkerSession::Grabs KnownGrabs(const WorkerLink& link) {
  return link.session != nullptr && link.grabs.unsure &&
                 !link.session->grabs().unsure
             ? link.session->grabs()
             : link.grabs;
}

Poller::Key MakeKey(int link, uint32_t generation) {
  return static_cast<Poller::Key>(link) << 32 | generation;
}

}  // namespace

WorkerServers::WorkerServers(std::vector<Address> servers, Options options,
                             Poller* poller, std::mt19937_64* random)
    : options_(std::move(options)), poller_(poller), random_(random) {
  for (const Address& server : servers) Add(server);
}

// --- which servers there are -------------------------------------------------

WorkerLink& WorkerServers::Add(const Address& address) {
  ++health_version_;
  const auto free =
      std::find_if(links_.begin(), links_.end(), [](const WorkerLink& link) {
        return link.leaving && link.connection == nullptr &&
               link.held.empty() && !link.lost;
      });
  WorkerLink& link = free == links_.end() ? links_.emplace_back() : *free;
  const uint32_t generation = link.generation;
  link = WorkerLink();
  link.generation = generation;
  link.place = next_place_++;
  link.name = address.ToString();
  link.address = address;
  if (options_.metrics != nullptr) {
    link.metrics = options_.metrics->ForServer(link.name);
  }
  return link;
}

void WorkerServers::Leave(WorkerLink& link) {
  ++health_version_;
  link.leaving = true;
  link.retry_at = absl::InfiniteFuture();
  link.end_of_life = absl::InfiniteFuture();
  if (link.session != nullptr) link.session->StopGrabbing();
}

void WorkerServers::SetServers(absl::Span<const Address> wanted) {
  for (WorkerLink& link : links_) {
    if (!link.leaving &&
        std::find(wanted.begin(), wanted.end(), link.address) == wanted.end()) {
      Leave(link);
    }
  }
  for (const Address& address : wanted) {
    const bool there = std::any_of(
        links_.begin(), links_.end(), [&address](const WorkerLink& link) {
          return !link.leaving && link.address == address;
        });
    if (!there) Add(address);
  }
}

void WorkerServers::Renew(absl::Time now) {
  const size_t count = links_.size();
  for (size_t i = 0; i < count; ++i) {
    WorkerLink& link = links_[i];
    if (now < link.end_of_life) continue;
    options_.logger.Log(LogLevel::kInfo, "a new connection to ", link.name,
                        ": the old one has reached connection_lifetime");
    Leave(link);
    WorkerLink& next = Add(link.address);
    next.place = link.place;
    next.grabs = KnownGrabs(link);
  }
}

bool WorkerServers::HasEnded(WorkerLink& link, absl::Time now) {
  if (!link.up() || link.session->receipt_given()) return true;
  if (link.session->outstanding() == 0 && link.held.empty()) {
    // Closing with unread bytes may destroy answers on their way.
    link.session->AskForReceipt(now);
  }
  return false;
}

std::string WorkerServers::AnswerOnItsWay(int index) const {
  const WorkerLink& link = links_[static_cast<size_t>(index)];
  if (!link.up() || link.session->answer_on_its_way().empty()) return "";
  return absl::StrCat(link.name, " may not have taken the answer of job ",
                      link.session->answer_on_its_way());
}

std::vector<ServerHealth> WorkerServers::health() const {
  std::vector<const WorkerLink*> links;
  for (const WorkerLink& link : links_) {
    if (!link.leaving) links.push_back(&link);
  }
  std::sort(links.begin(), links.end(),
            [](const WorkerLink* a, const WorkerLink* b) {
              return a->place < b->place;
            });
  std::vector<ServerHealth> all;
  for (const WorkerLink* const at : links) {
    const WorkerLink& link = *at;
    ServerHealth& health = all.emplace_back();
    health.server = link.name;
    health.failures = link.failures;
    if (link.up()) {
      health.state = ServerState::kUp;
      health.refused_tasks = link.session->refused_tasks();
    } else if (link.failures == 0) {
      health.state = ServerState::kConnecting;
    } else {
      health.state = ServerState::kFailing;
      health.last_error = link.last_error;
      health.next_attempt =
          link.connection == nullptr ? link.retry_at : absl::InfinitePast();
    }
  }
  return all;
}

// --- connecting --------------------------------------------------------------

void WorkerServers::Open(const TaskTable& tasks, absl::Time now,
                         std::vector<LostServer>* lost) {
  for (int i = 0; i < size(); ++i) {
    WorkerLink& link = links_[static_cast<size_t>(i)];
    if (link.connection != nullptr || now < link.retry_at) continue;
    const Poller::Key key = MakeKey(i, ++link.generation);
    absl::StatusOr<std::unique_ptr<Transport>> transport =
        options_.transports->Create(link.address, poller_, key);
    if (!transport.ok()) {
      Lose(i, transport.status(), ReconnectReason::kConnectFailed, lost);
      link.retry_at = absl::InfiniteFuture();
      continue;
    }
    options_.logger.Log(LogLevel::kInfo, "connecting to ", link.name);
    link.connection =
        std::make_unique<Connection<wire::Decoder<wire::ToWorker>>>(
            *std::move(transport), poller_, key, options_.decoder,
            options_.connection);
    link.connection->SetTap(
        PacketTap::Create(options_.metrics, options_.logger, link.name));
    link.session = std::make_unique<WorkerSession>(
        &options_.session, &link.connection->output(), link.grabs);
    link.session->ChangeTasks(tasks.AsChanges());
    link.connecting_since = now;
    link.connect_deadline = now + options_.connect_timeout;
    link.touched = true;
    link.sent_counted = 0;
    link.received_counted = 0;
    link.writes_counted = 0;
    link.session_counted = {};
    absl::Status status = Connect(link, now);
    if (!status.ok()) {
      Lose(i, std::move(status), ReconnectReason::kConnectFailed, lost);
    }
  }
}

absl::Status WorkerServers::Connect(WorkerLink& link, absl::Time now) {
  absl::Status status = link.connection->Connect();
  if (status.ok() && link.connection->connected()) AfterConnect(link, now);
  return status;
}

void WorkerServers::AfterConnect(WorkerLink& link, absl::Time now) {
  options_.logger.Log(LogLevel::kInfo, "connected to ",
                      link.connection->Describe());
  ++health_version_;
  link.connect_deadline = absl::InfiniteFuture();
  if (!link.leaving) {
    link.end_of_life = EndOfConnection(options_.reconnect, now, random_);
  }
  link.session->OnConnected(now);
  ++counts_.connects;
  if (link.metrics != nullptr) {
    link.metrics->up.Add(1);
    link.metrics->connect_duration.Observe(now - link.connecting_since);
  }
}

// --- events ------------------------------------------------------------------

void WorkerServers::OnReady(Poller::Key key, absl::Time now, OnEvent on_event,
                            std::vector<LostServer>* lost) {
  const int index = static_cast<int>(key >> 32);
  if (index < 0 || index >= size()) return;
  WorkerLink& link = links_[static_cast<size_t>(index)];
  if (link.connection == nullptr || link.connection->key() != key) return;
  link.touched = true;
  if (!link.connection->connected()) {
    absl::Status status = Connect(link, now);
    if (!status.ok()) {
      Lose(index, std::move(status), ReconnectReason::kConnectFailed, lost);
    }
    return;
  }
  absl::Status status =
      link.connection->ReadEvents([index, &on_event](wire::ToWorker& event) {
        return on_event(index, event);
      });
  if (link.session->served()) {
    link.delay.Reset();
    if (link.failures > 0) ++health_version_;
    link.failures = 0;
  }
  if (status.ok()) return;
  const ReconnectReason reason = status.code() == absl::StatusCode::kDataLoss
                                     ? ReconnectReason::kProtocolError
                                     : ReconnectReason::kClosed;
  // The session does not name the server when it finds a breach.
  if (!absl::StrContains(status.message(), link.name)) {
    status = absl::Status(
        status.code(),
        absl::StrCat(link.connection->Describe(), ": ", status.message()));
  }
  Lose(index, std::move(status), reason, lost);
}

void WorkerServers::Lose(int index, absl::Status status, ReconnectReason reason,
                         std::vector<LostServer>* lost) {
  WorkerLink& link = links_[static_cast<size_t>(index)];
  if (std::exchange(link.lost, true)) return;
  lost->push_back({index, std::move(status), reason});
}

void WorkerServers::OnTime(absl::Time now, std::vector<LostServer>* lost) {
  for (int i = 0; i < size(); ++i) {
    WorkerLink& link = links_[static_cast<size_t>(i)];
    if (link.connection == nullptr || link.lost) continue;
    if (now >= link.connect_deadline) {
      link.connect_deadline = absl::InfiniteFuture();
      Lose(i,
           absl::UnavailableError(absl::StrCat(
               link.connection->Describe(), ": not connected within ",
               absl::FormatDuration(options_.connect_timeout),
               " (connect_timeout)")),
           ReconnectReason::kConnectFailed, lost);
      continue;
    }
    if (link.connection->TakeProgress()) link.session->OnProgress(now);
    absl::Status status = link.session->OnTime(now);
    if (!status.ok()) {
      Lose(i,
           absl::Status(status.code(), absl::StrCat(link.connection->Describe(),
                                                    ": ", status.message())),
           ReconnectReason::kUnresponsive, lost);
    }
  }
}

int WorkerServers::Wanted(const WorkerLink& link) {
  return link.up() && !link.congested ? link.session->wanted_grabs() : 0;
}

bool WorkerServers::want_grabs() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const WorkerLink& link) { return Wanted(link) > 0; });
}

void WorkerServers::Grab(int room, bool quick, absl::Time now) {
  for (WorkerLink& link : links_) {
    if (link.session == nullptr) continue;
    link.session->TakeBack();
    link.session->set_quick(quick);
  }
  if (room <= 0) return;
  int wanting = static_cast<int>(
      std::count_if(links_.begin(), links_.end(),
                    [](const WorkerLink& link) { return Wanted(link) > 0; }));
  if (wanting == 0) return;
  const int first = next_to_grab_;
  next_to_grab_ = (next_to_grab_ + 1) % size();
  for (int i = 0; i < size() && room > 0 && wanting > 0; ++i) {
    WorkerLink& link = links_[static_cast<size_t>((first + i) % size())];
    const int wanted = Wanted(link);
    if (wanted == 0) continue;
    // Grabs that one server does not want are left for the others.
    const int share = std::min(wanted, (room + wanting - 1) / wanting);
    link.session->Grab(share, now);
    room -= share;
    --wanting;
    // The server that got the last grab comes last the next time.
    if (room == 0) next_to_grab_ = (first + i + 1) % size();
  }
}

// --- writing -----------------------------------------------------------------

void WorkerServers::Settle(int index, absl::Time now,
                           std::vector<LostServer>* lost) {
  WorkerLink& link = links_[static_cast<size_t>(index)];
  if (link.connection == nullptr) return;
  link.session->Settle(now);
  Flush(index, lost);
}

void WorkerServers::Flush(int index, std::vector<LostServer>* lost) {
  WorkerLink& link = links_[static_cast<size_t>(index)];
  if (link.connection == nullptr) return;
  const bool unsent = !link.connection->output().empty();
  if (!unsent && !link.touched) return;
  link.touched = false;
  absl::Status status = unsent ? link.connection->Flush() : absl::OkStatus();
  if (status.ok()) status = link.connection->UpdateInterest();
  Count(link);
  link.congested = link.connection->output().size() > options_.max_output_bytes;
  if (!status.ok()) {
    Lose(index, std::move(status), ReconnectReason::kFailed, lost);
  }
}

void WorkerServers::Count(WorkerLink& link) {
  const uint64_t writes = link.connection->writes();
  counts_.writes += writes - link.writes_counted;
  link.writes_counted = writes;
  const WorkerSession::Counts& session = link.session->counts();
  WorkerSession::Counts& counted = link.session_counted;
  WorkerSession::Counts& total = counts_.sessions;
  total.grabs_sent += session.grabs_sent - counted.grabs_sent;
  total.heartbeats += session.heartbeats - counted.heartbeats;
  total.vain_pauses += session.vain_pauses - counted.vain_pauses;
  for (size_t i = 0; i < kWakeupCauseCount; ++i) {
    const uint64_t wakeups = session.wakeups[i] - counted.wakeups[i];
    total.wakeups[i] += wakeups;
    if (options_.metrics != nullptr && wakeups > 0) {
      options_.metrics->wakeups[i].Add(wakeups);
    }
  }
  counted = session;
  if (link.metrics == nullptr) return;
  const uint64_t sent = link.connection->output().total_consumed();
  const uint64_t received = link.connection->bytes_received();
  link.metrics->sent_bytes.Add(sent - link.sent_counted);
  link.metrics->received_bytes.Add(received - link.received_counted);
  link.sent_counted = sent;
  link.received_counted = received;
}

bool WorkerServers::LearnGrabs(WorkerLink& link, const LostServer& lost) {
  if (lost.status.ok() || link.session == nullptr) return false;
  if (lost.reason == ReconnectReason::kConnectFailed) {
    // When connecting works again, it may be another server.
    link.grabs = {};
    link.closed_behind_grab = 0;
    return false;
  }
  const WorkerSession& session = *link.session;
  if (session.probing()) {
    link.grabs = {session.grabs().kind, /*unsure=*/false};
    return true;
  }
  if (!session.first_grab_unanswered()) {
    link.grabs = KnownGrabs(link);
    link.closed_behind_grab = 0;
    return false;
  }
  const bool closed = lost.reason == ReconnectReason::kClosed ||
                      lost.reason == ReconnectReason::kFailed;
  if (!closed || lost.status.code() != absl::StatusCode::kUnavailable ||
      ++link.closed_behind_grab < kClosesOfAnUnknownGrab) {
    return false;
  }
  link.closed_behind_grab = 0;
  const wire::GrabKind before = link.grabs.kind;
  link.grabs.kind = Lesser(before);
  link.grabs.unsure = link.grabs.kind != wire::GrabKind::kAll;
  if (!link.grabs.unsure) return false;
  options_.logger.Log(
      LogLevel::kWarning, link.name, " closes connections behind their first ",
      GrabName(before), ": asked with ", GrabName(link.grabs.kind), " now");
  return true;
}

std::vector<HeldJobPtr> WorkerServers::Close(const LostServer& lost,
                                             bool reopen, absl::Time now) {
  WorkerLink& link = links_[static_cast<size_t>(lost.link)];
  const bool other_grab = LearnGrabs(link, lost);
  if (!reopen || link.leaving) {
    link.retry_at = absl::InfiniteFuture();
  } else {
    link.retry_at =
        other_grab ? now : now + link.delay.Next(options_.reconnect, random_);
  }
  ++health_version_;
  if (!lost.status.ok()) {
    ++link.failures;
    link.last_error = lost.status;
    if (lost.reason == ReconnectReason::kConnectFailed) {
      ++counts_.connect_failures;
    } else {
      ++counts_.losses;
    }
    const absl::string_view answered =
        link.session == nullptr ? "" : link.session->fresh_answer(now);
    if (answered.empty()) {
      options_.logger.Log(LogLevel::kWarning, "lost ", link.name, ": ",
                          lost.status.message());
    } else {
      options_.logger.Log(LogLevel::kWarning, "lost ", link.name, ": ",
                          lost.status.message(), "; the answer of job ",
                          answered,
                          " was on its way, so the server may give that job "
                          "out again");
    }
    if (link.metrics != nullptr) link.metrics->Reconnected(lost.reason);
  }
  if (link.connection != nullptr) {
    if (link.metrics != nullptr && link.connection->connected()) {
      link.metrics->up.Add(-1);
    }
    Count(link);
    link.connection->Close();
    link.connection = nullptr;
    link.session = nullptr;
  }
  link.connect_deadline = absl::InfiniteFuture();
  link.end_of_life = absl::InfiniteFuture();
  link.congested = false;
  link.lost = false;
  return std::exchange(link.held, {});
}

// --- what there is -----------------------------------------------------------

int WorkerServers::outstanding() const {
  int outstanding = 0;
  for (const WorkerLink& link : links_) {
    if (link.session != nullptr) outstanding += link.session->outstanding();
  }
  return outstanding;
}

int WorkerServers::connected() const {
  int connected = 0;
  for (const WorkerLink& link : links_) connected += link.up() ? 1 : 0;
  return connected;
}

absl::Time WorkerServers::next_deadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const WorkerLink& link : links_) {
    if (link.connection == nullptr) {
      next = std::min(next, link.retry_at);
    } else {
      next = std::min({next, link.connect_deadline, link.end_of_life,
                       link.session->next_deadline()});
    }
  }
  return next;
}

}  // namespace internal
}  // namespace gearman
