// Reads a config message from text format or JSON, with the place of every
// value and of every mistake.
//
// Protobuf's own parsers do the converting. What they lack is told here: for
// JSON all positions, for both which names would have been right and what a
// value should look like. Thread-safe.
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
  // What messages call the text: a file's name.
  std::string source = "config";
  // Config messages that an Any may hold, to be listed in errors.
  std::vector<std::string> known_types;
  // The config of a plugin whose message is not linked into this program is
  // skipped, whatever it holds: its Any stays empty. Else it is a mistake.
  bool skip_unlinked_types = false;
  // What the value at a path should look like; empty: by the field's type.
  std::function<std::string(absl::string_view path,
                            const google::protobuf::FieldDescriptor* field)>
      expected;
};

// Replaces `message` and `places`. INVALID_ARGUMENT
// "<source>:<line>:<column>: <path>: what is wrong; what would be right".
absl::Status ReadText(absl::string_view text, const ReadOptions& options,
                      google::protobuf::Message* message, Places* places);
absl::Status ReadJson(absl::string_view text, const ReadOptions& options,
                      google::protobuf::Message* message, Places* places);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_READER_H_
