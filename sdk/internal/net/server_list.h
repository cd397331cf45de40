// Parses the servers of a client or worker from the user's options.
#ifndef GEARMAN_SDK_INTERNAL_NET_SERVER_LIST_H_
#define GEARMAN_SDK_INTERNAL_NET_SERVER_LIST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/address.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

// The most servers of one client or worker at one time, removed ones not
// counted.
inline constexpr size_t kMaxServers = 1 << 16;

// Parses `texts`. An empty list means the embedded job server of this process,
// "inproc://default". `options` is the name of the options type, for errors.
// INVALID_ARGUMENT: an address can't be parsed or is given twice, or there are
// more than kMaxServers. NOT_FOUND:
// `transports` does not have the scheme. An error of TransportFactory::Check is
// returned, too (INVALID_ARGUMENT: a TLS file can't be used).
absl::StatusOr<std::vector<Address>> ParseServers(
    const std::vector<std::string>& texts, absl::string_view options,
    const TransportRegistry& transports);

// Logs a warning that no server is named and that the embedded server is used.
void LogEmbeddedServer(const Logger& logger);

// Parses one address. Its errors are those of ParseServers, except for an
// address that is given twice.
absl::StatusOr<Address> ParseServer(absl::string_view text,
                                    const TransportRegistry& transports);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_SERVER_LIST_H_
