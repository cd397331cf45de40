#include "gearman/plugins/server_selection/ordered_selector.h"

#include "gearman/plugins/server_selection/server_preference.h"

namespace gearman {

size_t OrderedServerSelector::Select(
    const SelectionQuery& /*query*/,
    absl::Span<const ServerCandidate> candidates, absl::BitGenRef /*random*/) {
  return PreferredServers(candidates).front();
}

}  // namespace gearman
