// The rule that every selector follows: which candidates are best and equally
// good. The functions are thread-safe.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_PREFERENCE_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_PREFERENCE_H_

#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {

// Smaller is better. Worst is a server that the request has tried, then one
// that the client avoids because it has failed, then the one where the last
// attempt has failed.
inline int ServerPreference(const ServerCandidate& candidate) {
  return (candidate.tried ? 4 : 0) + (candidate.failing ? 2 : 0) +
         (candidate.avoided ? 1 : 0);
}

// Returns the indices of the candidates with the best preference, in order. The
// list is not empty unless `candidates` is empty.
absl::InlinedVector<size_t, 16> PreferredServers(
    absl::Span<const ServerCandidate> candidates);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_PREFERENCE_H_
