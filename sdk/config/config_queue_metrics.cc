// This file is separate so that a program that creates no QueueMetrics links
// none.
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/config_content.h"
#include "gearman/sdk/internal/config/rules.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/queue_metrics.h"

namespace gearman {

absl::StatusOr<QueueMetricsOptions> Config::ToQueueMetricsOptions(
    const PluginRegistry& registry) const {
  absl::StatusOr<ClientOptions> client = ToClientOptions(registry);
  if (!client.ok()) return client.status();
  QueueMetricsOptions options;
  options.servers = std::move(client->servers);
  options.metrics_sinks = std::move(client->metrics_sinks);
  options.transports = std::move(client->transports);
  options.logger = std::move(client->logger);
  const config::QueueMetrics& queues = content_->message.queue_metrics();
  if (queues.has_interval()) {
    options.interval = internal::ParsedDuration(queues.interval());
  }
  if (queues.has_timeout()) {
    options.timeout = internal::ParsedDuration(queues.timeout());
  }
  if (queues.has_max_tasks()) options.max_tasks = queues.max_tasks();
  return options;
}

absl::StatusOr<std::unique_ptr<QueueMetrics>> CreateQueueMetrics(
    const Config& config, const PluginRegistry& registry) {
  if (!config.message().has_queue_metrics()) {
    return std::unique_ptr<QueueMetrics>();
  }
  absl::StatusOr<QueueMetricsOptions> options =
      config.ToQueueMetricsOptions(registry);
  if (!options.ok()) return options.status();
  return QueueMetrics::Create(*std::move(options));
}

}  // namespace gearman
