#include "gearman/plugins/encoding/protobuf_encoder.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/found_bytes.h"
#include "gearman/plugins/encoding/message_errors.h"

namespace gearman {
namespace {

// Protobuf counts bytes in an int.
constexpr size_t kLargestMessage = std::numeric_limits<int>::max();

}  // namespace

absl::Status ProtobufEncoder::EncodeMessage(
    const google::protobuf::Message& message, std::string* bytes) const {
  absl::Status complete =
      internal::CheckComplete(message, absl::StatusCode::kInvalidArgument);
  if (!complete.ok()) return complete;
  bytes->clear();
  if (message.ByteSizeLong() > kLargestMessage ||
      !message.AppendPartialToString(bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the message ", message.GetTypeName(),
                     " has more than 2 GiB, which Protobuf can't write"));
  }
  return absl::OkStatus();
}

absl::Status ProtobufEncoder::DecodeMessage(
    absl::string_view bytes, google::protobuf::Message* message) const {
  absl::Status small = internal::CheckMessageBytes(
      bytes.size(), std::min(options_.max_message_bytes, kLargestMessage));
  if (!small.ok()) return small;
  if (!message->ParsePartialFromArray(bytes.data(),
                                      static_cast<int>(bytes.size()))) {
    return NotExpected(absl::StrCat("a message ", message->GetTypeName(),
                                    " in Protobuf's binary format"),
                       bytes);
  }
  return internal::CheckComplete(*message, absl::StatusCode::kDataLoss);
}

}  // namespace gearman
