#include "gearman/sdk/internal/client/server_pool.h"

#include <utility>

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
  for (const Address& server : servers) Add(server);
}

// --- how they are ------------------------------------------------------------

bool ServerPool::IsBroken(const ServerLink& link, absl::Time now) const {
  if (link.failures < options_.reconnect.failures_to_open) return false;
  // The breaker is open, or it is half open and a connection tries the server.
  return now < link.avoid_until || link.connection != nullptr;
}

void ServerPool::OnFailure(ServerLink& link, const absl::Status& status,
                           absl::Time now) {
  ++link.failures;
  link.last_error = status;
  link.avoid_until = now + link.delay.Next(options_.reconnect, random_);
}

void ServerPool::OnAnswer(ServerLink& link) {
  link.failures = 0;
  link.last_error = absl::OkStatus();
  link.avoid_until = absl::InfinitePast();
  link.delay.Reset();
}

// --- connecting -------------------------------------------------

absl::Status ServerPool::Open(int server, absl::Time now) {
  if (link(server).connection != nullptr) return absl::OkStatus();
  return Connect(server, now);
}

bool ServerPool::NeedsLook(int server, absl::Time now) const {
  const ServerLink& link = this->link(server);
  return link.connection != nullptr &&
         (link.deadline <= now ||
          (link.connection->connected() && link.session->unused()));
}

void ServerPool::SetDeadline(ServerLink& link, absl::Time deadline) {
  if (link.deadline == deadline) return;
  deadlines_.Remove(link.deadline, &link);
  link.deadline = deadline;
  deadlines_.Add(deadline, &link);
}

absl::Status ServerPool::Connect(int server, absl::Time now) {
  ServerLink& link = this->link(server);
  const Poller::Key key = MakeKey(server, ++link.generation);
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      options_.transports->Create(link.address, poller_, key);
  if (!transport.ok()) {
    OnFailure(link, transport.status(), now);
    return transport.status();
  }
  link.connection = std::make_unique<Connection<wire::Decoder<wire::ToClient>>>(
      *std::move(transport), poller_, key, options_.decoder,
      options_.connection);
  link.connection->SetTap(
      PacketTap::Create(options_.metrics, options_.logger, link.name));
  // If the session becomes unused, Flush closes a removed server's connection,
  // and stops the heartbeat timer of another one.
  link.session = std::make_unique<ClientSession>(
      &link.connection->output(), options_.task_prefix,
      [this, server] { MarkDirty(server); });
  link.connecting_since = now;
  link.end_of_life = absl::InfiniteFuture();
  link.heartbeat_next = false;
  link.heartbeat_sent = absl::InfinitePast();
  link.replies_seen = 0;
  link.sent_counted = 0;
  link.received_counted = 0;
  SetDeadline(link, now + options_.connect_timeout);
  UpdateVacant(link);
  if (options_.exceptions) link.session->AskForExceptions();
  options_.logger.Log(LogLevel::kInfo, "connecting to ", link.name);
  absl::Status status = link.connection->Connect();
  if (status.ok() && link.connection->connected()) AfterConnect(link, now);
  MarkDirty(server);
  if (!status.ok()) {
    Drop(link);
    OnFailure(link, status, now);
    if (link.metrics != nullptr) {
      link.metrics->Reconnected(ReconnectReason::kConnectFailed);
    }
  }
  return status;
}

void ServerPool::AfterConnect(ServerLink& link, absl::Time now) {
  link.end_of_life = EndOfConnection(options_.reconnect, now, random_);
  options_.logger.Log(LogLevel::kInfo, "connected to ",
                      link.connection->Describe());
  if (link.metrics != nullptr) {
    link.metrics->up.Add(1);
    link.metrics->connect_duration.Observe(now - link.connecting_since);
  }
  SetDeadline(link, absl::InfiniteFuture());
  link.last_received = now;
}

void ServerPool::UpdateDeadline(ServerLink& link, absl::Time now) {
  if (!link.connection->connected()) return;
  const bool progress = link.connection->TakeProgress();
  if (link.session->replies_due() == 0) {
    link.heartbeat_next = link.session->jobs_awaited() > 0;
    SetDeadline(link, link.heartbeat_next
                          ? link.last_received + options_.heartbeat_interval
                          : absl::InfiniteFuture());
  } else if (progress || link.deadline == absl::InfiniteFuture() ||
             link.heartbeat_next ||
             link.replies_seen != link.session->replies_received()) {
    link.heartbeat_next = false;
    SetDeadline(link, now + options_.reply_timeout);
  }
  link.replies_seen = link.session->replies_received();
}

void ServerPool::CloseIfStale(int server, absl::Time now) {
  const ServerLink& link = this->link(server);
  if (link.connection != nullptr && link.connection->connected() &&
      link.session->unused() &&
      now - link.last_received >= options_.heartbeat_interval) {
    CloseQuietly(server, "idle for too long to be relied on", now);
  }
}

void ServerPool::CloseQuietly(int server, absl::string_view why,
                              absl::Time now) {
  std::vector<Orphan> none;
  LostLink closed{server, absl::UnavailableError(why), /*connecting=*/false,
                  ReconnectReason::kClosed};
  closed.intended = true;
  Close(closed, now, &none);
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
  if (!has_link(server)) return;
  ServerLink& link = this->link(server);
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
    OnAnswer(link);
    // If several replies are due, the heartbeat's may be a later one. All come
    // soon.
    if (link.heartbeat_sent != absl::InfinitePast()) {
      if (link.metrics != nullptr) {
        link.metrics->heartbeat_rtt.Observe(now - link.heartbeat_sent);
      }
      link.heartbeat_sent = absl::InfinitePast();
    }
  }
  if (!status.ok()) {
    // The session does not name the server when it finds a breach.
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
  // OnTime moves or removes the deadline of each link, so the loop ends.
  while (ServerLink* const link = deadlines_.Due(now)) {
    OnTime(link->number, now, lost);
  }
}

void ServerPool::OnTime(int server, absl::Time now,
                        std::vector<LostLink>* lost) {
  ServerLink& link = this->link(server);
  if (link.connection == nullptr) {
    SetDeadline(link, absl::InfiniteFuture());
    return;
  }
  // Bytes that have just been read may have moved the deadline.
  UpdateDeadline(link, now);
  if (link.deadline > now) return;
  const bool connecting = !link.connection->connected();
  SetDeadline(link, absl::InfiniteFuture());
  if (link.heartbeat_next && !connecting) {
    link.heartbeat_next = false;
    link.heartbeat_sent = now;
    link.session->SendHeartbeat();
    MarkDirty(server);
    return;
  }
  absl::Status status =
      connecting
          ? absl::UnavailableError(absl::StrCat(
                link.connection->Describe(), ": not connected within ",
                absl::FormatDuration(options_.connect_timeout),
                " (connect_timeout)"))
          : absl::UnavailableError(absl::StrCat(
                link.connection->Describe(), ": no answer within ",
                absl::FormatDuration(options_.reply_timeout),
                " (reply_timeout): taken for dead", link.session->hint()));
  lost->push_back({server, std::move(status), connecting,
                   connecting ? ReconnectReason::kConnectFailed
                              : ReconnectReason::kUnresponsive,
                   /*timed_out=*/true});
}

void ServerPool::MarkDirty(int server) {
  ServerLink& link = this->link(server);
  CountOutput(link);
  if (link.dirty) return;
  link.dirty = true;
  dirty_.push_back(server);
}

void ServerPool::CountOutput(ServerLink& link) {
  const size_t bytes =
      link.connection == nullptr ? 0 : link.connection->output().size();
  output_bytes_ += bytes - std::exchange(link.output_counted, bytes);
}

void ServerPool::Flush(absl::Time now, std::vector<LostLink>* lost) {
  for (const int server : dirty_) {
    ServerLink& link = this->link(server);
    link.dirty = false;
    if (link.connection == nullptr) continue;
    absl::Status status = link.connection->Flush();
    if (status.ok()) status = link.connection->UpdateInterest();
    Count(link);
    CountOutput(link);
    if (!status.ok()) {
      lost->push_back({server, std::move(status), /*connecting=*/false,
                       ReconnectReason::kFailed});
      continue;
    }
    UpdateDeadline(link, now);
    if (link.removed && link.session->unused()) {
      CloseQuietly(server,
                   FindName(link.name) < 0
                       ? "the server was removed, and nothing is left to do"
                       : "it has reached connection_lifetime, and nothing is "
                         "left to do on it",
                   now);
    }
  }
  dirty_.clear();
}

void ServerPool::Drop(ServerLink& link) {
  link.connection->Close();
  link.connection = nullptr;
  link.session = nullptr;
  SetDeadline(link, absl::InfiniteFuture());
  CountOutput(link);
  UpdateVacant(link);
}

void ServerPool::Close(const LostLink& lost, absl::Time now,
                       std::vector<Orphan>* orphans) {
  ServerLink& link = this->link(lost.server);
  if (link.connection == nullptr) return;
  if (lost.intended) {
    options_.logger.Log(LogLevel::kInfo, "closed the connection to ", link.name,
                        ": ", lost.status.message());
  } else {
    options_.logger.Log(LogLevel::kWarning, "lost ", link.name, ": ",
                        lost.status.message());
  }
  Count(link);
  if (link.metrics != nullptr) {
    if (link.connection->connected()) link.metrics->up.Add(-1);
    if (!lost.intended) link.metrics->Reconnected(lost.reason);
  }
  link.session->OnConnectionLost(orphans);
  Drop(link);
  // A server that has closed an idle connection is not failing.
  if (lost.connecting || !orphans->empty()) OnFailure(link, lost.status, now);
}

void ServerPool::CloseAll() {
  for (ServerLink& link : links_) {
    if (link.connection == nullptr) continue;
    Count(link);
    if (link.metrics != nullptr && link.connection->connected()) {
      link.metrics->up.Add(-1);
    }
    Drop(link);
  }
}

std::vector<Poller::Key> ServerPool::keys() const {
  std::vector<Poller::Key> keys;
  for (const ServerLink& link : links_) {
    if (link.connection != nullptr) keys.push_back(link.connection->key());
  }
  return keys;
}

}  // namespace internal
}  // namespace gearman
