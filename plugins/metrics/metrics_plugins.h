// Registers the metrics sinks that come with the SDK as plugins.
#ifndef GEARMAN_PLUGINS_METRICS_METRICS_PLUGINS_H_
#define GEARMAN_PLUGINS_METRICS_METRICS_PLUGINS_H_

#include "absl/status/status.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/registry.h"

namespace gearman {

// Registers `in_memory`, `log` and `statsd`. Returns ALREADY_EXISTS if one of
// them is registered. (prometheus_plugin.h registers `prometheus`.)
absl::Status RegisterMetricsPlugins(Registry<MetricsSink>* registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_METRICS_PLUGINS_H_
