#include "gearman/plugins/server_selection/server_selection_plugins.h"

#include <memory>

#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/plugins/server_selection/round_robin_selector.h"
#include "gearman/plugins/server_selection/server_selection.pb.h"

namespace gearman {

absl::Status RegisterServerSelectionPlugins(
    Registry<ServerSelector>* registry) {
  absl::Status status;
  status.Update(registry->Register<config::RandomSelection>(
      "random", [](const config::RandomSelection&) {
        return std::make_unique<RandomServerSelector>();
      }));
  status.Update(registry->Register<config::RoundRobinSelection>(
      "round_robin", [](const config::RoundRobinSelection&) {
        return std::make_unique<RoundRobinServerSelector>();
      }));
  return status;
}

}  // namespace gearman
