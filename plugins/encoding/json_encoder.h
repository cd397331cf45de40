// JsonEncoder: `json`, Protobuf's JSON for messages: one line of UTF-8, with
// names in lowerCamelCase (https://protobuf.dev/programming-guides/json/).
#ifndef GEARMAN_PLUGINS_ENCODING_JSON_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_JSON_ENCODER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/message_encoder.h"
#include "google/protobuf/message.h"

namespace gearman {

// The settings of a JsonEncoder.
struct JsonOptions {
  // The most bytes of the JSON text of one message. Reading the text takes more
  // memory: some fifty times as much if it has many small values.
  size_t max_message_bytes = kDefaultMaxDecodedBytes;
  // Whether fields that the message does not have are skipped. If false, they
  // are an error. Set this if peers with newer messages send to this one.
  bool ignore_unknown_fields = false;
};

class JsonEncoder final : public MessageEncoder {
 public:
  // Makes an encoder. It never fails.
  explicit JsonEncoder(JsonOptions options = {}) : options_(options) {}

  absl::string_view name() const override { return "json"; }

  absl::Status EncodeMessage(const google::protobuf::Message& message,
                             std::string* bytes) const override;
  absl::Status DecodeMessage(absl::string_view bytes,
                             google::protobuf::Message* message) const override;
  absl::string_view content_type() const override { return "application/json"; }

 private:
  const JsonOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_JSON_ENCODER_H_
