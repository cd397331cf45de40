// OrderedServerSelector ("ordered"): takes the first preferred server in the
// order of the configuration, so that later servers are reserves. The selector
// is thread-safe.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_ORDERED_SELECTOR_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_ORDERED_SELECTOR_H_

#include <cstddef>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {

class OrderedServerSelector : public ServerSelector {
 public:
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates,
                absl::BitGenRef random) override;
  absl::string_view name() const override { return "ordered"; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_ORDERED_SELECTOR_H_
