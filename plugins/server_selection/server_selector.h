// ServerSelector: chooses the server of each attempt of each request.
//
// One instance serves all requests of a client, so a selector is thread-safe.
// Calls come from a thread that submits or drives the client's I/O, with the
// client's lock held. A selector must not block: the client stands still
// meanwhile. It must not call the client, nor an accessor of a request of this
// client: these wait for the lock for ever. It may change its own state. What
// it throws is logged, and the first of the best servers is taken.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTOR_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTOR_H_

#include <cstddef>
#include <cstdint>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gearman {

// One server as it is at the moment of the choice. Candidates come in the
// order in which they were configured.
struct ServerCandidate {
  absl::string_view address;
  bool connected = false;
  // The last connect failed and its back-off has not passed.
  bool failing = false;
  // This request has tried it since it was last accepted anywhere.
  bool tried = false;
  // The retry policy asked to avoid it for this request.
  bool avoided = false;
  // Requests outstanding on it.
  uint32_t in_flight = 0;
};

// What is to be submitted. Views are valid during the call only.
struct SelectionQuery {
  absl::string_view task;
  absl::string_view unique;
  int attempt = 1;  // from 1
};

class ServerSelector {
 public:
  virtual ~ServerSelector() = default;

  // The index of the chosen candidate. `candidates` is never empty; the caller
  // has filtered out the tried ones unless nothing else is left. When a request
  // has failed at 16 servers, and the client has more than 64, the caller shows
  // 16 at a time, in order, so that a request costs no more than its servers. A
  // selector
  // takes the best ServerPreference there is (server_preference.h) and chooses
  // freely among equals. `random` belongs to the call.
  virtual size_t Select(const SelectionQuery& query,
                        absl::Span<const ServerCandidate> candidates,
                        absl::BitGenRef random) = 0;
  // The name it is registered under, for messages. Static text.
  virtual absl::string_view name() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTOR_H_
