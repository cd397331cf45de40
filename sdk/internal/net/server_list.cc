#include "gearman/sdk/internal/net/server_list.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace internal {
namespace {

constexpr char kDefaultServer[] = "inproc://default";

}  // namespace

absl::StatusOr<Address> ParseServer(absl::string_view text,
                                    const TransportRegistry& transports) {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return address.status();
  absl::StatusOr<std::shared_ptr<TransportFactory>> factory =
      transports.Find(address->scheme);
  if (!factory.ok()) return factory.status();
  absl::Status status = (*factory)->Check(*address);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat(address->ToString(), ": ",
                                                    status.message()));
  }
  return address;
}

absl::StatusOr<std::vector<Address>> ParseServers(
    const std::vector<std::string>& texts, absl::string_view options,
    const TransportRegistry& transports) {
  if (texts.size() > kMaxServers) {
    return absl::InvalidArgumentError(
        absl::StrCat(options, "::servers: ", texts.size(), " of them; at most ",
                     kMaxServers, " can be"));
  }
  std::vector<Address> servers;
  std::set<std::string> seen;
  const std::vector<std::string> fallback = {kDefaultServer};
  for (const std::string& text : texts.empty() ? fallback : texts) {
    absl::StatusOr<Address> address = ParseServer(text, transports);
    if (!address.ok()) return address.status();
    if (!seen.insert(address->ToString()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("server ", address->ToString(), " is given twice in ",
                       options, "::servers"));
    }
    servers.push_back(*std::move(address));
  }
  return servers;
}

void LogEmbeddedServer(const Logger& logger) {
  logger.Log(LogLevel::kWarning,
             "no server is named: the embedded job server of this process is "
             "used (",
             kDefaultServer,
             "), which no other process sees; name "
             "servers in the options or the config, or name ",
             kDefaultServer);
}

}  // namespace internal
}  // namespace gearman
