#include "gearman/sdk/config.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/registry.h"
#include "gearman/sdk/internal/config/overlay.h"
#include "gearman/sdk/internal/config/reader.h"
#include "gearman/sdk/internal/config/rules.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/address.h"
#include "gearman/transports/tcp/tcp_options.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace gearman {
namespace {

using config::GearmanConfig;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using internal::ChildPath;
using internal::ElementPath;
using internal::ErrorAt;
using internal::Places;

constexpr char kServersVariable[] = "GEARMAN_SERVERS";
constexpr char kTcpScheme[] = "tcp";

// Far more than a config; a device or a log given by mistake ends here.
constexpr size_t kLargestFile = 16 << 20;

internal::ReadOptions ReadOptionsFor(absl::string_view source,
                                     const PluginRegistry& registry) {
  internal::ReadOptions options;
  options.source = std::string(source);
  options.known_types = registry.config_types();
  options.expected = internal::ExpectedAt;
  return options;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    char buffer[4096];
    while (file.read(buffer, sizeof(buffer)) || file.gcount() > 0) {
      text.append(buffer, static_cast<size_t>(file.gcount()));
      if (text.size() > kLargestFile) {
        return absl::InvalidArgumentError(absl::StrCat(
            path, ": larger than ", kLargestFile, " bytes; is this a config?"));
      }
    }
    if (file.eof() && !file.bad()) return text;
  }
  const int error = errno;
  return absl::Status(
      error == EACCES   ? absl::StatusCode::kPermissionDenied
      : error == ENOENT ? absl::StatusCode::kNotFound
                        : absl::StatusCode::kInvalidArgument,
      absl::StrCat(path, ": can't be read: ",
                   error == 0 ? "unknown error" : std::strerror(error)));
}

absl::Status CheckServers(const GearmanConfig& config, const Places& places) {
  std::vector<Address> seen;
  for (int i = 0; i < config.servers_size(); ++i) {
    const std::string path = ElementPath("servers", i);
    const absl::StatusOr<Address> address = ParseAddress(config.servers(i));
    if (!address.ok()) {
      return ErrorAt(places.Describe(path), path, address.status().message());
    }
    for (const Address& other : seen) {
      if (*address == other) {
        return ErrorAt(
            places.Describe(path), path,
            absl::StrCat(address->ToString(), " is given twice; keep one"));
      }
    }
    seen.push_back(*address);
  }
  return absl::OkStatus();
}

// Makes the plugin that a family's choice (a message with one oneof) names.
template <typename Interface>
absl::StatusOr<std::shared_ptr<Interface>> MakePlugin(
    const Registry<Interface>& family, const Message& choice,
    const std::string& path, const Places& places) {
  const FieldDescriptor* const chosen =
      choice.GetReflection()->GetOneofFieldDescriptor(
          choice, choice.GetDescriptor()->oneof_decl(0));
  if (chosen == nullptr) {
    return ErrorAt(places.Describe(path), path,
                   absl::StrCat("names no ", family.family(), ": expected ",
                                absl::StrJoin(family.names(), " { } or "),
                                " { }, or plugin with a config message"));
  }
  auto made = family.Create(choice.GetReflection()->GetMessage(choice, chosen));
  if (made.ok()) return std::shared_ptr<Interface>(*std::move(made));
  std::string place = ChildPath(path, std::string(chosen->name()));
  const absl::optional<absl::Cord> field =
      made.status().GetPayload(kFieldPayload);
  if (field.has_value()) place = ChildPath(place, std::string(*field));
  return absl::Status(
      made.status().code(),
      absl::StrCat(places.Describe(place), ": ", made.status().message()));
}

// The duration of a text that has been validated.
absl::Duration Parsed(const std::string& text) {
  absl::Duration duration;
  absl::ParseDuration(text, &duration);
  return duration;
}

Priority FromConfig(config::Priority::Value value) {
  switch (value) {
    case config::Priority::LOW:
      return Priority::kLow;
    case config::Priority::HIGH:
      return Priority::kHigh;
    default:
      return Priority::kNone;
  }
}

UniqueMode FromConfig(config::UniqueMode::Value value) {
  switch (value) {
    case config::UniqueMode::PAYLOAD:
      return UniqueMode::kPayload;
    case config::UniqueMode::DASH:
      return UniqueMode::kDash;
    case config::UniqueMode::NONE:
      return UniqueMode::kNone;
    default:
      return UniqueMode::kRandom;
  }
}

WhenFull FromConfig(config::WhenFull::Value value) {
  switch (value) {
    case config::WhenFull::FAIL:
      return WhenFull::kFail;
    case config::WhenFull::DROP:
      return WhenFull::kDrop;
    default:
      return WhenFull::kBlock;
  }
}

DriveMode FromConfig(config::DriveMode::Value value) {
  return value == config::DriveMode::CALLER_ONLY ? DriveMode::kCallerOnly
                                                 : DriveMode::kAuto;
}

Logger FromConfig(config::LogLevel::Value value) {
  switch (value) {
    case config::LogLevel::ERROR:
      return StderrLogger(LogLevel::kError);
    case config::LogLevel::WARNING:
      return StderrLogger(LogLevel::kWarning);
    case config::LogLevel::INFO:
      return StderrLogger(LogLevel::kInfo);
    case config::LogLevel::DEBUG:
      return StderrLogger(LogLevel::kDebug);
    default:
      return Logger();
  }
}

void SetTimeouts(const config::Timeouts& timeouts, ClientOptions* options) {
  if (timeouts.has_connect()) {
    options->connect_timeout = Parsed(timeouts.connect());
  }
  if (timeouts.has_request()) options->timeout = Parsed(timeouts.request());
  if (timeouts.has_reply()) options->reply_timeout = Parsed(timeouts.reply());
}

TcpOptions FromConfig(const config::Tcp& tcp) {
  TcpOptions options;
  if (tcp.has_no_delay()) options.no_delay = tcp.no_delay();
  if (tcp.has_keepalive()) options.keepalive = tcp.keepalive();
  if (tcp.has_keepalive_idle()) {
    options.keepalive_idle = Parsed(tcp.keepalive_idle());
  }
  if (tcp.has_keepalive_interval()) {
    options.keepalive_interval = Parsed(tcp.keepalive_interval());
  }
  if (tcp.has_keepalive_probes()) {
    options.keepalive_probes = static_cast<int>(tcp.keepalive_probes());
  }
  if (tcp.has_attempt_delay()) {
    options.attempt_delay = Parsed(tcp.attempt_delay());
  }
  return options;
}

// The transports of `base`, with tcp's sockets set as configured.
absl::StatusOr<std::shared_ptr<TransportRegistry>> Transports(
    const config::Connections& connections,
    const std::shared_ptr<TransportRegistry>& base) {
  if (!connections.has_tcp()) return base;
  auto transports = std::make_shared<TransportRegistry>();
  absl::Status status = transports->Register(
      kTcpScheme,
      std::make_shared<TcpTransportFactory>(FromConfig(connections.tcp())));
  for (const std::string& scheme : base->schemes()) {
    if (scheme == kTcpScheme) continue;
    absl::StatusOr<std::shared_ptr<TransportFactory>> factory =
        base->Find(scheme);
    status.Update(factory.ok() ? transports->Register(scheme, *factory)
                               : factory.status());
  }
  if (!status.ok()) return status;
  return transports;
}

void SetLimits(const config::Limits& limits, ClientLimits* options) {
  if (limits.has_max_packet_bytes()) {
    options->max_packet_bytes = limits.max_packet_bytes();
  }
  if (limits.has_max_output_bytes()) {
    options->max_output_bytes = limits.max_output_bytes();
  }
  if (limits.has_max_requests_in_flight()) {
    options->max_requests_in_flight = limits.max_requests_in_flight();
  }
  if (limits.has_max_update_bytes()) {
    options->max_update_bytes = limits.max_update_bytes();
  }
  if (limits.has_when_full()) {
    options->when_full = FromConfig(limits.when_full());
  }
}

void SetRequests(const config::Requests& requests, ClientOptions* options) {
  if (requests.has_priority()) {
    options->priority = FromConfig(requests.priority());
  }
  if (requests.has_unique_mode()) {
    options->unique_mode = FromConfig(requests.unique_mode());
  }
  if (requests.has_idempotent()) options->idempotent = requests.idempotent();
  if (requests.has_max_connection_attempts()) {
    options->max_connection_attempts =
        static_cast<int>(requests.max_connection_attempts());
  }
}

}  // namespace

EnvironmentLookup ProcessEnvironment() {
  return [](absl::string_view name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Config::Config(GearmanConfig message, absl::string_view source)
    : message_(std::move(message)), places_(source) {}

absl::StatusOr<Config> Config::FromText(absl::string_view text,
                                        absl::string_view source,
                                        const PluginRegistry& registry) {
  Config config;
  absl::Status status =
      internal::ReadText(text, ReadOptionsFor(source, registry),
                         &config.message_, &config.places_);
  status.Update(config.Validate());
  if (!status.ok()) return status;
  return config;
}

absl::StatusOr<Config> Config::FromJson(absl::string_view text,
                                        absl::string_view source,
                                        const PluginRegistry& registry) {
  Config config;
  absl::Status status =
      internal::ReadJson(text, ReadOptionsFor(source, registry),
                         &config.message_, &config.places_);
  status.Update(config.Validate());
  if (!status.ok()) return status;
  return config;
}

absl::StatusOr<Config> Config::FromFile(const std::string& path,
                                        const PluginRegistry& registry) {
  const bool json = absl::EndsWith(path, ".json");
  if (!json && !absl::EndsWith(path, ".textproto") &&
      !absl::EndsWith(path, ".txtpb") && !absl::EndsWith(path, ".pbtxt")) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": unknown kind of file: expected a name that ends in "
                     ".textproto, .txtpb or .pbtxt (text format) or .json"));
  }
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return json ? FromJson(*text, path, registry)
              : FromText(*text, path, registry);
}

absl::Status Config::OverlayEnvironment(const EnvironmentLookup& environment) {
  const std::optional<std::string> value = environment(kServersVariable);
  if (!value.has_value()) return absl::OkStatus();
  GearmanConfig over;
  for (absl::string_view server : absl::StrSplit(*value, ',')) {
    server = absl::StripAsciiWhitespace(server);
    if (!server.empty()) over.add_servers(std::string(server));
  }
  Overlay(over, absl::StrCat("environment variable ", kServersVariable));
  return CheckServers(message_, places_);
}

void Config::Overlay(const GearmanConfig& message, absl::string_view source) {
  internal::Overlay(message, &message_, [&](absl::string_view path) {
    places_.Replace(path, source);
  });
}

std::string Config::ToText() const {
  google::protobuf::TextFormat::Printer printer;
  printer.SetExpandAny(true);
  std::string text;
  printer.PrintToString(message_, &text);
  return text;
}

absl::StatusOr<std::string> Config::ToJson() const {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status =
      google::protobuf::util::MessageToJsonString(message_, &text, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no JSON: ", std::string(status.message())));
  }
  return text;
}

absl::Status Config::Validate() const {
  absl::Status status = internal::CheckRules(message_, places_);
  if (!status.ok()) return status;
  status = CheckServers(message_, places_);
  if (!status.ok()) return status;
  if (absl::StrContains(message_.task_prefix(), '\0')) {
    return ErrorAt(places_.Describe("task_prefix"), "task_prefix",
                   absl::StrCat("\"", absl::CHexEscape(message_.task_prefix()),
                                "\" is not valid: no task can hold a NUL"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ClientOptions> Config::ToClientOptions(
    const PluginRegistry& registry) const {
  absl::Status status = registry.registration_error();
  status.Update(Validate());
  if (!status.ok()) return status;

  ClientOptions options;
  options.servers.assign(message_.servers().begin(), message_.servers().end());
  options.task_prefix = message_.task_prefix();
  SetTimeouts(message_.timeouts(), &options);
  SetLimits(message_.limits(), &options.limits);
  SetRequests(message_.requests(), &options);
  if (message_.connections().has_exceptions()) {
    options.exceptions = message_.connections().exceptions();
  }
  if (message_.has_drive_mode()) {
    options.drive_mode = FromConfig(message_.drive_mode());
  }
  options.logger = FromConfig(message_.log_level());
  absl::StatusOr<std::shared_ptr<TransportRegistry>> transports =
      Transports(message_.connections(), registry.transports());
  if (!transports.ok()) return transports.status();
  options.transports = *std::move(transports);

  if (message_.has_retry()) {
    auto policy = MakePlugin(registry.retry_policies(), message_.retry(),
                             "retry", places_);
    if (!policy.ok()) return policy.status();
    options.retry_policy = *std::move(policy);
  }
  if (message_.has_server_selection()) {
    auto selector =
        MakePlugin(registry.server_selectors(), message_.server_selection(),
                   "server_selection", places_);
    if (!selector.ok()) return selector.status();
    options.server_selector = *std::move(selector);
  }
  for (int i = 0; i < message_.metrics_size(); ++i) {
    auto sink = MakePlugin(registry.metrics_sinks(), message_.metrics(i),
                           ElementPath("metrics", i), places_);
    if (!sink.ok()) return sink.status();
    options.metrics_sinks.push_back(*std::move(sink));
  }
  return options;
}

absl::StatusOr<ClientOptions> ClientOptionsFromConfig(
    const GearmanConfig& message, const PluginRegistry& registry) {
  return Config(message).ToClientOptions(registry);
}

absl::StatusOr<std::unique_ptr<Client>> CreateClient(
    const Config& config, const PluginRegistry& registry) {
  absl::StatusOr<ClientOptions> options = config.ToClientOptions(registry);
  if (!options.ok()) return options.status();
  return Client::Create(*std::move(options));
}

absl::StatusOr<std::unique_ptr<Client>> CreateClient(ClientOptions options) {
  if (options.transports == nullptr) {
    options.transports = PluginRegistry::Default().transports();
  }
  return Client::Create(std::move(options));
}

}  // namespace gearman
