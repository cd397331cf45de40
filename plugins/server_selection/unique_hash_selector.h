// UniqueHashServerSelector ("unique_hash"): takes a server by task and unique.
// Every client with the same list of servers takes the same server, so equal
// jobs of different clients meet there and are joined.
//
// It uses rendezvous hashing: of the preferred servers it takes the one whose
// address, hashed with task and unique, gives the largest number. If one of n
// servers dies, only its jobs, about 1/n of all, go to other servers. The hash
// is a contract between clients: it is equal in every process and version. A
// job without a unique goes to a random server. The selector is thread-safe.
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
