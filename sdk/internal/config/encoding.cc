#include "gearman/sdk/internal/config/encoding.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace gearman {
namespace internal {
namespace {

// Returns the name of the encoding, or "" if it is neither UTF-16 nor UTF-32. A
// config begins with ASCII, so without a mark a zero among the first two bytes
// tells.
absl::string_view WideEncoding(absl::string_view bytes) {
  constexpr absl::string_view kUtf32Little("\xff\xfe\0\0", 4);
  constexpr absl::string_view kUtf32Big("\0\0\xfe\xff", 4);
  if (absl::StartsWith(bytes, kUtf32Little) ||
      absl::StartsWith(bytes, kUtf32Big)) {
    return "UTF-32";
  }
  if (absl::StartsWith(bytes, "\xff\xfe") ||
      absl::StartsWith(bytes, "\xfe\xff")) {
    return "UTF-16";
  }
  if (bytes.size() < 2 || (bytes[0] == '\0') == (bytes[1] == '\0')) return "";
  return "UTF-16";
}

}  // namespace

absl::StatusOr<absl::string_view> TextOf(absl::string_view bytes,
                                         absl::string_view source) {
  const absl::string_view wide = WideEncoding(bytes);
  if (!wide.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ":1:1: this is ", wide,
                     "; save it as UTF-8, with or without a byte order mark"));
  }
  absl::ConsumePrefix(&bytes, "\xef\xbb\xbf");
  return bytes;
}

}  // namespace internal
}  // namespace gearman
