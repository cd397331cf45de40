// A program that links this file has the metrics sink "prometheus".
#include "gearman/plugins/metrics/prometheus_plugin.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {
namespace {

const internal::PluginRegistration registration([](PluginRegistry& registry) {
  return RegisterPrometheusPlugin(&registry.metrics_sinks());
});

}  // namespace

// A linker that is told to look for this name takes this file out of a static
// library (cmake/Library.cmake).
extern "C" const char gearman_sdk_prometheus;
const char gearman_sdk_prometheus = 0;

}  // namespace gearman
