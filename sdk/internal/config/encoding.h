// The bytes of a config file as text. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_ENCODING_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_ENCODING_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// `bytes` without the byte order mark of UTF-8, which some editors write: a
// view of them, whose first line and column begin behind the mark.
// INVALID_ARGUMENT: they are UTF-16 or UTF-32. `source` is what the message
// calls them.
absl::StatusOr<absl::string_view> TextOf(absl::string_view bytes,
                                         absl::string_view source);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_ENCODING_H_
