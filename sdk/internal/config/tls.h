// Makes TLS options from a config, for clients and listeners. Stateless; any
// thread.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_TLS_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_TLS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

TlsOptions ClientTls(const config::Tls& tls);
TlsServerOptions ServerTls(const config::TlsListen& tls);

// Adds the place of the wrong value to `status`, which TlsTransportFactory's
// CheckClient or CheckServer has returned for options made of the block at
// `path`.
absl::Status PlaceTlsError(const absl::Status& status, absl::string_view path,
                           const Places& places);

// Returns a registry with `factories`, by scheme, and with those of `base` for
// other schemes. Errors are those of TransportRegistry::Find and Register:
// `base` was changed while this ran.
absl::StatusOr<std::shared_ptr<TransportRegistry>> WithFactories(
    const std::shared_ptr<TransportRegistry>& base,
    const std::map<std::string, std::shared_ptr<TransportFactory>>& factories);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_TLS_H_
