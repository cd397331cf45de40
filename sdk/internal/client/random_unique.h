// Makes uniques for the SDK: 128 bits in hexadecimal.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_RANDOM_UNIQUE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_RANDOM_UNIQUE_H_

#include <cstddef>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

inline constexpr size_t kRandomUniqueSize = 32;

// Writes `value` as 32 lower-case hex digits.
void WriteHexUnique(absl::uint128 value, char* out);

// The 128-bit FNV-1a hash of the task, a NUL and the data. It is equal in every
// process and on every machine, which joining jobs requires and absl::Hash does
// not give. It is not safe against an attacker who searches for collisions.
//
// Source: draft-eastlake-fnv, section 5.
absl::uint128 HashOfJob(absl::string_view task, absl::string_view data);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_RANDOM_UNIQUE_H_
