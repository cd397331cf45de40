#include "gearman/sdk/internal/client/client_servers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/net/server_set_impl.h"

namespace gearman {
namespace internal {

template class ServerSet<ClientLinkSession>;

ClientServers::ClientServers(const std::vector<Address>& servers,
                             ServerSetOptions options,
                             ClientLinkSession::Options session, Poller* poller,
                             std::mt19937_64* random)
    : ServerSet(std::move(options), poller, random, this),
      session_options_(std::move(session)) {
  for (const Address& server : servers) Add(server);
}

std::unique_ptr<ClientLinkSession> ClientServers::MakeSession(
    ClientLink& link, wire::OutputBuffer* output) {
  // If the session becomes unused, Flush closes a retired link, and stops the
  // heartbeat timer of another one.
  auto session = std::make_unique<ClientLinkSession>(
      &session_options_, output, &link, [this, &link] { Touch(link); });
  if (link.server->failures > 0) {
    // A server that accepts connections and answers nothing would take a
    // request at each trial, and nobody could tell whether it runs.
    if (output->empty()) session->SendHeartbeat();
    link.connection.HoldRest();
  }
  return session;
}

// --- which servers there are -------------------------------------------------

absl::Status ClientServers::RemovedError(absl::string_view name) {
  return absl::FailedPreconditionError(absl::StrCat(
      name,
      " was removed from this client's servers, and the connection to it "
      "has ended, so that it can't be asked; AddServer makes it one of "
      "them again"));
}

absl::StatusOr<ClientServerPtr> ClientServers::FindToAsk(
    absl::string_view address) const {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  const std::string name = parsed->ToString();
  ClientServerPtr server = Find(name);
  if (server == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is none of this client's servers"));
  }
  if (server->removed && server->link == nullptr) return RemovedError(name);
  return server;
}

std::vector<ServerHealth> ClientServers::health() const {
  std::vector<ServerHealth> all;
  all.reserve(servers().size());
  for (const ClientServerPtr& server : servers()) {
    ServerHealth& health = all.emplace_back();
    health.server = server->name;
    health.failures = server->failures;
    if (server->failures > 0) {
      health.state = ServerState::kFailing;
      health.last_error = server->last_error;
      health.next_attempt = server->retry_at;
    } else if (server->link != nullptr) {
      health.state =
          server->link->up() ? ServerState::kUp : ServerState::kConnecting;
    }
  }
  return all;
}

// --- how they are ------------------------------------------------------------

bool ClientServers::IsBroken(const ClientServer& server, absl::Time now) const {
  if (server.failures < options().reconnect.failures_to_open) return false;
  // The breaker is open, or it is half open and a connection tries the server.
  return now < server.retry_at || server.link != nullptr;
}

void ClientServers::OnFailure(ClientServer& server, const absl::Status& status,
                              absl::Time now) {
  server.OnFailure(status);
  server.Delay(options().reconnect, now, random());
}

// --- connections -------------------------------------------------------------

bool ClientServers::NeedsLook(const ClientServer& server, absl::Time now) {
  const ClientLink* const link = server.link;
  return link != nullptr &&
         (link->deadline <= now || (link->up() && link->session->unused()));
}

absl::Status ClientServers::Open(const ClientServerPtr& server,
                                 absl::Time now) {
  ClientLink* const link = server->link;
  if (link != nullptr && link->up()) {
    if (link->session->stale(now)) {
      CloseQuietly(*link, "idle for too long to be relied on");
    } else if (now >= link->end_of_life && link->session->unused()) {
      CloseQuietly(*link, "it has reached connection_lifetime");
    } else if (now >= link->end_of_life && link->leaving == nullptr) {
      options().logger.Log(LogLevel::kInfo, "a new connection to ",
                           server->name,
                           ": the old one has reached connection_lifetime");
      Retire(*link,
             "it has reached connection_lifetime, and nothing is left to do "
             "on it");
    }
  }
  if (server->link != nullptr) return absl::OkStatus();
  absl::Status status = Connect(server, now);
  if (!status.ok()) OnFailure(*server, status, now);
  return status;
}

void ClientServers::CloseLost(const Lost& lost, absl::Time now,
                              std::vector<Orphan>* orphans) {
  const bool connecting = !lost.link->up();
  const std::unique_ptr<ClientLink> closed = Close(lost);
  closed->session->OnConnectionLost(orphans);
  // A server that has closed an idle connection is not failing, nor is one
  // whose connection this client had to close.
  if (closed->connection.body_failed()) return;
  if (connecting || !orphans->empty()) {
    OnFailure(*closed->server, lost.status, now);
  }
}

}  // namespace internal
}  // namespace gearman
