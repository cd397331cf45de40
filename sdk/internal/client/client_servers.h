// ClientServers holds the servers of a client and the connections to them. It
// adds to ServerSet what is a client's own: a connection is made when it is
// first used, an idle one is looked at before it is used again, and a server
// that fails is avoided for a while (the circuit breaker).
//
// Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_SERVERS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_SERVERS_H_

#include <memory>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/client/client_link_session.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/net/server_set.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

extern template class ServerSet<ClientLinkSession>;

class ClientServers final : public ServerSet<ClientLinkSession>,
                            private ServerSet<ClientLinkSession>::Owner {
 public:
  // Adds `servers`. `poller` and `random` must outlive this object.
  ClientServers(const std::vector<Address>& servers, ServerSetOptions options,
                ClientLinkSession::Options session, Poller* poller,
                std::mt19937_64* random);
  ~ClientServers() override { CloseAll(); }

  // The server that can be asked about a job at that address: one of servers(),
  // or a removed one whose connection lives. INVALID_ARGUMENT: the address
  // can't be parsed, or was never one of this client's servers.
  // FAILED_PRECONDITION: the server was removed.
  absl::StatusOr<ClientServerPtr> FindToAsk(absl::string_view address) const;
  // The error for a removed server without a connection, which can't be asked.
  static absl::Status RemovedError(absl::string_view name);
  std::vector<ServerHealth> health() const;

  // True if the owner must read from the server's connection (Read, then
  // OnTime) before it is used. It is idle or its deadline has passed, so the
  // server may have closed it.
  static bool NeedsLook(const ClientServer& server, absl::Time now);
  // Makes sure that the server has a link. Its session then takes commands. A
  // connection that was quiet for too long, or that is too old, is replaced.
  // Returns errors of ServerSet::Connect.
  absl::Status Open(const ClientServerPtr& server, absl::Time now);
  // True if the breaker is open and no attempt may try the server now.
  bool IsBroken(const ClientServer& server, absl::Time now) const;
  // Closes a lost link. Its operations are added to `orphans`.
  void CloseLost(const Lost& lost, absl::Time now,
                 std::vector<Orphan>* orphans);

 private:
  std::unique_ptr<ClientLinkSession> MakeSession(
      ClientLink& link, wire::OutputBuffer* output) override;
  // Counts a failure of a server. It is avoided for a while, each time longer.
  void OnFailure(ClientServer& server, const absl::Status& status,
                 absl::Time now);

  const ClientLinkSession::Options session_options_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_SERVERS_H_
