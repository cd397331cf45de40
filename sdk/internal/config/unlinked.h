// Finds plugins that a config names and this program does not have.
// Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_UNLINKED_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_UNLINKED_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/config/places.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace internal {

// Says how to get the plugin with this full name of its config message: "link
// @gearman_sdk//sdk:prometheus (CMake: gearman_sdk::prometheus)". An empty text
// means that the plugin is not part of the SDK.
std::string HowToLink(absl::string_view config_type);

// Removes each plugin from `config` whose config message is not among
// `known_types`, and each Any that a reader has left empty. A list loses the
// element. Returns a description of each: "f:3:11: metrics[0].prometheus".
std::vector<std::string> RemoveUnlinked(
    const std::vector<std::string>& known_types,
    google::protobuf::Message* config, Places* places);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_UNLINKED_H_
