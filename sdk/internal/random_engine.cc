#include "gearman/sdk/internal/random_engine.h"

#include <unistd.h>

#include <array>

#include "absl/time/clock.h"

namespace gearman {
namespace internal {
namespace {

// The bits come from the kernel, and not from Abseil's pool. The pool is filled
// once for a process, and fork copies it: two children would draw the same
// numbers and make the same uniques. A server takes jobs with equal uniques for
// one job.
std::array<uint32_t, 16> SystemBits() {
  std::array<uint32_t, 16> bits{};
  if (getentropy(bits.data(), sizeof(bits)) != 0) {
    // The system has no such call.
    const int64_t now = absl::GetCurrentTimeNanos();
    bits[0] = static_cast<uint32_t>(getpid());
    bits[1] = static_cast<uint32_t>(now);
    bits[2] = static_cast<uint32_t>(now >> 32);
  }
  return bits;
}

}  // namespace

std::mt19937_64 MakeRandomEngine(std::optional<uint64_t> seed) {
  if (seed.has_value()) return std::mt19937_64(*seed);
  const std::array<uint32_t, 16> bits = SystemBits();
  std::seed_seq sequence(bits.begin(), bits.end());
  return std::mt19937_64(sequence);
}

}  // namespace internal
}  // namespace gearman
