#include "gearman/plugins/encoding/data_encoder.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/guarded_data.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// The members of a stack have put their names there already.
constexpr absl::string_view kBegin = "encoder \"";

absl::Status Named(const DataEncoder& encoder, const absl::Status& status) {
  if (absl::StartsWith(status.message(), kBegin)) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(kBegin, SafeText(encoder.name()), "\": ", status.message()));
}

}  // namespace

absl::string_view DataDirectionName(DataDirection direction) {
  return direction == DataDirection::kRequest ? "request" : "reply";
}

absl::Status EncodeData(const DataEncoder& encoder, const DataContext& context,
                        std::string* data) {
  const absl::Status status =
      internal::GuardedData([&] { return encoder.Encode(context, data); });
  return status.ok() ? status : Named(encoder, status);
}

absl::StatusOr<absl::string_view> DecodeData(const DataEncoder& encoder,
                                             const DataContext& context,
                                             absl::string_view data,
                                             std::string* buffer) {
  absl::StatusOr<absl::string_view> decoded = internal::GuardedData(
      [&] { return encoder.Decode(context, data, buffer); });
  if (!decoded.ok()) return Named(encoder, decoded.status());
  return decoded;
}

}  // namespace gearman
