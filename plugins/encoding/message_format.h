// MessageFormat: how an encoder that takes Protobuf messages makes bytes of
// them: `protobuf` and `json`. A DataEncoder with a format is the first of its
// stack. It is thread-safe, like DataEncoder.
#ifndef GEARMAN_PLUGINS_ENCODING_MESSAGE_FORMAT_H_
#define GEARMAN_PLUGINS_ENCODING_MESSAGE_FORMAT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"
#include "google/protobuf/message.h"

namespace gearman {

class MessageFormat {
 public:
  virtual ~MessageFormat() = default;

  // Writes the bytes of `message` to *bytes. Returns INVALID_ARGUMENT if the
  // message lacks a required field or can't be written.
  virtual absl::Status EncodeMessage(const google::protobuf::Message& message,
                                     std::string* bytes) const = 0;
  // Replaces *message by the message that `bytes` are. Returns DATA_LOSS if
  // they are none, and RESOURCE_EXHAUSTED if they are too many.
  virtual absl::Status DecodeMessage(
      absl::string_view bytes, google::protobuf::Message* message) const = 0;
  // The media type of the bytes, for the envelope. It is static text.
  virtual absl::string_view content_type() const = 0;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_MESSAGE_FORMAT_H_
