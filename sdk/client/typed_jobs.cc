#include "gearman/sdk/typed_jobs.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/encoding/guarded_data.h"
#include "gearman/plugins/encoding/message_format.h"
#include "gearman/plugins/encoding/protobuf_encoder.h"
#include "gearman/sdk/status.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// The format without an encoder, and its limit. Never destroyed.
const MessageFormat& DefaultFormat() {
  static const ProtobufEncoder* const encoder = new ProtobufEncoder;
  return *encoder;
}

const MessageFormat& FormatOf(const DataEncoder* encoder) {
  if (encoder == nullptr) return DefaultFormat();
  return *encoder->message_format();
}

// Refuses data of another media type than the format's. An unknown type, as
// from a peer without an envelope, says nothing.
absl::Status CheckContentType(absl::string_view sent,
                              const MessageFormat& format) {
  const absl::string_view type =
      absl::StripAsciiWhitespace(sent.substr(0, sent.find(';')));
  if (type.empty() || absl::EqualsIgnoreCase(type, format.content_type())) {
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat("the envelope holds data of the type \"", SafeText(type, 64),
                   "\", and this side reads \"", format.content_type(),
                   "\": the peer has another encoder"));
}

}  // namespace

absl::Status CheckEncoder(const DataEncoder* encoder, bool messages) {
  if (encoder == nullptr ||
      (encoder->message_format() != nullptr) == messages) {
    return absl::OkStatus();
  }
  const std::string name = SafeText(encoder->name());
  if (messages) {
    return absl::InvalidArgumentError(
        absl::StrCat("the encoder \"", name,
                     "\" takes bytes, and not Protobuf messages: begin it with "
                     "protobuf or json, as in \"protobuf+",
                     name, "\""));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the encoder \"", name,
                   "\" takes Protobuf messages, and this type makes its own "
                   "bytes: leave the first part of the encoder out"));
}

absl::Status EncodeMessage(const DataEncoder* encoder,
                           const DataContext& context,
                           const google::protobuf::Message& message,
                           std::string* bytes) {
  absl::Status status = CheckEncoder(encoder, /*messages=*/true);
  if (!status.ok()) return status;
  const MessageFormat& format = FormatOf(encoder);
  status = GuardedData([&] { return format.EncodeMessage(message, bytes); });
  if (!status.ok()) return status;
  if (context.headers->content_type.empty()) {
    context.headers->content_type = std::string(format.content_type());
  }
  return EncodeBytes(encoder, context, bytes);
}

absl::Status EncodeBytes(const DataEncoder* encoder, const DataContext& context,
                         std::string* bytes) {
  return encoder == nullptr ? absl::OkStatus()
                            : EncodeData(*encoder, context, bytes);
}

absl::Status DecodeMessage(const DataEncoder* encoder,
                           const DataContext& context, absl::string_view bytes,
                           google::protobuf::Message* message) {
  absl::Status status = CheckEncoder(encoder, /*messages=*/true);
  if (!status.ok()) return status;
  std::string buffer;
  absl::StatusOr<absl::string_view> data =
      DecodeBytes(encoder, context, bytes, &buffer);
  if (!data.ok()) return data.status();
  const MessageFormat& format = FormatOf(encoder);
  status = CheckContentType(context.headers->content_type, format);
  if (!status.ok()) return status;
  return GuardedData([&] { return format.DecodeMessage(*data, message); });
}

absl::StatusOr<absl::string_view> DecodeBytes(const DataEncoder* encoder,
                                              const DataContext& context,
                                              absl::string_view bytes,
                                              std::string* buffer) {
  if (encoder == nullptr) return bytes;
  return DecodeData(*encoder, context, bytes, buffer);
}

absl::Status AboutData(const absl::Status& status, absl::string_view verb,
                       const DataContext& context, absl::string_view server) {
  StatusFacts facts;
  facts.operation =
      absl::StrCat(verb, " ", DataDirectionName(context.direction));
  facts.task = std::string(context.task);
  facts.server = std::string(server);
  return Annotate(status, facts);
}

}  // namespace internal
}  // namespace gearman
