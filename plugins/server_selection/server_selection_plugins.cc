#include "gearman/plugins/server_selection/server_selection_plugins.h"

#include <memory>

#include "gearman/plugins/server_selection/ordered_selector.h"
#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/plugins/server_selection/round_robin_selector.h"
#include "gearman/plugins/server_selection/server_selection.pb.h"
#include "gearman/plugins/server_selection/unique_hash_selector.h"

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
  status.Update(registry->Register<config::OrderedSelection>(
      "ordered", [](const config::OrderedSelection&) {
        return std::make_unique<OrderedServerSelector>();
      }));
  status.Update(registry->Register<config::UniqueHashSelection>(
      "unique_hash", [](const config::UniqueHashSelection&) {
        return std::make_unique<UniqueHashServerSelector>();
      }));
  return status;
}

}  // namespace gearman
