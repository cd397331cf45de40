// Makes options from the flags --server, --config and --timeout.
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
#include "gearman/sdk/log.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace gearctl {

// Returns --timeout, or the default for a question, which is 10 s. Infinite:
// --timeout is inf.
absl::Duration QuestionTimeout();

// Returns the config of --config. If it names no servers, those of the
// environment are used. Parts that gearctl does not have (metrics sinks,
// encoders, plugins of others) are left out, which one line on standard error
// says. Errors are those of Config.
absl::StatusOr<Config> MakeConfig();

// Return options with the servers of --server, else --config, else
// GEARMAN_SERVERS, else GEARMAN_SERVER, else localhost. With --unique, and
// without a selection of the config, a client takes the server by task and
// unique. Errors are those of Config.
absl::StatusOr<ClientOptions> MakeClientOptions();
absl::StatusOr<WorkerOptions> MakeWorkerOptions();
// Returns options with these servers, and with the intervals and limits of
// --config, but without its metrics sinks. --timeout replaces the time for one
// server. INVALID_ARGUMENT: --timeout is inf. Other errors are those of Config.
absl::StatusOr<QueueMetricsOptions> MakeQueueMetricsOptions();
// Returns a logger that writes messages of this level to standard error, and
// with --verbose those of connections, too.
Logger MakeLogger(LogLevel loudness);
// Returns the largest payload of a job: the config's max_packet_bytes, else the
// SDK's default, which is also the limit of workers with default options.
// Errors are those of Config.
absl::StatusOr<size_t> MaxPayloadBytes();
// Makes a client of these options. Errors are those of MakeClientOptions and
// Client::Create.
absl::StatusOr<std::unique_ptr<Client>> MakeClient();
// Makes a client that waits for an answer for QuestionTimeout, even if its
// options call a server dead before. Errors are those of MakeClient.
absl::StatusOr<std::unique_ptr<Client>> MakeAskingClient();
// Makes an admin client for each of these servers. Errors are those of
// MakeClientOptions and AdminClient::Create. A question has `timeout`.
absl::StatusOr<std::vector<std::unique_ptr<AdminClient>>> MakeAdminClients(
    absl::Duration timeout = QuestionTimeout());
// Makes an admin client for this server. Errors are the same.
absl::StatusOr<std::unique_ptr<AdminClient>> MakeAdminClient(
    const std::string& server);

// Turns an error of Create for an address without a transport into
// INVALID_ARGUMENT, because the command line is wrong.
absl::Status AddressError(const absl::Status& status);

// Puts the server's name before the message of `status`, unless it is there.
absl::Status NamingServer(const absl::Status& status,
                          const std::string& server);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_CONNECT_H_
