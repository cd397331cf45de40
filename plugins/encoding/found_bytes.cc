#include "gearman/plugins/encoding/found_bytes.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// Enough to know a format by, and too little to hold much of a secret.
constexpr size_t kShown = 16;

struct Format {
  absl::string_view begin;
  absl::string_view words;
};
constexpr Format kFormats[] = {
    {"\xf7GE", "an envelope of this SDK"},
    {"\xf7GA", "an aes256gcm message of this SDK"},
    {"\x28\xb5\x2f\xfd", "a zstd frame"},
    {"\x1f\x8b", "a gzip file"},
    {"\x78\x01", "a zlib stream"},
    {"\x78\x5e", "a zlib stream"},
    {"\x78\x9c", "a zlib stream"},
    {"\x78\xda", "a zlib stream"},
    {"\x80\x02", "a Python pickle"},
    {"\x80\x03", "a Python pickle"},
    {"\x80\x04", "a Python pickle"},
    {"\x80\x05", "a Python pickle"},
    {"{", "JSON"},
    {"[", "JSON"},
};

}  // namespace

std::string FoundBytes(absl::string_view data) {
  if (data.empty()) return "no bytes";
  std::string found =
      absl::StrCat(data.size(), data.size() == 1 ? " byte" : " bytes", " that ",
                   data.size() == 1 ? "is" : "begin with", " \"",
                   SafeText(data.substr(0, kShown)), "\"");
  for (const Format& format : kFormats) {
    if (absl::StartsWith(data, format.begin)) {
      absl::StrAppend(&found,
                      data.size() == 1 ? " and looks like " : " and look like ",
                      format.words);
      break;
    }
  }
  return found;
}

absl::Status NotExpected(absl::string_view expected, absl::string_view data) {
  return absl::DataLossError(
      absl::StrCat("expected ", expected, ", found ", FoundBytes(data),
                   "; the peer sends raw data, or has another encoder"));
}

}  // namespace gearman
