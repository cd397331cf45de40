// LeastBusySelector ("least_busy"): takes a server with few requests in flight.
#ifndef GEARMAN_EXAMPLES_PLUGINS_LEAST_BUSY_SELECTOR_H_
#define GEARMAN_EXAMPLES_PLUGINS_LEAST_BUSY_SELECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/examples/plugins/plugins.pb.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace acme {

class LeastBusySelector : public gearman::ServerSelector {
 public:
  explicit LeastBusySelector(uint32_t margin) : margin_(margin) {}

  size_t Select(const gearman::SelectionQuery& query,
                absl::Span<const gearman::ServerCandidate> candidates,
                absl::BitGenRef random) override;
  absl::string_view name() const override { return "least_busy"; }

 private:
  const uint32_t margin_;
};

absl::StatusOr<std::unique_ptr<gearman::ServerSelector>> MakeLeastBusy(
    const LeastBusyConfig& config);

}  // namespace acme

#endif  // GEARMAN_EXAMPLES_PLUGINS_LEAST_BUSY_SELECTOR_H_
