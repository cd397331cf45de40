// Connect: what the flags --server, --config and --timeout make of options.
#ifndef GEARMAN_TOOLS_GEARCTL_CONNECT_H_
#define GEARMAN_TOOLS_GEARCTL_CONNECT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace gearctl {

// The config of --config, with the servers of the environment where it names
// none. What gearctl does not have (metrics sinks, plugins) is left out, and
// told in one line on standard error. Errors: as Config's.
absl::StatusOr<Config> MakeConfig();

// Options with the servers of --server, else --config, else GEARMAN_SERVERS,
// else GEARMAN_SERVER, else localhost. Errors: as Config's.
absl::StatusOr<ClientOptions> MakeClientOptions();
absl::StatusOr<WorkerOptions> MakeWorkerOptions();
// The largest payload of a job: the config's max_packet_bytes, else the SDK's
// default. Workers with default options take no more. Errors: those of Config.
absl::StatusOr<size_t> MaxPayloadBytes();
// A client of them. Errors: as above, and Client::Create's.
absl::StatusOr<std::unique_ptr<Client>> MakeClient();
// One for each of those servers. Errors: as above, and AdminClient::Create's.
absl::StatusOr<std::vector<std::unique_ptr<AdminClient>>> MakeAdminClients();
// One for this server. Errors: the same.
absl::StatusOr<std::unique_ptr<AdminClient>> MakeAdminClient(
    const std::string& server);

// --timeout, or what is usual for a question: 10 s.
absl::Duration QuestionTimeout();

// What Create says of an address that no transport has is a mistake of the
// command line: INVALID_ARGUMENT.
absl::Status AddressError(const absl::Status& status);

// `status` with the server's name before its message, unless it has it.
absl::Status NamingServer(const absl::Status& status,
                          const std::string& server);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_CONNECT_H_
