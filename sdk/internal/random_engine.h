// The source of all randomness in a client or worker. Its owner guards it.
#ifndef GEARMAN_SDK_INTERNAL_RANDOM_ENGINE_H_
#define GEARMAN_SDK_INTERNAL_RANDOM_ENGINE_H_

#include <cstdint>
#include <optional>
#include <random>

namespace gearman {
namespace internal {

// Returns an engine seeded with `seed`, or by the system if `seed` is nullopt.
std::mt19937_64 MakeRandomEngine(std::optional<uint64_t> seed);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_RANDOM_ENGINE_H_
