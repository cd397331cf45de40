#include "gearman/plugins/server_selection/unique_hash_selector.h"

#include <cstdint>

#include "absl/random/distributions.h"
#include "gearman/plugins/server_selection/server_preference.h"

namespace gearman {
namespace {

// FNV-1a. absl::Hash differs from process to process.
uint64_t Add(uint64_t hash, absl::string_view text) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  // A NUL, which no text holds, ends each text: "ab","c" differs from "a","bc".
  return hash * 0x100000001b3;
}

uint64_t Weight(const SelectionQuery& query, absl::string_view address) {
  uint64_t hash =
      Add(Add(Add(0xcbf29ce484222325, query.task), query.unique), address);
  // FNV's high bits depend little on the last bytes, where addresses differ.
  // This mixes them (the finalizer of MurmurHash3).
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

}  // namespace

size_t UniqueHashServerSelector::Select(
    const SelectionQuery& query, absl::Span<const ServerCandidate> candidates,
    absl::BitGenRef random) {
  const auto preferred = PreferredServers(candidates);
  if (query.unique.empty()) {
    return preferred[absl::Uniform<size_t>(random, 0, preferred.size())];
  }
  size_t best = preferred.front();
  uint64_t best_weight = 0;
  for (const size_t candidate : preferred) {
    const uint64_t weight = Weight(query, candidates[candidate].address);
    if (weight >= best_weight) {
      best = candidate;
      best_weight = weight;
    }
  }
  return best;
}

}  // namespace gearman
