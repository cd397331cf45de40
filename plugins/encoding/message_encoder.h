// MessageEncoder: a data encoder that is the format of Protobuf messages, and
// the first of its stack: the base of `protobuf` and `json`.
#ifndef GEARMAN_PLUGINS_ENCODING_MESSAGE_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_MESSAGE_ENCODER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/message_format.h"

namespace gearman {

class MessageEncoder : public DataEncoder, public MessageFormat {
 public:
  // Both functions leave bytes as they are: EncodeMessage made them.
  absl::Status Encode(const DataContext& /*context*/,
                      std::string* /*data*/) const final {
    return absl::OkStatus();
  }
  absl::StatusOr<absl::string_view> Decode(
      const DataContext& /*context*/, absl::string_view data,
      std::string* /*buffer*/) const final {
    return data;
  }
  const MessageFormat* message_format() const final { return this; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_MESSAGE_ENCODER_H_
