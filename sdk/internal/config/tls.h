// TLS as a config has it, for clients and for listeners. Stateless; any thread.
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

// `status` of TlsTransportFactory's CheckClient or CheckServer, for options
// that were made of the block at `path`: with the place of the value that is
// wrong.
absl::Status PlaceTlsError(const absl::Status& status, absl::string_view path,
                           const Places& places);

// A registry with these factories, by scheme, and those of `base` for the
// others. INTERNAL or as TransportRegistry::Register: `base` changed meanwhile.
absl::StatusOr<std::shared_ptr<TransportRegistry>> WithFactories(
    const std::shared_ptr<TransportRegistry>& base,
    const std::map<std::string, std::shared_ptr<TransportFactory>>& factories);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_TLS_H_
