#include "gearman/plugins/metrics/metrics_plugins.h"

#include <memory>

#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/metrics.pb.h"

namespace gearman {

absl::Status RegisterMetricsPlugins(Registry<MetricsSink>* registry) {
  return registry->Register<config::InMemoryMetrics>(
      "in_memory", [](const config::InMemoryMetrics&) {
        return std::make_unique<InMemoryMetrics>();
      });
}

}  // namespace gearman
