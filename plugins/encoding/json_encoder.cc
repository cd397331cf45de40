#include "gearman/plugins/encoding/json_encoder.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/found_bytes.h"
#include "gearman/plugins/encoding/message_errors.h"
#include "gearman/text/safe_text.h"
#include "google/protobuf/util/json_util.h"

namespace gearman {
namespace {

// Protobuf counts bytes in an int.
constexpr size_t kLargestText = std::numeric_limits<int>::max();
// Protobuf's words quote what it could not read.
constexpr size_t kLongestReason = 300;

// Protobuf's status is a type of its own up to 3.21, and Abseil's later.
template <typename ProtobufStatus>
std::string Reason(const ProtobufStatus& status) {
  return SafeText(status.ToString(), kLongestReason);
}

}  // namespace

absl::Status JsonEncoder::EncodeMessage(
    const google::protobuf::Message& message, std::string* bytes) const {
  absl::Status complete =
      internal::CheckComplete(message, absl::StatusCode::kInvalidArgument);
  if (!complete.ok()) return complete;
  bytes->clear();
  const auto status =
      google::protobuf::util::MessageToJsonString(message, bytes);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the message ", message.GetTypeName(),
                   " can't be written as JSON: ", Reason(status)));
}

absl::Status JsonEncoder::DecodeMessage(
    absl::string_view bytes, google::protobuf::Message* message) const {
  absl::Status small = internal::CheckMessageBytes(
      bytes.size(), std::min(options_.max_message_bytes, kLargestText));
  if (!small.ok()) return small;
  message->Clear();
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = options_.ignore_unknown_fields;
  const auto status = google::protobuf::util::JsonStringToMessage(
      {bytes.data(), bytes.size()}, message, options);
  if (!status.ok()) {
    const absl::Status found = NotExpected(
        absl::StrCat("JSON of a message ", message->GetTypeName()), bytes);
    return absl::Status(
        found.code(), absl::StrCat(found.message(), " (", Reason(status), ")"));
  }
  return internal::CheckComplete(*message, absl::StatusCode::kDataLoss);
}

}  // namespace gearman
