// RandomServerSelector ("random", the default): takes one of the preferred
// servers at random, with equal chances. This spreads the load although clients
// know nothing of each other. The selector is thread-safe.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_RANDOM_SELECTOR_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_RANDOM_SELECTOR_H_

#include <cstddef>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {

class RandomServerSelector : public ServerSelector {
 public:
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates,
                absl::BitGenRef random) override;
  absl::string_view name() const override { return "random"; }
  bool takes_a_sample() const override { return true; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_RANDOM_SELECTOR_H_
