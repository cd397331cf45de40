// The source of everything random in a client or worker. Guarded by its owner.
#ifndef GEARMAN_SDK_INTERNAL_RANDOM_ENGINE_H_
#define GEARMAN_SDK_INTERNAL_RANDOM_ENGINE_H_

#include <cstdint>
#include <optional>
#include <random>

namespace gearman {
namespace internal {

// Seeded with `seed`, or from the system.
std::mt19937_64 MakeRandomEngine(std::optional<uint64_t> seed);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_RANDOM_ENGINE_H_
