// This file is separate so that a program that creates no client links none.
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {

absl::StatusOr<std::unique_ptr<Client>> CreateClient(
    const Config& config, const PluginRegistry& registry) {
  absl::StatusOr<ClientOptions> options = config.ToClientOptions(registry);
  if (!options.ok()) return options.status();
  return Client::Create(*std::move(options));
}

}  // namespace gearman
