// RoundRobinServerSelector ("round_robin"): takes the preferred servers in
// turn. All requests of the client share the turn. One client spreads its load
// exactly evenly. Clients that start together move in step; with `random` they
// would not.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_ROUND_ROBIN_SELECTOR_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_ROUND_ROBIN_SELECTOR_H_

#include <atomic>
#include <cstddef>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {

class RoundRobinServerSelector : public ServerSelector {
 public:
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates,
                absl::BitGenRef random) override;
  absl::string_view name() const override { return "round_robin"; }

 private:
  std::atomic<size_t> turn_{0};
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_ROUND_ROBIN_SELECTOR_H_
