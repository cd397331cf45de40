// ClientEngine is the inside of a client: the requests and questions in flight,
// the servers, the connections and the deadlines.
//
// Commands, readiness and time go in. Bytes to the servers, the next deadline,
// notices for user code and released waiters come out. The engine starts no
// thread, has no lock and waits for nothing: ClientCore's lock guards it.
//
// A command or an input may leave work behind, such as a request to submit
// again. Settle does it. Call Settle after commands and inputs, before the
// thread waits.
//
// The engine calls user code in three places: the server selector when it
// dispatches, the retry policies when an attempt ends, and the logger.
// docs/threads.md says what that code must not do.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_ENGINE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_ENGINE_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/wire/spare_strings.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/client/client_servers.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/sdk/internal/client/request_defaults.h"
#include "gearman/sdk/internal/client/server_choice.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/internal/request/query.h"
#include "gearman/transports/address.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

class ClientEngine {
 public:
  // `options` are complete (ClientCore::Create). They, `poller`, `metrics` and
  // `spares`, which is memory for results, must outlive the engine. Null
  // `metrics`: nothing is counted.
  ClientEngine(const ClientOptions& options,
               const std::vector<Address>& servers, Poller* poller,
               Metrics* metrics, wire::SpareStrings* spares);

  // --- submissions -----------------------------------------------------------
  // RequestDefaults::FillIn. On an error the caller gives the request to
  // Refuse.
  absl::Status Prepare(JobRequestState* request, bool wants_result,
                       absl::Time now);
  // Submits a prepared request.
  void Submit(const std::shared_ptr<JobRequestState>& request, absl::Time now);
  // Ends a prepared request that an interceptor has answered.
  void SubmitAnswered(const std::shared_ptr<JobRequestState>& request,
                      absl::Time now);
  // Ends a request that is not submitted, because of `status`. `silently`: its
  // callbacks are not called.
  void Refuse(const std::shared_ptr<JobRequestState>& request,
              absl::Status status, bool silently, absl::Time now);
  // Ends a request in flight.
  void GiveUp(JobRequestState* request, absl::Status status, absl::Time now) {
    tracker_.GiveUp(request, std::move(status), now);
  }
  // Ends everything in flight, and closes the connections.
  void Stop(const absl::Status& status, absl::Time now);

  // --- questions -------------------------------------------------------------
  // Gives the query to its server, and begins to connect if need be.
  void Ask(Query* query, absl::Time now) { Dispatch(query, now); }
  // Ends a query that no thread waits for any more.
  void Abandon(Query* query, const absl::Status& status);

  // --- inputs ----------------------------------------------------------------
  void OnReady(Poller::Key key, absl::Time now);
  // Reads what has arrived for requests and connections whose deadline has
  // passed. No thread may have driven for a while, and packets that have come
  // count. Call it before OnTime.
  void ReadBeforeLate(absl::Time now);
  void OnTime(absl::Time now);
  // Dispatches waiting requests, writes, and handles lost connections until
  // nothing changes.
  void Settle(absl::Time now);

  // --- outputs ---------------------------------------------------------------
  bool has_notices() const { return tracker_.has_notices(); }
  std::vector<Notice> TakeNotices() { return tracker_.TakeNotices(); }
  // JobRequestTracker::Conclude.
  void Conclude(JobRequestState* request, HookFacts* facts) {
    tracker_.Conclude(request, facts);
  }
  // The latest time at which OnTime must be called.
  absl::Time next_deadline() const {
    return std::min(tracker_.next_deadline(), servers_.next_deadline());
  }
  size_t in_flight() const { return tracker_.in_flight(); }
  size_t output_bytes() const { return servers_.output_bytes(); }

  // --- servers ---------------------------------------------------------------
  const ClientServers& servers() const { return servers_; }
  // ServerSet::Add.
  ClientServerPtr AddServer(const Address& address);
  // ServerSet::Remove.
  void RemoveServer(const ClientServerPtr& server);
  // Chooses a server for a query that may go to any server.
  ClientServerPtr ChooseServer(absl::Time now) {
    return choice_.Choose(SelectionQuery{}, /*tried=*/nullptr, now);
  }

 private:
  // Gives the operation to a server. An error fails it.
  void Dispatch(JobRequestState* request, absl::Time now);
  void Dispatch(Query* query, absl::Time now);
  void DispatchAll();
  ClientServerPtr ServerFor(const JobRequestState& request, absl::Time now);
  // Makes sure that the server's session takes commands. Looks at an idle
  // connection first, because the server may have closed it.
  absl::Status Open(const ClientServerPtr& server, absl::Time now);
  void Look(const ClientServer& server, absl::Time now);
  void Read(ClientLink& link, absl::Time now);
  // Calls the tracker's OnTime, and asks the servers its questions.
  void OnTrackerTime(absl::Time now);
  void HandleLost(absl::Time now);
  void OnServersChanged() {
    tracker_.set_servers(static_cast<int>(servers_.servers().size()));
  }

  Clock* const clock_;
  Metrics* const metrics_;
  std::mt19937_64 random_;
  // Counts packets being read and updates that nobody has taken. It is declared
  // before the objects that use it, because it must outlive them.
  ByteAccount memory_;
  RequestDefaults defaults_;
  JobRequestTracker tracker_;
  ClientServers servers_;
  ServerChoice choice_;
  // Scratch memory of DispatchAll.
  std::vector<Operation*> dispatching_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_ENGINE_H_
