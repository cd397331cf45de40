// What every selector keeps to: which candidates are equally good, and best.
// Thread-safe.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_PREFERENCE_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_PREFERENCE_H_

#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {

// Smaller is better. What the request has tried comes last, what can't be
// reached before it, what the retry policy avoids before that.
inline int ServerPreference(const ServerCandidate& candidate) {
  return (candidate.tried ? 4 : 0) + (candidate.failing ? 2 : 0) +
         (candidate.avoided ? 1 : 0);
}

// Indices of the candidates with the best preference, in order. Not empty
// unless `candidates` is.
absl::InlinedVector<size_t, 16> PreferredServers(
    absl::Span<const ServerCandidate> candidates);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_PREFERENCE_H_
