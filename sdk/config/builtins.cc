#include "gearman/sdk/builtins.h"

#include <memory>

#include "gearman/plugins/metrics/metrics_plugins.h"
#include "gearman/plugins/retry/retry_plugins.h"
#include "gearman/plugins/server_selection/server_selection_plugins.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace {

// The library is linked whole (alwayslink), so this runs in each program that
// depends on it.
const internal::PluginRegistration kBuiltins([](PluginRegistry& registry) {
  return RegisterBuiltins(&registry);
});

}  // namespace

// A linker that is told to look for this name takes this file out of a static
// library (cmake/Library.cmake).
extern "C" const char gearman_sdk_builtins;
const char gearman_sdk_builtins = 0;

absl::Status RegisterBuiltins(PluginRegistry* registry) {
  absl::Status status;
  status.Update(RegisterRetryPlugins(&registry->retry_policies()));
  status.Update(RegisterBackoffPlugins(&registry->backoff_policies()));
  status.Update(RegisterIdempotencyPlugins(&registry->idempotency_policies()));
  status.Update(RegisterServerSelectionPlugins(&registry->server_selectors()));
  status.Update(RegisterMetricsPlugins(&registry->metrics_sinks()));
  TransportRegistry& transports = *registry->transports();
  status.Update(
      transports.Register("tcp", std::make_shared<TcpTransportFactory>()));
  status.Update(
      transports.Register("tls", std::make_shared<TlsTransportFactory>()));
  status.Update(transports.Register(
      "inproc", std::make_shared<InprocTransportFactory>()));
  return status;
}

}  // namespace gearman
