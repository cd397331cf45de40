// Checks that the two formats of Protobuf messages share. Internal.
#ifndef GEARMAN_PLUGINS_ENCODING_MESSAGE_ERRORS_H_
#define GEARMAN_PLUGINS_ENCODING_MESSAGE_ERRORS_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"
#include "gearman/text/safe_text.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

// Returns an error of `code` if `message` lacks a required field. Protobuf's
// own functions log this, and end a program that was built for debugging.
inline absl::Status CheckComplete(const google::protobuf::Message& message,
                                  absl::StatusCode code) {
  if (message.IsInitialized()) return absl::OkStatus();
  return absl::Status(
      code, absl::StrCat("the message ", message.GetTypeName(),
                         " lacks required fields: ",
                         SafeText(message.InitializationErrorString(), 200)));
}

// Returns RESOURCE_EXHAUSTED if a message of `bytes` bytes is too large to be
// decoded.
inline absl::Status CheckMessageBytes(size_t bytes, size_t max_bytes) {
  if (bytes <= max_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the message has ", bytes, " bytes, and at most ", max_bytes,
                   " are allowed (max_message_bytes)"));
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_MESSAGE_ERRORS_H_
