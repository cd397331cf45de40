#include "gearman/examples/plugins/least_busy_selector.h"

#include <algorithm>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/server_selection/server_preference.h"

namespace acme {

size_t LeastBusySelector::Select(
    const gearman::SelectionQuery& /*query*/,
    absl::Span<const gearman::ServerCandidate> candidates,
    absl::BitGenRef random) {
  const auto preferred = gearman::PreferredServers(candidates);
  uint32_t least = candidates[preferred[0]].in_flight;
  for (const size_t index : preferred) {
    least = std::min(least, candidates[index].in_flight);
  }
  std::vector<size_t> good;
  for (const size_t index : preferred) {
    if (candidates[index].in_flight - least < margin_) good.push_back(index);
  }
  return good[absl::Uniform<size_t>(random, 0, good.size())];
}

absl::StatusOr<std::unique_ptr<gearman::ServerSelector>> MakeLeastBusy(
    const LeastBusyConfig& config) {
  const uint32_t margin = config.has_margin() ? config.margin() : 1;
  if (margin < 1) {
    return gearman::FieldError("margin", absl::StrCat(margin),
                               "expected at least 1");
  }
  return std::make_unique<LeastBusySelector>(margin);
}

}  // namespace acme
