// ServerSelector: chooses the server for each attempt of each request.
//
// One instance serves all requests of a client, so a selector is thread-safe.
// Calls come from a thread that submits or does the client's I/O, with the
// client's lock held. A selector must not block, because the client stands
// still meanwhile. It must not call the client, nor an accessor of a request of
// this client: that call would wait for the lock forever. It may change its own
// state. An exception from it is logged, and the first of the best servers is
// taken.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTOR_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTOR_H_

#include <cstddef>
#include <cstdint>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// One server at the moment of the choice. Candidates are in the order of the
// configuration.
struct ServerCandidate {
  absl::string_view address;  // as in ClientOptions::servers, in canonical form
  bool connected = false;     // a connection to it is up
  // The client avoids the server because it has failed: its circuit breaker is
  // open (ReconnectOptions::failures_to_open), or a connection is trying it.
  bool failing = false;
  // An attempt of this submission has failed at the server.
  bool tried = false;
  // The last attempt of this submission has failed at the server.
  bool avoided = false;
  // The number of requests outstanding on the server.
  uint32_t in_flight = 0;
};

// The job to submit. Views are valid only during the call.
struct SelectionQuery {
  // The task without the client's task_prefix, and the job's unique.
  absl::string_view task;
  absl::string_view unique;
  int attempt = 1;  // from 1
};

class ServerSelector {
 public:
  virtual ~ServerSelector() = default;

  // Returns the index of the chosen candidate. `candidates` is never empty. The
  // caller has removed the servers that were tried, unless no others are left.
  // If a request has failed at 16 servers and the client has more than 64, the
  // caller passes 16 servers at a time, in order, so that a request costs no
  // more than its servers. A selector takes a candidate with the best
  // ServerPreference (server_preference.h) and chooses freely among equals. The
  // selector must not keep `random` after the call.
  virtual size_t Select(const SelectionQuery& query,
                        absl::Span<const ServerCandidate> candidates,
                        absl::BitGenRef random) = 0;
  // The name under which the selector is registered, for messages. It is static
  // text.
  virtual absl::string_view name() const = 0;
  // True if the selector takes any of the best candidates with equal chances.
  // For a request that has failed nowhere, the caller may then pass a few
  // servers, taken at random from more than 64, so that the cost of a
  // submission does not grow with the number of servers. The client calls this
  // once, when it is made.
  virtual bool takes_a_sample() const { return false; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTOR_H_
