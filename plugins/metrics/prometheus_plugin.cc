#include "gearman/plugins/metrics/prometheus_plugin.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/field_error.h"
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
        if (!absl::StartsWith(options.path, "/")) {
          return FieldError("path", absl::StrCat("\"", options.path, "\""),
                            "expected a path that begins with a slash");
        }
        absl::StatusOr<std::unique_ptr<PrometheusMetrics>> metrics =
            PrometheusMetrics::Create(std::move(options));
        if (!metrics.ok()) return metrics.status();
        return *std::move(metrics);
      });
}

}  // namespace gearman
