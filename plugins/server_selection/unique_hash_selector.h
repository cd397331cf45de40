// UniqueHashServerSelector ("unique_hash"): each task and unique has its
// server, the same one in every client with the same list of servers, so that
// equal jobs of different clients meet there and are joined.
//
// Rendezvous hashing: of the preferred servers the one whose address gives the
// highest hash together with task and unique. When one of n servers dies, its
// own 1/n of the jobs move and no other. The hash is part of the contract
// between clients: it is the same in every process and version. A job without
// a unique goes to a random server. Thread-safe.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_UNIQUE_HASH_SELECTOR_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_UNIQUE_HASH_SELECTOR_H_

#include <cstddef>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {

class UniqueHashServerSelector : public ServerSelector {
 public:
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates,
                absl::BitGenRef random) override;
  absl::string_view name() const override { return "unique_hash"; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_UNIQUE_HASH_SELECTOR_H_
