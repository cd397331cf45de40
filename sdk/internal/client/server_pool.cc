#include "gearman/sdk/internal/client/server_pool.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace internal {
namespace {

Poller::Key MakeKey(int server, uint32_t generation) {
  return static_cast<Poller::Key>(server) << 32 | generation;
}

ReconnectReason ReasonOf(const absl::Status& status) {
  return status.code() == absl::StatusCode::kDataLoss
             ? ReconnectReason::kProtocolError
             : ReconnectReason::kClosed;
}

}  // namespace

ServerPool::ServerPool(std::vector<Address> servers, Options options,
                       Poller* poller, std::mt19937_64* random)
    : options_(std::move(options)), poller_(poller), random_(random) {
  links_.resize(servers.size());
  for (size_t i = 0; i < servers.size(); ++i) {
    links_[i].name = servers[i].ToString();
    links_[i].address = std::move(servers[i]);
    if (options_.metrics != nullptr) {
      links_[i].metrics = options_.metrics->ForServer(links_[i].name);
    }
  }
}

int ServerPool::Find(absl::string_view address) const {
  for (size_t i = 0; i < links_.size(); ++i) {
    if (links_[i].name == address) return static_cast<int>(i);
  }
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return -1;
  for (size_t i = 0; i < links_.size(); ++i) {
    if (links_[i].address == *parsed) return static_cast<int>(i);
  }
  return -1;
}

int ServerPool::Choose(const SelectionQuery& query,
                       absl::Span<const AttemptRecord> tried, absl::Time now) {
  if (links_.size() == 1) return 0;
  absl::InlinedVector<ServerCandidate, 8> candidates;
  absl::InlinedVector<int, 8> servers;
  const auto was_tried = [&tried](const ServerLink& link) {
    return std::any_of(
        tried.begin(), tried.end(),
        [&link](const AttemptRecord& a) { return a.server == link.name; });
  };
  bool untried_left = false;
  for (const ServerLink& link : links_) {
    if (!was_tried(link)) untried_left = true;
  }
  for (size_t i = 0; i < links_.size(); ++i) {
    const ServerLink& link = links_[i];
    ServerCandidate candidate;
    candidate.address = link.name;
    candidate.connected =
        link.connection != nullptr && link.connection->connected();
    candidate.failing = now < link.avoid_until;
    candidate.tried = was_tried(link);
    candidate.avoided = !tried.empty() && tried.back().server == link.name;
    if (candidate.tried && untried_left) continue;
    if (link.session != nullptr) {
      candidate.in_flight = static_cast<uint32_t>(link.session->replies_due() +
                                                  link.session->jobs_running());
    }
    candidates.push_back(candidate);
    servers.push_back(static_cast<int>(i));
  }
  const size_t chosen = options_.selector->Select(query, candidates, *random_);
  // A plugin's mistake must not become ours.
  return servers[chosen < servers.size() ? chosen : 0];
}

absl::Status ServerPool::Open(int server, absl::Time now) {
  ServerLink& link = links_[server];
  if (link.connection != nullptr) return absl::OkStatus();
  return Connect(server, now);
}

bool ServerPool::NeedsLook(int server) const {
  const ServerLink& link = links_[server];
  return link.connection != nullptr && link.connection->connected() &&
         link.session->replies_due() == 0 && link.session->jobs_running() == 0;
}

absl::Status ServerPool::Connect(int server, absl::Time now) {
  ServerLink& link = links_[server];
  const Poller::Key key = MakeKey(server, ++link.generation);
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      options_.transports->Create(link.address, poller_, key);
  if (!transport.ok()) {
    Avoid(link, now);
    return transport.status();
  }
  link.connection = std::make_unique<Connection<wire::ToClient>>(
      *std::move(transport), poller_, key, options_.connection);
  link.session = std::make_unique<ClientSession>(&link.connection->output(),
                                                 options_.task_prefix);
  link.connecting_since = now;
  link.heartbeat_next = false;
  link.heartbeat_sent = absl::InfinitePast();
  link.replies_seen = 0;
  link.sent_counted = 0;
  link.received_counted = 0;
  link.deadline = now + options_.connect_timeout;
  if (options_.exceptions) link.session->AskForExceptions();
  options_.logger.Log(LogLevel::kInfo, "connecting to ", link.name);
  absl::Status status = link.connection->Connect();
  if (status.ok() && link.connection->connected()) AfterConnect(link, now);
  MarkDirty(server);
  if (!status.ok()) {
    link.connection->Close();
    link.connection = nullptr;
    link.session = nullptr;
    Avoid(link, now);
    link.deadline = absl::InfiniteFuture();
    if (link.metrics != nullptr) {
      link.metrics->Reconnected(ReconnectReason::kConnectFailed);
    }
  }
  return status;
}

void ServerPool::AfterConnect(ServerLink& link, absl::Time now) {
  link.avoid_until = absl::InfinitePast();
  link.delay.Reset();
  options_.logger.Log(LogLevel::kInfo, "connected to ",
                      link.connection->Describe());
  if (link.metrics != nullptr) {
    link.metrics->up.Add(1);
    link.metrics->connect_duration.Observe(now - link.connecting_since);
  }
  link.deadline = absl::InfiniteFuture();
  link.last_received = now;
}

void ServerPool::UpdateDeadline(ServerLink& link, absl::Time now) {
  if (!link.connection->connected()) return;
  if (link.session->replies_due() == 0) {
    link.heartbeat_next = link.session->jobs_running() > 0;
    link.deadline = link.heartbeat_next
                        ? link.last_received + options_.heartbeat_interval
                        : absl::InfiniteFuture();
  } else if (link.deadline == absl::InfiniteFuture() || link.heartbeat_next ||
             link.replies_seen != link.session->replies_received()) {
    link.heartbeat_next = false;
    link.deadline = now + options_.reply_timeout;
  }
  link.replies_seen = link.session->replies_received();
}

void ServerPool::CloseIfStale(int server, absl::Time now) {
  if (!NeedsLook(server) ||
      now - links_[server].last_received < options_.heartbeat_interval) {
    return;
  }
  std::vector<Orphan> none;
  Close({server, absl::UnavailableError("idle for too long to be relied on"),
         /*connecting=*/false, ReconnectReason::kClosed},
        now, &none);
}

void ServerPool::Count(ServerLink& link) {
  if (link.metrics == nullptr || link.connection == nullptr) return;
  const uint64_t sent = link.connection->output().total_consumed();
  const uint64_t received = link.connection->bytes_received();
  link.metrics->sent_bytes.Add(sent - link.sent_counted);
  link.metrics->received_bytes.Add(received - link.received_counted);
  link.sent_counted = sent;
  link.received_counted = received;
}

void ServerPool::OnReady(Poller::Key key, absl::Time now, OnEvent on_event,
                         std::vector<LostLink>* lost) {
  const int server = static_cast<int>(key >> 32);
  if (server < 0 || static_cast<size_t>(server) >= links_.size()) return;
  ServerLink& link = links_[server];
  if (link.connection == nullptr || link.connection->key() != key) return;
  MarkDirty(server);
  if (!link.connection->connected()) {
    absl::Status status = link.connection->Connect();
    if (!status.ok()) {
      lost->push_back({server, std::move(status), /*connecting=*/true,
                       ReconnectReason::kConnectFailed});
      return;
    }
    if (link.connection->connected()) AfterConnect(link, now);
    return;
  }
  const uint64_t received = link.connection->bytes_received();
  absl::Status status = link.connection->ReadEvents(
      [&](wire::ToClient& event) { return on_event(link, event); });
  if (link.connection->bytes_received() != received) {
    link.last_received = now;
    // Of several replies due the heartbeat's may be a later one; all come soon.
    if (link.heartbeat_sent != absl::InfinitePast()) {
      if (link.metrics != nullptr) {
        link.metrics->heartbeat_rtt.Observe(now - link.heartbeat_sent);
      }
      link.heartbeat_sent = absl::InfinitePast();
    }
  }
  if (!status.ok()) {
    // A breach found by the session does not name the server yet.
    if (status.code() == absl::StatusCode::kDataLoss &&
        status.message().find(link.name) == absl::string_view::npos) {
      status = absl::DataLossError(
          absl::StrCat(link.connection->Describe(), ": ", status.message()));
    }
    const ReconnectReason reason = ReasonOf(status);
    lost->push_back({server, std::move(status), /*connecting=*/false, reason});
  }
}

void ServerPool::OnTime(absl::Time now, std::vector<LostLink>* lost) {
  for (size_t i = 0; i < links_.size(); ++i) {
    ServerLink& link = links_[i];
    if (link.connection == nullptr || link.deadline > now) continue;
    const bool connecting = !link.connection->connected();
    link.deadline = absl::InfiniteFuture();
    if (link.heartbeat_next && !connecting) {
      link.heartbeat_next = false;
      link.heartbeat_sent = now;
      link.session->SendHeartbeat();
      MarkDirty(static_cast<int>(i));
      continue;
    }
    absl::Status status =
        connecting ? absl::UnavailableError(absl::StrCat(
                         link.connection->Describe(), ": not connected within ",
                         absl::FormatDuration(options_.connect_timeout),
                         " (connect_timeout)"))
                   : absl::UnavailableError(absl::StrCat(
                         link.connection->Describe(), ": no answer within ",
                         absl::FormatDuration(options_.reply_timeout),
                         " (reply_timeout): taken for dead"));
    lost->push_back({static_cast<int>(i), std::move(status), connecting,
                     connecting ? ReconnectReason::kConnectFailed
                                : ReconnectReason::kUnresponsive,
                     /*timed_out=*/true});
  }
}

void ServerPool::MarkDirty(int server) {
  if (links_[server].dirty) return;
  links_[server].dirty = true;
  dirty_.push_back(server);
}

void ServerPool::Flush(absl::Time now, std::vector<LostLink>* lost) {
  for (const int server : dirty_) {
    ServerLink& link = links_[server];
    link.dirty = false;
    if (link.connection == nullptr) continue;
    absl::Status status = link.connection->Flush();
    if (status.ok()) status = link.connection->UpdateInterest();
    Count(link);
    if (!status.ok()) {
      lost->push_back({server, std::move(status), /*connecting=*/false,
                       ReconnectReason::kFailed});
      continue;
    }
    UpdateDeadline(link, now);
  }
  dirty_.clear();
}

void ServerPool::Avoid(ServerLink& link, absl::Time now) {
  link.avoid_until = now + link.delay.Next(options_.reconnect, random_);
}

void ServerPool::Close(const LostLink& lost, absl::Time now,
                       std::vector<Orphan>* orphans) {
  ServerLink& link = links_[lost.server];
  if (link.connection == nullptr) return;
  options_.logger.Log(LogLevel::kWarning, "lost ", link.name, ": ",
                      lost.status.message());
  Count(link);
  if (link.metrics != nullptr) {
    if (link.connection->connected()) link.metrics->up.Add(-1);
    link.metrics->Reconnected(lost.reason);
  }
  link.session->OnConnectionLost(orphans);
  link.connection->Close();
  link.connection = nullptr;
  link.session = nullptr;
  link.deadline = absl::InfiniteFuture();
  // A server that closed an idle connection is not failing.
  if (lost.connecting || !orphans->empty()) Avoid(link, now);
}

void ServerPool::CloseAll() {
  for (ServerLink& link : links_) {
    if (link.connection == nullptr) continue;
    Count(link);
    if (link.metrics != nullptr && link.connection->connected()) {
      link.metrics->up.Add(-1);
    }
    link.connection->Close();
    link.connection = nullptr;
    link.session = nullptr;
    link.deadline = absl::InfiniteFuture();
  }
}

absl::Time ServerPool::next_deadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const ServerLink& link : links_) next = std::min(next, link.deadline);
  return next;
}

size_t ServerPool::output_bytes() const {
  size_t bytes = 0;
  for (const ServerLink& link : links_) {
    if (link.connection != nullptr) bytes += link.connection->output().size();
  }
  return bytes;
}

bool ServerPool::has_output() const {
  for (const ServerLink& link : links_) {
    if (link.connection == nullptr) continue;
    if (!link.connection->output().empty()) return true;
  }
  return false;
}

}  // namespace internal
}  // namespace gearman
