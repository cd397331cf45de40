// Registers the Prometheus sink as a plugin. This is a separate file so that a
// program that does not use the sink links no HTTP server.
#ifndef GEARMAN_PLUGINS_METRICS_PROMETHEUS_PLUGIN_H_
#define GEARMAN_PLUGINS_METRICS_PROMETHEUS_PLUGIN_H_

#include "absl/status/status.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/registry.h"

namespace gearman {

// Registers `prometheus`. Returns ALREADY_EXISTS if it is registered.
// (//sdk:prometheus does this with PluginRegistry::Default().)
absl::Status RegisterPrometheusPlugin(Registry<MetricsSink>* registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_METRICS_PROMETHEUS_PLUGIN_H_
