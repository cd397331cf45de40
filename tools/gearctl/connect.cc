#include "gearman/tools/gearctl/connect.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/retry/retry_plugins.h"
#include "gearman/plugins/server_selection/server_selection_plugins.h"
#include "gearman/plugins/server_selection/unique_hash_selector.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/text.h"
#include "gearman/tools/gearctl/write_all.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace gearctl {
namespace {

// The limit of the protocol, because a tool must accept what its servers send.
constexpr size_t kMostPacketBytes = 0xffffffff;

// The plugins that gearctl has: those of the SDK, but no metrics sink. A config
// is usually another program's. gearctl would add to the metrics of that
// program, and would fail where they can't be sent.
PluginRegistry& Plugins() {
  static PluginRegistry& plugins = *[] {
    auto* const made = new PluginRegistry(TransportRegistry::Default());
    made->NoteRegistration(RegisterRetryPlugins(&made->retry_policies()));
    made->NoteRegistration(RegisterBackoffPlugins(&made->backoff_policies()));
    made->NoteRegistration(
        RegisterIdempotencyPlugins(&made->idempotency_policies()));
    made->NoteRegistration(
        RegisterServerSelectionPlugins(&made->server_selectors()));
    return made;
  }();
  return plugins;
}

// Replaces the servers of a config by those of --server.
void CompleteServers(std::vector<std::string>& servers) {
  const std::vector<std::string> given = absl::GetFlag(FLAGS_server);
  if (!given.empty()) servers = given;
  if (servers.empty()) servers = {"localhost"};
}

// Sets the options that client and worker share.
template <typename Options>
void Complete(const Config& config, LogLevel loudness, Options& options) {
  if (!config.message().limits().has_max_packet_bytes()) {
    options.limits.max_packet_bytes = kMostPacketBytes;
  }
  CompleteServers(options.servers);
  options.logger = MakeLogger(loudness);
  options.metrics_sinks.clear();  // those of plugin libraries
}

// Takes the servers of GEARMAN_SERVER, the variable that the gearman tool
// reads. (libgearman reads GEARMAN_SERVERS.)
absl::Status OverlayGearmansVariable(Config& config) {
  const char* const value = std::getenv("GEARMAN_SERVER");
  if (value == nullptr) return absl::OkStatus();
  config::GearmanConfig servers;
  for (absl::string_view server : absl::StrSplit(value, ',')) {
    server = absl::StripAsciiWhitespace(server);
    if (!server.empty()) servers.add_servers(std::string(server));
  }
  config.Overlay(servers, "environment variable GEARMAN_SERVER");
  return config.Validate();
}

// Prints one line, however often the config is read.
void TellLeftOut(const std::vector<std::string>& left_out) {
  static std::atomic<bool> told{false};
  if (left_out.empty() || told.exchange(true)) return;
  PrintError(absl::StrCat("gearctl: ignores what it does not have: ",
                          Printable(absl::StrJoin(left_out, ", ")), "\n"));
}

// Returns --timeout. Zero: it was not given.
absl::Duration GivenTimeout() {
  return absl::GetFlag(FLAGS_timeout).duration();
}

absl::StatusOr<std::unique_ptr<Client>> MakeClientOf(
    absl::StatusOr<ClientOptions> options) {
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(*std::move(options));
  if (!client.ok()) return AddressError(client.status());
  return client;
}

AdminClientOptions MakeAdminOptions(const ClientOptions& options,
                                    const std::string& server,
                                    absl::Duration timeout) {
  AdminClientOptions admin;
  admin.server = server;
  admin.timeout = timeout;
  admin.transports = options.transports;
  return admin;
}

}  // namespace

absl::StatusOr<Config> MakeConfig() {
  absl::StatusOr<Config> config = Config();
  if (const std::string file = absl::GetFlag(FLAGS_config); !file.empty()) {
    // The config is usually another program's. Its other parts must not stop
    // gearctl.
    std::vector<std::string> left_out;
    config = Config::FromFileOfAnotherProgram(file, &left_out, Plugins());
    if (!config.ok()) return config;
    TellLeftOut(left_out);
    // A config that was named on the command line precedes the environment.
    if (!config->message().servers().empty()) return config;
  }
  absl::Status status = config->OverlayEnvironment();
  if (status.ok() && config->message().servers().empty()) {
    status = OverlayGearmansVariable(*config);
  }
  if (!status.ok()) return status;
  return config;
}

absl::StatusOr<ClientOptions> MakeClientOptions() {
  absl::StatusOr<Config> config = MakeConfig();
  if (!config.ok()) return config.status();
  absl::StatusOr<ClientOptions> options = config->ToClientOptions(Plugins());
  if (!options.ok()) return options;
  // Requests and answers report their own failures.
  Complete(*config, LogLevel::kError, *options);
  // The config may be that of a program whose own calls do the network I/O.
  options->drive_mode = DriveMode::kAuto;
  // A program may have no time to wait for room. gearctl has nothing else to
  // do.
  options->limits.when_full = WhenFull::kBlock;
  // Servers join equal uniques only where they meet.
  if (!absl::GetFlag(FLAGS_unique).empty() &&
      options->server_selector == nullptr) {
    options->server_selector = std::make_shared<UniqueHashServerSelector>();
  }
  if (const absl::Duration timeout = GivenTimeout();
      timeout > absl::ZeroDuration()) {
    options->timeout = timeout;
  }
  return options;
}

absl::StatusOr<WorkerOptions> MakeWorkerOptions() {
  absl::StatusOr<Config> config = MakeConfig();
  if (!config.ok()) return config.status();
  absl::StatusOr<WorkerOptions> options = config->ToWorkerOptions(Plugins());
  // A worker has no other way to say that it can't reach a server.
  if (options.ok()) Complete(*config, LogLevel::kWarning, *options);
  return options;
}

absl::StatusOr<QueueMetricsOptions> MakeQueueMetricsOptions() {
  absl::StatusOr<Config> config = MakeConfig();
  if (!config.ok()) return config.status();
  absl::StatusOr<QueueMetricsOptions> options =
      config->ToQueueMetricsOptions(Plugins());
  if (!options.ok()) return options;
  CompleteServers(options->servers);
  options->metrics_sinks.clear();
  // A server that can't be asked is told of nowhere else.
  options->logger = MakeLogger(LogLevel::kWarning);
  const absl::Duration timeout = GivenTimeout();
  if (timeout == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        "--timeout inf: a server that never answers would hold up the metrics "
        "of all others; give the time that one server has to answer, such as "
        "2s");
  }
  if (timeout > absl::ZeroDuration()) options->timeout = timeout;
  return options;
}

Logger MakeLogger(LogLevel loudness) {
  return Logger(absl::GetFlag(FLAGS_verbose) ? LogLevel::kInfo : loudness,
                [](LogLevel level, StringView message) {
                  PrintError(absl::StrCat("gearman ", LogLevelName(level), ": ",
                                          message, "\n"));
                });
}

absl::StatusOr<size_t> MaxPayloadBytes() {
  absl::StatusOr<Config> config = MakeConfig();
  if (!config.ok()) return config.status();
  const absl::StatusOr<ClientOptions> options =
      config->ToClientOptions(Plugins());
  if (!options.ok()) return options.status();
  return options->limits.max_packet_bytes;
}

absl::StatusOr<std::unique_ptr<Client>> MakeClient() {
  return MakeClientOf(MakeClientOptions());
}

absl::StatusOr<std::unique_ptr<Client>> MakeAskingClient() {
  absl::StatusOr<ClientOptions> options = MakeClientOptions();
  if (options.ok() && options->reply_timeout < QuestionTimeout()) {
    options->reply_timeout = QuestionTimeout();
  }
  return MakeClientOf(std::move(options));
}

absl::StatusOr<std::unique_ptr<AdminClient>> MakeAdminClient(
    const std::string& server) {
  absl::StatusOr<ClientOptions> options = MakeClientOptions();
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<AdminClient>> client = AdminClient::Create(
      MakeAdminOptions(*options, server, QuestionTimeout()));
  if (!client.ok()) return AddressError(client.status());
  return client;
}

absl::StatusOr<std::vector<std::unique_ptr<AdminClient>>> MakeAdminClients(
    absl::Duration timeout) {
  absl::StatusOr<ClientOptions> options = MakeClientOptions();
  if (!options.ok()) return options.status();
  std::vector<std::unique_ptr<AdminClient>> clients;
  for (const std::string& server : options->servers) {
    absl::StatusOr<std::unique_ptr<AdminClient>> client =
        AdminClient::Create(MakeAdminOptions(*options, server, timeout));
    if (!client.ok()) return AddressError(client.status());
    clients.push_back(*std::move(client));
  }
  return clients;
}

absl::Duration QuestionTimeout() {
  const absl::Duration timeout = GivenTimeout();
  return timeout == absl::ZeroDuration() ? absl::Seconds(10) : timeout;
}

absl::Status AddressError(const absl::Status& status) {
  return absl::IsNotFound(status) ? absl::InvalidArgumentError(status.message())
                                  : status;
}

absl::Status NamingServer(const absl::Status& status,
                          const std::string& server) {
  if (status.ok() || absl::StrContains(status.message(), server)) return status;
  return absl::Status(status.code(),
                      absl::StrCat(server, ": ", status.message()));
}

}  // namespace gearctl
}  // namespace gearman
