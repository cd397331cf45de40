// Config: client and worker options from a file, the environment and code.
//
//   absl::StatusOr<gearman::Config> config =
//       gearman::Config::FromFile("/etc/jobs.textproto");
//   absl::Status status = config->OverlayEnvironment();  // GEARMAN_SERVERS
//   absl::StatusOr<std::unique_ptr<gearman::Client>> client =
//       gearman::CreateClient(*config);
//
// The message is GearmanConfig (sdk/config.proto). It can be written as text
// format, as JSON or in code, with the same meaning. A later config is laid
// over an earlier one: each field that it sets replaces the earlier value, and
// a list replaces the whole list.

#ifndef GEARMAN_SDK_CONFIG_H_
#define GEARMAN_SDK_CONFIG_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/base/callback.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {

// To create one of these, include sdk/client.h, sdk/worker.h,
// sdk/embedded/job_server.h or sdk/queue_metrics.h.
class BackoffPolicy;
class Client;
class DataEncoder;
class JobServer;
class QueueMetrics;
class Worker;
struct JobServerOptions;
struct QueueMetricsOptions;

// The message is in sdk/config.pb.h, and the registry in sdk/plugin_registry.h:
// include them to use more than their names.
namespace config {
class GearmanConfig;
}  // namespace config
class PluginRegistry;

namespace internal {
struct ConfigContent;
}  // namespace internal

// Returns PluginRegistry::Default().
PluginRegistry& DefaultPluginRegistry();

// Returns the value of an environment variable, if it is set.
using EnvironmentLookup = Callback<std::optional<std::string>(StringView name)>;
// Looks up variables in the environment of this process.
EnvironmentLookup ProcessEnvironment();

// A mistake in a config is INVALID_ARGUMENT. The message has the file, line and
// column, the field, the bad value, and a correct value:
//   jobs.textproto:3:22: timeouts.connect: "5" is not valid: expected a
//   duration such as "500ms", "10s" or "1h30m", from 1ms to 24h
//   jobs.textproto:7:3: unknown field "retries": did you mean "retry"? Known:
//   connections, drive_mode, ...
//
// A Config is a value and may be copied. Several threads may call its const
// functions at once; the other functions need exclusive access. The free
// functions of this header are thread-safe.
class Config {
 public:
  // Makes a config with every default.
  Config();
  // Makes a config from a message. Errors call it `source`.
  explicit Config(config::GearmanConfig message,
                  StringView source = "config built in code");
  // Copy a config.
  Config(const Config& other);
  Config& operator=(const Config& other);
  // Move a config. The one that was moved from may only be assigned or
  // destroyed.
  Config(Config&& other) noexcept;
  Config& operator=(Config&& other) noexcept;
  ~Config();

  // Read Protobuf's text format, and JSON (with names as in the .proto file or
  // in lowerCamelCase). The text may begin with the byte order mark of UTF-8.
  // UTF-16 and UTF-32 are refused. Errors call the text `source`.
  //
  // The functions load the plugin libraries that the config names and register
  // their plugins with `registry`. They also search `registry` for a name
  // similar to that of an unknown plugin. A config must be trusted as much as
  // the program itself. Returns INVALID_ARGUMENT and the errors of
  // LoadPluginLibrary (sdk/plugin_loader.h).
  static absl::StatusOr<Config> FromText(
      StringView text, StringView source = "config",
      PluginRegistry& registry = DefaultPluginRegistry());
  static absl::StatusOr<Config> FromJson(
      StringView text, StringView source = "config",
      PluginRegistry& registry = DefaultPluginRegistry());
  // Reads a file: .json is JSON; .textproto, .txtpb and .pbtxt are text format.
  // Returns NOT_FOUND or PERMISSION_DENIED if the file can't be read, and
  // INVALID_ARGUMENT if it can't be read for another reason, if its name ends
  // otherwise or if it is larger than 16 MiB.
  static absl::StatusOr<Config> FromFile(
      const std::string& path,
      PluginRegistry& registry = DefaultPluginRegistry());
  // Reads the config file of another program, for tools that need its servers
  // and TLS. Leaves out plugins that `registry` does not have and plugin
  // libraries that can't be loaded; `left_out` gets one text for each, with its
  // place in the file. Every other mistake is an error as above.
  static absl::StatusOr<Config> FromFileOfAnotherProgram(
      const std::string& path, std::vector<std::string>* left_out,
      PluginRegistry& registry = DefaultPluginRegistry());

  // Lays the environment over this config. GEARMAN_SERVERS is a list of
  // addresses separated by commas, as libgearman reads it
  // ("a:4730,b,tcp://[::1]:4730"). An empty variable counts as unset.
  absl::Status OverlayEnvironment(
      const EnvironmentLookup& environment = ProcessEnvironment());
  // Lays each field that is set in `message` over this config.
  void Overlay(const config::GearmanConfig& message,
               StringView source = "code");

  // The message of this config. It is valid while the config is unchanged.
  const config::GearmanConfig& message() const;
  // Return this config as a text that FromText or FromJson reads.
  std::string ToText() const;
  absl::StatusOr<std::string> ToJson() const;

  // Checks every value. (Only the functions below find out whether the plugins
  // can be made.)
  absl::Status Validate() const;

  // Returns the logger of level `log_level`, or DefaultLogger if that is unset.
  // The options below contain this logger.
  Logger MakeLogger() const;

  // Return options with a default for every unset field, plugins made by
  // `registry`, and the transports of `registry`. Each call makes new plugins:
  // to share a metrics sink between clients and workers, copy it from one's
  // options to the other's. (Sinks of type "prometheus" with the same address
  // to listen on share it anyway.) Returns INVALID_ARGUMENT for a bad value,
  // for an address scheme or plugin that is not linked, and for a TLS file that
  // can't be used. Every other error is that of a plugin's factory.
  absl::StatusOr<ClientOptions> ToClientOptions(
      const PluginRegistry& registry = DefaultPluginRegistry()) const;
  absl::StatusOr<WorkerOptions> ToWorkerOptions(
      const PluginRegistry& registry = DefaultPluginRegistry()) const;
  absl::StatusOr<JobServerOptions> ToJobServerOptions(
      const PluginRegistry& registry = DefaultPluginRegistry()) const;
  absl::StatusOr<QueueMetricsOptions> ToQueueMetricsOptions(
      const PluginRegistry& registry = DefaultPluginRegistry()) const;
  // Returns the encoder that `data_encoders` names, for the options of typed
  // jobs (sdk/typed_jobs.h). The encoder is null if the config names none. The
  // errors are those above.
  absl::StatusOr<std::shared_ptr<const DataEncoder>> ToDataEncoder(
      const PluginRegistry& registry = DefaultPluginRegistry()) const;
  // Returns the policy that `job_retry.backoff` names, for the retries of
  // failed jobs: JobRetryPolicyFromConfig (sdk/job_retry_config.h) makes the
  // whole policy. The result is null if the config names none. The errors are
  // those above.
  absl::StatusOr<std::shared_ptr<BackoffPolicy>> ToJobRetryBackoff(
      const PluginRegistry& registry = DefaultPluginRegistry()) const;

 private:
  // If `left_out` is null, a plugin that this program does not have is an
  // error.
  static absl::StatusOr<Config> Read(StringView bytes, bool json,
                                     StringView source,
                                     std::vector<std::string>* left_out,
                                     PluginRegistry& registry);
  static absl::StatusOr<Config> ReadFile(const std::string& path,
                                         std::vector<std::string>* left_out,
                                         PluginRegistry& registry);

  std::unique_ptr<internal::ConfigContent> content_;
};

// Like Config::ToClientOptions and Config::ToWorkerOptions, for a message.
absl::StatusOr<ClientOptions> ClientOptionsFromConfig(
    const config::GearmanConfig& message,
    const PluginRegistry& registry = DefaultPluginRegistry());
absl::StatusOr<WorkerOptions> WorkerOptionsFromConfig(
    const config::GearmanConfig& message,
    const PluginRegistry& registry = DefaultPluginRegistry());

// Create a client or worker from a config: its options, given to Client::Create
// or Worker::Create. Errors: those of Config's functions above, and of Create.
absl::StatusOr<std::unique_ptr<Client>> CreateClient(
    const Config& config,
    const PluginRegistry& registry = DefaultPluginRegistry());
absl::StatusOr<std::unique_ptr<Worker>> CreateWorker(
    const Config& config,
    const PluginRegistry& registry = DefaultPluginRegistry());

// Creates a job server that listens where the config says. Without a listen
// address it listens on "inproc://default", where clients and workers without
// servers look for it. Errors: those of Config's functions, of
// JobServer::Create and of JobServer::Listen.
absl::StatusOr<std::unique_ptr<JobServer>> CreateJobServer(
    const Config& config,
    const PluginRegistry& registry = DefaultPluginRegistry());

// Starts what the field `queue_metrics` of the config describes. Returns null
// if that field is unset. Errors: those of Config's functions and of
// QueueMetrics::Create.
absl::StatusOr<std::unique_ptr<QueueMetrics>> CreateQueueMetrics(
    const Config& config,
    const PluginRegistry& registry = DefaultPluginRegistry());

}  // namespace gearman

#endif  // GEARMAN_SDK_CONFIG_H_
