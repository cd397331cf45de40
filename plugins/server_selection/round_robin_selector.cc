#include "gearman/plugins/server_selection/round_robin_selector.h"

#include "gearman/plugins/server_selection/server_preference.h"

namespace gearman {

size_t RoundRobinServerSelector::Select(
    const SelectionQuery& /*query*/,
    absl::Span<const ServerCandidate> candidates, absl::BitGenRef /*random*/) {
  if (candidates.size() == 1) return 0;
  const auto preferred = PreferredServers(candidates);
  // The turn counts only preferred servers, so the neighbour of a dead server
  // does not get that server's share, too.
  return preferred[turn_.fetch_add(1, std::memory_order_relaxed) %
                   preferred.size()];
}

}  // namespace gearman
