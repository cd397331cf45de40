// Reads a config message from text format or JSON, and finds the place of every
// value and of every mistake.
//
// Protobuf's own parsers convert the values. This code adds what they lack: all
// positions in JSON, and, for both formats, the right names and the expected
// form of a value. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_READER_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_READER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/config/places.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

struct ReadOptions {
  // The name of the text in messages: a file's name.
  std::string source = "config";
  // Config messages that an Any may hold. Errors list them.
  std::vector<std::string> known_types;
  // If true, a plugin's config is skipped if its message is not linked into
  // this program: its Any stays empty. If false, such a config is an error.
  bool skip_unlinked_types = false;
  // Describes the expected value at a path. If it is unset, the type of the
  // field decides.
  std::function<std::string(absl::string_view path,
                            const google::protobuf::FieldDescriptor* field)>
      expected;
};

// Replace `message` and `places`. INVALID_ARGUMENT "<source>:<line>:<column>:
// <path>: what is wrong; what would be right".
absl::Status ReadText(absl::string_view text, const ReadOptions& options,
                      google::protobuf::Message* message, Places* places);
absl::Status ReadJson(absl::string_view text, const ReadOptions& options,
                      google::protobuf::Message* message, Places* places);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_READER_H_
