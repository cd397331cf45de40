// Config: client and worker options from a file, the environment and code.
//
//   absl::StatusOr<gearman::Config> config =
//       gearman::Config::FromFile("/etc/jobs.textproto");
//   absl::Status status = config->OverlayEnvironment();  // GEARMAN_SERVERS
//   absl::StatusOr<std::unique_ptr<gearman::Client>> client =
//       gearman::CreateClient(*config);
//
// The message is GearmanConfig (sdk/config.proto). Three ways lead to it and
// mean the same: text format, JSON, code. Later ones are laid over earlier
// ones: what they set replaces, lists as a whole.
//
// A mistake is INVALID_ARGUMENT and names the file, line and column, the field,
// the bad value, and what would be right:
//   jobs.textproto:3:22: timeouts.connect: "5" is not valid: expected a
//   duration such as "500ms", "10s" or "1h30m", from 1ms to 24h
//   jobs.textproto:7:3: unknown field "retries": did you mean "retry"? Known:
//   connections, drive_mode, ...
//
// A Config is a value: copy it freely. Its const functions may be called by
// many threads at once, the others by one. The functions beside it are
// thread-safe.

#ifndef GEARMAN_SDK_CONFIG_H_
#define GEARMAN_SDK_CONFIG_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {

// Include sdk/client.h, sdk/worker.h or sdk/embedded/job_server.h to create
// one.
class Client;
class JobServer;
class Worker;
struct JobServerOptions;

// The value of an environment variable, if it is set.
using EnvironmentLookup =
    std::function<std::optional<std::string>(absl::string_view name)>;
// This process's environment.
EnvironmentLookup ProcessEnvironment();

class Config {
 public:
  // Nothing set: every default.
  Config() : Config(config::GearmanConfig()) {}
  // Built in code. `source` is what errors call it.
  explicit Config(config::GearmanConfig message,
                  absl::string_view source = "config built in code");

  // From Protobuf's text format, and from JSON (with names as in the .proto
  // file or in lowerCamelCase). `source` is what errors call the text.
  // `registry` gets what the plugin libraries hold that the config names, and
  // is asked what an unknown plugin might have meant. Beside INVALID_ARGUMENT
  // the errors are LoadPluginLibrary's (sdk/plugin_loader.h): a config is to
  // be trusted as much as the program itself.
  static absl::StatusOr<Config> FromText(
      absl::string_view text, absl::string_view source = "config",
      PluginRegistry& registry = PluginRegistry::Default());
  static absl::StatusOr<Config> FromJson(
      absl::string_view text, absl::string_view source = "config",
      PluginRegistry& registry = PluginRegistry::Default());
  // The text may begin with the byte order mark of UTF-8. UTF-16 and UTF-32 are
  // refused.
  //
  // From a file: .json is JSON; .textproto, .txtpb and .pbtxt are text format.
  // NOT_FOUND, PERMISSION_DENIED: it can't be read; INVALID_ARGUMENT: another
  // ending, or larger than 16 MiB.
  static absl::StatusOr<Config> FromFile(
      const std::string& path,
      PluginRegistry& registry = PluginRegistry::Default());
  // From the file of another program, for tools that need its servers and TLS:
  // plugins that `registry` does not have, and plugin libraries that can't be
  // loaded, are left out. `left_out` gets one text for each, with its place.
  // Every other mistake is an error as above.
  static absl::StatusOr<Config> FromFileOfAnotherProgram(
      const std::string& path, std::vector<std::string>* left_out,
      PluginRegistry& registry = PluginRegistry::Default());

  // Lays the environment over it: GEARMAN_SERVERS, a list of addresses
  // separated by commas, as libgearman has it ("a:4730,b,tcp://[::1]:4730");
  // empty counts as unset.
  absl::Status OverlayEnvironment(
      const EnvironmentLookup& environment = ProcessEnvironment());
  // Lays what is set in `message` over it.
  void Overlay(const config::GearmanConfig& message,
               absl::string_view source = "code");

  const config::GearmanConfig& message() const { return message_; }
  // The same config as a text that FromText and FromJson read.
  std::string ToText() const;
  absl::StatusOr<std::string> ToJson() const;

  // Whether every value is allowed. (That plugins can be made of it, the
  // functions below tell.)
  absl::Status Validate() const;

  // The logger that `log_level` asks for, or DefaultLogger. The options below
  // have it.
  Logger MakeLogger() const;

  // Options with every default that is not set here, plugins made by
  // `registry`, and its transports. Each call makes plugins of their own: to
  // share a metrics sink between clients and workers, copy it from one's
  // options to the others'. (Sinks "prometheus" with one address to listen on
  // share it by themselves.) INVALID_ARGUMENT: a bad value, an address scheme
  // or a plugin that is not linked, a file of TLS that can't be used; else as a
  // plugin's factory says.
  absl::StatusOr<ClientOptions> ToClientOptions(
      const PluginRegistry& registry = PluginRegistry::Default()) const;
  absl::StatusOr<WorkerOptions> ToWorkerOptions(
      const PluginRegistry& registry = PluginRegistry::Default()) const;
  absl::StatusOr<JobServerOptions> ToJobServerOptions(
      const PluginRegistry& registry = PluginRegistry::Default()) const;

 private:
  // Null `left_out`: what this program does not have is an error.
  static absl::StatusOr<Config> Read(absl::string_view bytes, bool json,
                                     absl::string_view source,
                                     std::vector<std::string>* left_out,
                                     PluginRegistry& registry);
  static absl::StatusOr<Config> ReadFile(const std::string& path,
                                         std::vector<std::string>* left_out,
                                         PluginRegistry& registry);

  config::GearmanConfig message_;
  internal::Places places_;
};

// The same for a message.
absl::StatusOr<ClientOptions> ClientOptionsFromConfig(
    const config::GearmanConfig& message,
    const PluginRegistry& registry = PluginRegistry::Default());
absl::StatusOr<WorkerOptions> WorkerOptionsFromConfig(
    const config::GearmanConfig& message,
    const PluginRegistry& registry = PluginRegistry::Default());

// A client or worker of a config, or of options, whose transports are those of
// the program's builtins unless set. Errors as Config's functions above and
// Client::Create and Worker::Create.
absl::StatusOr<std::unique_ptr<Client>> CreateClient(
    const Config& config,
    const PluginRegistry& registry = PluginRegistry::Default());
absl::StatusOr<std::unique_ptr<Client>> CreateClient(ClientOptions options);
absl::StatusOr<std::unique_ptr<Worker>> CreateWorker(
    const Config& config,
    const PluginRegistry& registry = PluginRegistry::Default());
absl::StatusOr<std::unique_ptr<Worker>> CreateWorker(WorkerOptions options);

// A job server that listens where the config says, or else on
// "inproc://default", where clients and workers without servers look for it.
// Errors as Config's, JobServer::Create and JobServer::Listen.
absl::StatusOr<std::unique_ptr<JobServer>> CreateJobServer(
    const Config& config,
    const PluginRegistry& registry = PluginRegistry::Default());

}  // namespace gearman

#endif  // GEARMAN_SDK_CONFIG_H_
