#include "gearman/plugins/metrics/prometheus_plugin.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "gearman/plugins/metrics/metrics.pb.h"
#include "gearman/plugins/metrics/prometheus_metrics.h"

namespace gearman {

absl::Status RegisterPrometheusPlugin(Registry<MetricsSink>* registry) {
  return registry->Register<config::PrometheusMetrics>(
      "prometheus",
      [](const config::PrometheusMetrics& config)
          -> absl::StatusOr<std::unique_ptr<MetricsSink>> {
        PrometheusMetricsOptions options;
        options.listen = config.listen();
        if (config.has_path()) options.path = config.path();
        absl::StatusOr<std::unique_ptr<PrometheusMetrics>> metrics =
            PrometheusMetrics::Create(std::move(options));
        if (!metrics.ok()) return metrics.status();
        return *std::move(metrics);
      });
}

}  // namespace gearman
