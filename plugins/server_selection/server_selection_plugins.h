// Registers the server selection plugins that come with the SDK.
#ifndef GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTION_PLUGINS_H_
#define GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTION_PLUGINS_H_

#include "absl/status/status.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/server_selection/server_selector.h"

namespace gearman {

// Registers `random`, `round_robin`, `ordered` and `unique_hash`. Returns
// ALREADY_EXISTS if one of them is registered.
absl::Status RegisterServerSelectionPlugins(Registry<ServerSelector>* registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_SERVER_SELECTION_SERVER_SELECTION_PLUGINS_H_
