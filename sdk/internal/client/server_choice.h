// ServerChoice chooses the server for an attempt of a request: it shows the
// user's selector those servers that have the best past with this request.
//
// Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_SERVER_CHOICE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_SERVER_CHOICE_H_

#include <cstddef>
#include <memory>
#include <random>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/internal/client/client_servers.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/internal/request/tried_servers.h"
#include "gearman/sdk/log.h"

namespace gearman {
namespace internal {

class ServerChoice {
 public:
  // `servers` and `random` must outlive this object.
  ServerChoice(const ClientServers* servers,
               std::shared_ptr<ServerSelector> selector, Logger logger,
               std::mt19937_64* random);

  // Chooses the server for the next attempt of a request. `tried` are the
  // servers of its failed attempts (null: none has failed). All attempts of a
  // request together cost O(servers + attempts).
  ClientServerPtr Choose(const SelectionQuery& query, TriedServers* tried,
                         absl::Time now);

 private:
  ServerCandidate CandidateOf(const ClientServer& server,
                              const TriedServers* tried,
                              TriedServers::Past past, absl::Time now) const;
  // Returns the index of the candidate that the selector takes.
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates);
  // Chooses from a few servers, taken at random. Null: all of them fail.
  ClientServerPtr ChooseFromSample(const SelectionQuery& query, absl::Time now);
  ClientServerPtr ChooseFromAll(const SelectionQuery& query,
                                const TriedServers* tried, absl::Time now);
  ClientServerPtr ChooseFromPlan(const SelectionQuery& query,
                                 TriedServers* tried, absl::Time now);
  // Makes the plan of the servers that are to be tried next.
  void BeginRound(TriedServers* tried) const;
  void FillWindow(TriedServers* tried, absl::Time now) const;

  const ClientServers& servers_;
  const std::shared_ptr<ServerSelector> selector_;
  const Logger logger_;
  std::mt19937_64* const random_;
  bool takes_a_sample_ = false;  // of the selector
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_SERVER_CHOICE_H_
