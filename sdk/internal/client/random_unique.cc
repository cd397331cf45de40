#include "gearman/sdk/internal/client/random_unique.h"

#include <cstdint>
#include <cstring>

namespace gearman {
namespace internal {

namespace {

// The two digits of each byte.
struct HexTable {
  constexpr HexTable() : digits() {
    constexpr char kDigits[] = "0123456789abcdef";
    for (int byte = 0; byte < 256; ++byte) {
      digits[2 * byte] = kDigits[byte >> 4];
      digits[2 * byte + 1] = kDigits[byte & 0xf];
    }
  }
  char digits[512];
};

}  // namespace

void WriteHexUnique(absl::uint128 value, char* out) {
  static constexpr HexTable kHex;
  const uint64_t halves[2] = {absl::Uint128High64(value),
                              absl::Uint128Low64(value)};
  for (const uint64_t half : halves) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      std::memcpy(out, &kHex.digits[2 * (half >> shift & 0xff)], 2);
      out += 2;
    }
  }
}

absl::uint128 HashOfJob(absl::string_view task, absl::string_view data) {
  constexpr absl::uint128 kBasis =
      absl::MakeUint128(0x6c62272e07bb0142, 0x62b821756295c58d);
  static constexpr absl::uint128 kPrime =
      absl::MakeUint128(0x0000000001000000, 0x000000000000013b);
  absl::uint128 hash = kBasis;
  const auto add = [&hash](absl::string_view bytes) {
    for (const char byte : bytes) {
      hash ^= static_cast<unsigned char>(byte);
      hash *= kPrime;
    }
  };
  add(task);
  add(absl::string_view("\0", 1));
  add(data);
  return hash;
}

}  // namespace internal
}  // namespace gearman
