// This file is separate so that a program that creates no worker links none.
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {

absl::StatusOr<std::unique_ptr<Worker>> CreateWorker(
    const Config& config, const PluginRegistry& registry) {
  absl::StatusOr<WorkerOptions> options = config.ToWorkerOptions(registry);
  if (!options.ok()) return options.status();
  return Worker::Create(*std::move(options));
}

}  // namespace gearman
