// The SDK's version, by the rules of Semantic Versioning: the first number
// changes when source that compiled may no longer compile, the second when
// something is added.
#ifndef GEARMAN_SDK_VERSION_H_
#define GEARMAN_SDK_VERSION_H_

#define GEARMAN_SDK_VERSION_MAJOR 0
#define GEARMAN_SDK_VERSION_MINOR 1
#define GEARMAN_SDK_VERSION_PATCH 0

#include "absl/strings/string_view.h"

namespace gearman {

// "major.minor.patch".
inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace gearman

#endif  // GEARMAN_SDK_VERSION_H_
