#include "gearman/plugins/server_selection/random_selector.h"

#include "absl/random/distributions.h"
#include "gearman/plugins/server_selection/server_preference.h"

namespace gearman {

size_t RandomServerSelector::Select(
    const SelectionQuery& /*query*/,
    absl::Span<const ServerCandidate> candidates, absl::BitGenRef random) {
  if (candidates.size() == 1) return 0;
  const auto preferred = PreferredServers(candidates);
  return preferred[absl::Uniform<size_t>(random, 0, preferred.size())];
}

}  // namespace gearman
