// Decodes the bytes of a config file. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_ENCODING_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_ENCODING_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// Returns a view of `bytes` without the byte order mark of UTF-8, which some
// editors write. The first line and column begin after the mark.
// INVALID_ARGUMENT: the bytes are UTF-16 or UTF-32. The message calls them
// `source`.
absl::StatusOr<absl::string_view> TextOf(absl::string_view bytes,
                                         absl::string_view source);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_ENCODING_H_
