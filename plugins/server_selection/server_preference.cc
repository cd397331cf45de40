#include "gearman/plugins/server_selection/server_preference.h"

namespace gearman {

absl::InlinedVector<size_t, 16> PreferredServers(
    absl::Span<const ServerCandidate> candidates) {
  absl::InlinedVector<size_t, 16> preferred;
  int best = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const int preference = ServerPreference(candidates[i]);
    if (!preferred.empty() && preference > best) continue;
    if (preference < best) preferred.clear();
    best = preference;
    preferred.push_back(i);
  }
  return preferred;
}

}  // namespace gearman
