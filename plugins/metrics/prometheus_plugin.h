// The Prometheus sink as a plugin, in a file of its own: who doesn't use it
// links no HTTP server.
#ifndef GEARMAN_PLUGINS_METRICS_PROMETHEUS_PLUGIN_H_
#define GEARMAN_PLUGINS_METRICS_PROMETHEUS_PLUGIN_H_

#include "absl/status/status.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/registry.h"

namespace gearman {

// Registers `prometheus`. ALREADY_EXISTS when it is. (//sdk:prometheus does so
// with PluginRegistry::Default().)
absl::Status RegisterPrometheusPlugin(Registry<MetricsSink>* registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_PROMETHEUS_PLUGIN_H_
