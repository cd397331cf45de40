// JsonEncoder: `json`, Protobuf's JSON for messages: one line of UTF-8, with
// names in lowerCamelCase (https://protobuf.dev/programming-guides/json/).
#ifndef GEARMAN_PLUGINS_ENCODING_JSON_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_JSON_ENCODER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/message_format.h"
#include "google/protobuf/message.h"

namespace gearman {

struct JsonOptions {
  // Bytes of the JSON text of one message. Reading it takes more memory, for
  // many small values some fifty times as much.
  size_t max_message_bytes = kDefaultMaxDecodedBytes;
  // Fields that the message does not have are skipped. Otherwise they are an
  // error. Set this where peers with newer messages send to older ones.
  bool ignore_unknown_fields = false;
};

class JsonEncoder final : public DataEncoder, public MessageFormat {
 public:
  explicit JsonEncoder(JsonOptions options = {}) : options_(options) {}

  // These leave bytes as they are: EncodeMessage made them.
  absl::Status Encode(const DataContext& context,
                      std::string* data) const override;
  absl::StatusOr<absl::string_view> Decode(const DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override;
  const MessageFormat* message_format() const override { return this; }
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
