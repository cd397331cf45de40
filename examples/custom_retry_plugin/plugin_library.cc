// The shared object. A program has the plugin if its config names this library.
#include "gearman/sdk/plugin_library.h"

#include "absl/status/status.h"
#include "gearman/sdk/plugin_registry.h"
#include "transient_error_retry.h"
#include "transient_error_retry.pb.h"

namespace {

absl::Status RegisterPlugins(gearman::PluginRegistry& registry) {
  return registry.retry_policies().Register<acme::TransientErrorRetryConfig>(
      "transient_error", acme::MakeTransientErrorRetry);
}

}  // namespace

GEARMAN_PLUGIN_LIBRARY(RegisterPlugins)
