#include "gearman/sdk/internal/config/tls.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gearman/transports/tls/tls_context.h"

namespace gearman {
namespace internal {
namespace {

TlsIdentity FromConfig(const config::TlsIdentity& config) {
  TlsIdentity identity;
  identity.certificate_file = config.certificate_file();
  identity.key_file = config.key_file();
  identity.passphrase_variable = config.passphrase_variable();
  return identity;
}

TlsVersion FromConfig(config::TlsVersion::Value version) {
  return version == config::TlsVersion::TLS_1_3 ? TlsVersion::kTls13
                                                : TlsVersion::kTls12;
}

}  // namespace

TlsOptions ClientTls(const config::Tls& tls) {
  TlsOptions options;
  options.ca_file = tls.ca_file();
  options.ca_folder = tls.ca_folder();
  options.ca_pem = tls.ca_pem();
  options.identity = FromConfig(tls.identity());
  options.server_name = tls.server_name();
  options.min_version = FromConfig(tls.min_version());
  options.dangerously_skip_verification = tls.dangerously_skip_verification();
  return options;
}

TlsServerOptions ServerTls(const config::TlsListen& tls) {
  TlsServerOptions options;
  options.identity = FromConfig(tls.identity());
  options.client_ca_file = tls.client_ca_file();
  options.client_ca_pem = tls.client_ca_pem();
  options.min_version = FromConfig(tls.min_version());
  return options;
}

absl::Status PlaceTlsError(const absl::Status& status, absl::string_view path,
                           const Places& places) {
  if (status.ok()) return status;
  const absl::optional<absl::Cord> option =
      status.GetPayload(kTlsOptionPayload);
  const std::string place = option.has_value()
                                ? ChildPath(path, std::string(*option))
                                : std::string(path);
  return absl::Status(status.code(),
                      absl::StrCat(places.Describe(place), ": ", place, ": ",
                                   status.message()));
}

absl::StatusOr<std::shared_ptr<TransportRegistry>> WithFactories(
    const std::shared_ptr<TransportRegistry>& base,
    const std::map<std::string, std::shared_ptr<TransportFactory>>& factories) {
  auto transports = std::make_shared<TransportRegistry>();
  absl::Status status;
  for (const auto& [scheme, factory] : factories) {
    status.Update(transports->Register(scheme, factory));
  }
  for (const std::string& scheme : base->schemes()) {
    if (factories.count(scheme) > 0) continue;
    absl::StatusOr<std::shared_ptr<TransportFactory>> factory =
        base->Find(scheme);
    status.Update(factory.ok() ? transports->Register(scheme, *factory)
                               : factory.status());
  }
  if (!status.ok()) return status;
  return transports;
}

}  // namespace internal
}  // namespace gearman
