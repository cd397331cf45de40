#include "gearman/sdk/internal/random_engine.h"

#include "absl/random/seed_sequences.h"

namespace gearman {
namespace internal {

std::mt19937_64 MakeRandomEngine(std::optional<uint64_t> seed) {
  if (seed.has_value()) return std::mt19937_64(*seed);
  auto sequence = absl::MakeSeedSeq();
  return std::mt19937_64(sequence);
}

}  // namespace internal
}  // namespace gearman
