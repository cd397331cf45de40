// ProtobufEncoder: `protobuf`, Protobuf's binary format for messages.
#ifndef GEARMAN_PLUGINS_ENCODING_PROTOBUF_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_PROTOBUF_ENCODER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/message_encoder.h"
#include "google/protobuf/message.h"

namespace gearman {

// The settings of a ProtobufEncoder.
struct ProtobufOptions {
  // The most bytes of one encoded message. The message itself takes more
  // memory: some twenty times as much if it has many small fields.
  size_t max_message_bytes = kDefaultMaxDecodedBytes;
};

class ProtobufEncoder final : public MessageEncoder {
 public:
  // Makes an encoder. It never fails.
  explicit ProtobufEncoder(ProtobufOptions options = {}) : options_(options) {}

  absl::string_view name() const override { return "protobuf"; }

  absl::Status EncodeMessage(const google::protobuf::Message& message,
                             std::string* bytes) const override;
  absl::Status DecodeMessage(absl::string_view bytes,
                             google::protobuf::Message* message) const override;
  absl::string_view content_type() const override {
    return "application/x-protobuf";
  }

 private:
  const ProtobufOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_PROTOBUF_ENCODER_H_
