// Overlay puts the values of one config over another. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_OVERLAY_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_OVERLAY_H_

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

// Replaces values of `into` by those that are set in `over`, a message of the
// same type. Lists and plugins' configs are replaced as a whole, where
// Protobuf's own merging would append. Blocks are merged field by field. Calls
// `replaced` with the path of each value or list that came from `over`.
void Overlay(const google::protobuf::Message& over,
             google::protobuf::Message* into,
             absl::FunctionRef<void(absl::string_view path)> replaced);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_OVERLAY_H_
