#include "gearman/plugins/metrics/metrics_plugins.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/log_metrics.h"
#include "gearman/plugins/metrics/metrics.pb.h"

namespace gearman {

absl::Status RegisterMetricsPlugins(Registry<MetricsSink>* registry) {
  absl::Status status = registry->Register<config::InMemoryMetrics>(
      "in_memory", [](const config::InMemoryMetrics&) {
        return std::make_unique<InMemoryMetrics>();
      });
  status.Update(registry->Register<config::LogMetrics>(
      "log",
      [](const config::LogMetrics& config)
          -> absl::StatusOr<std::unique_ptr<MetricsSink>> {
        LogMetricsOptions options;
        options.with_zeros = config.with_zeros();
        if (config.has_interval() &&
            (!absl::ParseDuration(config.interval(), &options.interval) ||
             options.interval < absl::Milliseconds(1) ||
             options.interval > absl::Hours(1))) {
          return FieldError("interval",
                            absl::StrCat("\"", config.interval(), "\""),
                            "expected a duration such as \"30s\", from 1ms to "
                            "1h");
        }
        return std::make_unique<LogMetrics>(std::move(options));
      }));
  return status;
}

}  // namespace gearman
