// FoundBytes: describes bytes that a decoder did not expect, for its error. A
// program's own encoders may use it. Any thread may call it.
#ifndef GEARMAN_PLUGINS_ENCODING_FOUND_BYTES_H_
#define GEARMAN_PLUGINS_ENCODING_FOUND_BYTES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

namespace internal {

// The beginning of the SDK's own formats. No UTF-8 text, no Protobuf message
// and no usual compressed or serialized format begins with it. A letter and the
// version follow.
inline constexpr absl::string_view kMagic = "\xf7G";

}  // namespace internal

// Returns the number of bytes, the first 16 of them as safe text, and the
// format that these bytes look like, if any: "5 bytes that begin with
// \"hello\"".
std::string FoundBytes(absl::string_view data);

// Returns DATA_LOSS: "expected a zlib stream, found 5 bytes ...".
absl::Status NotExpected(absl::string_view expected, absl::string_view data);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_FOUND_BYTES_H_
