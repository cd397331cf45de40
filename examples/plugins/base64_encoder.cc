#include "gearman/examples/plugins/base64_encoder.h"

#include "absl/strings/escaping.h"
#include "gearman/plugins/encoding/found_bytes.h"

namespace acme {

absl::Status Base64Encoder::Encode(const gearman::DataContext& /*context*/,
                                   std::string* data) const {
  *data = absl::Base64Escape(*data);
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> Base64Encoder::Decode(
    const gearman::DataContext& /*context*/, absl::string_view data,
    std::string* buffer) const {
  if (!absl::Base64Unescape(data, buffer)) {
    return gearman::NotExpected("Base64", data);
  }
  return *buffer;
}

}  // namespace acme
