// Plugins that a config names and this program does not have. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_UNLINKED_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_UNLINKED_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/config/places.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

// What brings the plugin whose config message has this full name: "link
// @gearman_sdk//sdk:prometheus". Empty: it is none of the SDK's.
std::string HowToLink(absl::string_view config_type);

// Removes from `config` each plugin whose config message is not among
// `known_types`, and each Any that a reader has left empty; a list loses the
// element. Returns what was removed: "f:3:11: metrics[0].prometheus".
std::vector<std::string> RemoveUnlinked(
    const std::vector<std::string>& known_types,
    google::protobuf::Message* config, Places* places);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_UNLINKED_H_
