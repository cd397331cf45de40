// Server is one job server of a client or worker: its address, and how it has
// done lately. A Link is a connection to it. A server may have one link that
// takes new work, and others that only finish what they have.
//
// A server is known by its object: requests and links share the ownership, so
// that the object outlives its removal as long as anything refers to it.
// `name`, `address` and `metrics` never change, so any thread may read them.
// The lock of the owner guards the rest.
#ifndef GEARMAN_SDK_INTERNAL_NET_SERVER_H_
#define GEARMAN_SDK_INTERNAL_NET_SERVER_H_

#include <cstdint>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/reconnect_delay.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace internal {

struct Server : Counted {
  Server(const Address& server_address, ServerMetrics* server_metrics)
      : address(server_address),
        name(address.ToString()),
        metrics(server_metrics) {}

  const Address address;
  const std::string name;        // the address in canonical form
  ServerMetrics* const metrics;  // null: nothing is counted

  // The server is not one of its owner's any more.
  bool removed = false;
  // The number of failures since the server last answered, the last of them,
  // and the time before which it is better left alone.
  int failures = 0;
  absl::Status last_error;
  absl::Time retry_at = absl::InfinitePast();
  ReconnectDelay delay;

  void OnFailure(const absl::Status& status) {
    ++failures;
    last_error = status;
  }
  // The log's text for a connection that was lost with `status`, whose message
  // mostly begins with the name.
  std::string LostText(const absl::Status& status) const {
    return absl::StartsWith(status.message(), name)
               ? absl::StrCat("lost ", status.message())
               : absl::StrCat("lost ", name, ": ", status.message());
  }
  // Sets retry_at, each time a longer delay from `now`.
  void Delay(const ReconnectOptions& options, absl::Time now,
             std::mt19937_64* random) {
    retry_at = now + delay.Next(options, random);
  }
  // The server has answered.
  void OnAnswer() {
    failures = 0;
    last_error = absl::OkStatus();
    retry_at = absl::InfinitePast();
    delay.Reset();
  }
};

template <typename Session>
struct Link;

// Knowledge about a server that one session leaves to the next. A kind of
// session that has some specialises it.
template <typename Session>
struct Learned {};

// A server of ServerSet<Session>.
template <typename Session>
struct ServerOf : Server {
  using Server::Server;

  // The connection that takes new work, or null.
  Link<Session>* link = nullptr;
  Learned<Session> learned;
  // The fields that follow are ServerSet's own: a number that grows with each
  // server that is added, its time in the queue of servers to connect to, and
  // whether it is in the list of removed servers.
  uint64_t number = 0;
  absl::Time queued_for = absl::InfiniteFuture();
  bool listed_as_removed = false;
};

template <typename Session>
using ServerPtr = Ref<ServerOf<Session>>;

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_SERVER_H_
