// BytesOfHex: the bytes that hexadecimal digits stand for.
#ifndef GEARMAN_TESTS_SUPPORT_HEX_H_
#define GEARMAN_TESTS_SUPPORT_HEX_H_

#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace support {

// Two digits make a byte. Returns an empty string if `digits` holds anything
// else. (absl::HexStringToBytes is deprecated in Abseil 20240722, and Abseil
// 20220623 does not have what takes its place.)
inline std::string BytesOfHex(absl::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    uint32_t byte = 0;
    const absl::string_view pair = digits.substr(i, 2);
    if (pair.size() != 2 || !absl::SimpleHexAtoi(pair, &byte)) return "";
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_HEX_H_
