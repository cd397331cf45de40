#include "gearman/plugins/encoding/data_encoder.h"

#include <exception>
#include <new>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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

// Returns the error of a call that throws, and otherwise its result.
template <typename Function>
auto Guarded(const Function& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("there is not enough memory");
  } catch (const std::exception& exception) {
    return absl::UnknownError(SafeMessage(exception.what()));
  } catch (...) {
    return absl::UnknownError("unknown exception");
  }
}

}  // namespace

absl::string_view DataDirectionName(DataDirection direction) {
  return direction == DataDirection::kRequest ? "request" : "reply";
}

absl::Status EncodeData(const DataEncoder& encoder, const DataContext& context,
                        std::string* data) {
  const absl::Status status =
      Guarded([&] { return encoder.Encode(context, data); });
  return status.ok() ? status : Named(encoder, status);
}

absl::StatusOr<absl::string_view> DecodeData(const DataEncoder& encoder,
                                             const DataContext& context,
                                             absl::string_view data,
                                             std::string* buffer) {
  absl::StatusOr<absl::string_view> decoded =
      Guarded([&] { return encoder.Decode(context, data, buffer); });
  if (!decoded.ok()) return Named(encoder, decoded.status());
  return decoded;
}

}  // namespace gearman
