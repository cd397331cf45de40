// The servers of a client or worker, from what the user wrote.
#ifndef GEARMAN_SDK_INTERNAL_SERVER_LIST_H_
#define GEARMAN_SDK_INTERNAL_SERVER_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/address.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

// Parses `texts`; none means the embedded job server of this process,
// "inproc://default". `options` names the options' type in errors.
// INVALID_ARGUMENT: an address that makes no sense or is given twice;
// NOT_FOUND: a scheme that `transports` doesn't have; else as the transport's
// Check says (a file of TLS that can't be used: INVALID_ARGUMENT).
absl::StatusOr<std::vector<Address>> ParseServers(
    const std::vector<std::string>& texts, absl::string_view options,
    const TransportRegistry& transports);

// Says in the log, as a warning, that nobody has named a server and that the
// embedded one is used.
void LogEmbeddedServer(const Logger& logger);

// Parses one more. Errors as above.
absl::StatusOr<Address> ParseServer(absl::string_view text,
                                    const TransportRegistry& transports);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_SERVER_LIST_H_
