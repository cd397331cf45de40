// A program that links this file has the metrics sink "prometheus".
#include "gearman/plugins/metrics/prometheus_plugin.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {
namespace {

const internal::PluginRegistration registration([](PluginRegistry& registry) {
  return RegisterPrometheusPlugin(&registry.metrics_sinks());
});

}  // namespace
}  // namespace gearman
