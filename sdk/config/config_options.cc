// The second half of Config: makes options and plugins from the message.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoder_stack.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/suggest.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/internal/config/config_content.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/sdk/internal/config/rules.h"
#include "gearman/sdk/internal/config/tls.h"
#include "gearman/sdk/internal/config/unlinked.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/transports/tcp/tcp_options.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace gearman {
namespace {

using config::GearmanConfig;
using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using internal::ChildPath;
using internal::ElementPath;
using internal::ErrorAt;
using internal::Places;

constexpr char kTcpScheme[] = "tcp";
constexpr char kTlsScheme[] = "tls";

// Returns INVALID_ARGUMENT, with advice, if `family` has no plugin with this
// config message or with the message in an Any.
absl::Status CheckLinked(const RegistryBase& family, const Message& plugin) {
  std::string type(plugin.GetDescriptor()->full_name());
  if (plugin.GetDescriptor() == Any::descriptor()) {
    const std::string& url = static_cast<const Any&>(plugin).type_url();
    type = url.substr(url.rfind('/') + 1);
  }
  const std::vector<std::string> known = family.config_types();
  if (std::find(known.begin(), known.end(), type) != known.end()) {
    return absl::OkStatus();
  }
  const std::string how = internal::HowToLink(type);
  // An Any may hold a built-in plugin of another family, where linking is no
  // help.
  if (!how.empty() && plugin.GetDescriptor() != Any::descriptor()) {
    return absl::InvalidArgumentError(
        absl::StrCat("this program does not have the ", family.family(), " ",
                     type, ": ", how));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no ", family.family(), " has the config message \"", type,
                   "\": ", Suggest(type, known)));
}

// Makes the plugin that is set in `choice`, a message with one oneof.
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
  std::string place = ChildPath(path, std::string(chosen->name()));
  const Message& plugin = choice.GetReflection()->GetMessage(choice, chosen);
  const absl::Status linked = CheckLinked(family, plugin);
  if (!linked.ok()) {
    return ErrorAt(places.Describe(place), place, linked.message());
  }
  auto made = family.Create(plugin);
  if (made.ok()) return std::shared_ptr<Interface>(*std::move(made));
  const absl::optional<absl::Cord> field =
      made.status().GetPayload(kFieldPayload);
  if (field.has_value()) place = ChildPath(place, std::string(*field));
  return absl::Status(
      made.status().code(),
      absl::StrCat(places.Describe(place), ": ", made.status().message()));
}

// Makes the metrics sinks, for clients and workers alike.
absl::StatusOr<std::vector<std::shared_ptr<MetricsSink>>> MakeSinks(
    const GearmanConfig& message, const PluginRegistry& registry,
    const Places& places) {
  std::vector<std::shared_ptr<MetricsSink>> sinks;
  for (int i = 0; i < message.metrics_size(); ++i) {
    auto sink = MakePlugin(registry.metrics_sinks(), message.metrics(i),
                           ElementPath("metrics", i), places);
    if (!sink.ok()) return sink.status();
    sinks.push_back(*std::move(sink));
  }
  return sinks;
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

void SetTimeouts(const config::Timeouts& timeouts, ClientOptions* options) {
  if (timeouts.has_connect()) {
    options->connect_timeout = internal::ParsedDuration(timeouts.connect());
  }
  if (timeouts.has_request())
    options->timeout = internal::ParsedDuration(timeouts.request());
  if (timeouts.has_reply())
    options->reply_timeout = internal::ParsedDuration(timeouts.reply());
  if (timeouts.has_heartbeat()) {
    options->heartbeat_interval =
        internal::ParsedDuration(timeouts.heartbeat());
  }
}

TcpOptions FromConfig(const config::Tcp& tcp) {
  TcpOptions options;
  if (tcp.has_no_delay()) options.no_delay = tcp.no_delay();
  if (tcp.has_keepalive()) options.keepalive = tcp.keepalive();
  if (tcp.has_keepalive_idle()) {
    options.keepalive_idle = internal::ParsedDuration(tcp.keepalive_idle());
  }
  if (tcp.has_keepalive_interval()) {
    options.keepalive_interval =
        internal::ParsedDuration(tcp.keepalive_interval());
  }
  if (tcp.has_keepalive_probes()) {
    options.keepalive_probes = static_cast<int>(tcp.keepalive_probes());
  }
  if (tcp.has_attempt_delay()) {
    options.attempt_delay = internal::ParsedDuration(tcp.attempt_delay());
  }
  return options;
}

// Returns the transports of `base`, with sockets and TLS as configured. If the
// config has a TLS section, its files are read now.
absl::StatusOr<std::shared_ptr<TransportRegistry>> Transports(
    const config::Connections& connections,
    const std::shared_ptr<TransportRegistry>& base, const Places& places) {
  if (!connections.has_tcp() && !connections.has_tls()) return base;
  const TcpOptions tcp = FromConfig(connections.tcp());
  const auto tls = std::make_shared<TlsTransportFactory>(
      internal::ClientTls(connections.tls()), TlsServerOptions(), tcp);
  if (connections.has_tls()) {
    const absl::Status status =
        internal::PlaceTlsError(tls->CheckClient(), "connections.tls", places);
    if (!status.ok()) return status;
  }
  return internal::WithFactories(
      base, {{kTcpScheme, std::make_shared<TcpTransportFactory>(tcp)},
             {kTlsScheme, tls}});
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
  if (limits.has_max_memory_bytes()) {
    options->max_memory_bytes = limits.max_memory_bytes();
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

void SetWorker(const config::Worker& worker, WorkerOptions* options) {
  if (worker.has_client_id()) options->client_id = worker.client_id();
  if (worker.has_control_task()) options->control_task = worker.control_task();
  if (worker.has_concurrency()) {
    options->concurrency = static_cast<int>(worker.concurrency());
  }
  if (worker.has_heartbeat_interval()) {
    options->heartbeat_interval =
        internal::ParsedDuration(worker.heartbeat_interval());
  }
  if (worker.has_regrab_interval()) {
    options->regrab_interval =
        internal::ParsedDuration(worker.regrab_interval());
  }
  if (worker.has_drain_limit()) {
    options->drain_limit = internal::ParsedDuration(worker.drain_limit());
  }
  if (worker.has_exceptions()) options->exceptions = worker.exceptions();
  if (worker.has_native_exceptions()) {
    options->native_exceptions = worker.native_exceptions();
  }
  if (worker.has_max_pending_jobs()) {
    options->limits.max_pending_jobs =
        static_cast<int>(worker.max_pending_jobs());
  }
  options->server_options.assign(worker.server_options().begin(),
                                 worker.server_options().end());
}

void SetPrefetch(const config::Prefetch& prefetch, PrefetchOptions* options) {
  if (prefetch.has_max_jobs()) {
    options->max_jobs = static_cast<int>(prefetch.max_jobs());
  }
  if (prefetch.has_min_jobs()) {
    options->min_jobs = static_cast<int>(prefetch.min_jobs());
  }
  if (prefetch.has_max_wait())
    options->max_wait = internal::ParsedDuration(prefetch.max_wait());
  if (prefetch.has_max_bytes()) options->max_bytes = prefetch.max_bytes();
}

void SetReconnect(const config::Reconnect& reconnect,
                  ReconnectOptions* options) {
  if (reconnect.has_first_delay()) {
    options->first_delay = internal::ParsedDuration(reconnect.first_delay());
  }
  if (reconnect.has_initial_delay()) {
    options->initial_delay =
        internal::ParsedDuration(reconnect.initial_delay());
  }
  if (reconnect.has_max_delay()) {
    options->max_delay = internal::ParsedDuration(reconnect.max_delay());
  }
  if (reconnect.has_multiplier()) options->multiplier = reconnect.multiplier();
  if (reconnect.has_jitter()) options->jitter = reconnect.jitter();
  if (reconnect.has_failures_to_open()) {
    options->failures_to_open = static_cast<int>(reconnect.failures_to_open());
  }
  if (reconnect.has_connection_lifetime()) {
    options->connection_lifetime =
        internal::ParsedDuration(reconnect.connection_lifetime());
  }
}

// Checks what can be checked only after the defaults of the other values are
// known. `path` is the place of the block in the config.
absl::Status CheckReconnect(const ReconnectOptions& options,
                            absl::string_view path, const Places& places) {
  if (options.initial_delay <= options.max_delay) return absl::OkStatus();
  const std::string delay = ChildPath(path, "initial_delay");
  return ErrorAt(places.Describe(delay), delay,
                 absl::StrCat(absl::FormatDuration(options.initial_delay),
                              " is not valid: expected at most max_delay, ",
                              absl::FormatDuration(options.max_delay)));
}

}  // namespace

Logger Config::MakeLogger() const {
  const GearmanConfig& config = content_->message;
  if (!config.has_log_level()) return DefaultLogger();
  switch (config.log_level()) {
    case config::LogLevel::ERROR:
      return StderrLogger(LogLevel::kError);
    case config::LogLevel::WARNING:
      return StderrLogger(LogLevel::kWarning);
    case config::LogLevel::INFO:
      return StderrLogger(LogLevel::kInfo);
    case config::LogLevel::DEBUG:
      return StderrLogger(LogLevel::kDebug)
          .WithPayloads(config.log_payload_bytes());
    default:
      return Logger();
  }
}

absl::StatusOr<ClientOptions> Config::ToClientOptions(
    const PluginRegistry& registry) const {
  absl::Status status = registry.registration_error();
  status.Update(Validate());
  if (!status.ok()) return status;

  ClientOptions options;
  options.servers.assign(content_->message.servers().begin(),
                         content_->message.servers().end());
  options.task_prefix = content_->message.task_prefix();
  SetTimeouts(content_->message.timeouts(), &options);
  SetLimits(content_->message.limits(), &options.limits);
  SetRequests(content_->message.requests(), &options);
  if (content_->message.connections().has_exceptions()) {
    options.exceptions = content_->message.connections().exceptions();
  }
  if (content_->message.has_drive_mode()) {
    options.drive_mode = FromConfig(content_->message.drive_mode());
  }
  options.logger = MakeLogger();
  absl::StatusOr<std::shared_ptr<TransportRegistry>> transports = Transports(
      content_->message.connections(), registry.transports(), content_->places);
  if (!transports.ok()) return transports.status();
  SetReconnect(content_->message.connections().reconnect(), &options.reconnect);
  status = CheckReconnect(options.reconnect, "connections.reconnect",
                          content_->places);
  if (!status.ok()) return status;
  options.transports = *std::move(transports);

  if (content_->message.has_retry()) {
    auto policy =
        MakePlugin(registry.retry_policies(), content_->message.retry(),
                   "retry", content_->places);
    if (!policy.ok()) return policy.status();
    options.retry_policy = *std::move(policy);
  }
  if (content_->message.has_backoff()) {
    auto policy =
        MakePlugin(registry.backoff_policies(), content_->message.backoff(),
                   "backoff", content_->places);
    if (!policy.ok()) return policy.status();
    options.backoff_policy = *std::move(policy);
  }
  if (content_->message.has_idempotency()) {
    auto policy = MakePlugin(registry.idempotency_policies(),
                             content_->message.idempotency(), "idempotency",
                             content_->places);
    if (!policy.ok()) return policy.status();
    options.idempotency_policy = *std::move(policy);
  }
  if (content_->message.has_server_selection()) {
    auto selector = MakePlugin(registry.server_selectors(),
                               content_->message.server_selection(),
                               "server_selection", content_->places);
    if (!selector.ok()) return selector.status();
    options.server_selector = *std::move(selector);
  }
  auto sinks = MakeSinks(content_->message, registry, content_->places);
  if (!sinks.ok()) return sinks.status();
  options.metrics_sinks = *std::move(sinks);
  return options;
}

absl::StatusOr<WorkerOptions> Config::ToWorkerOptions(
    const PluginRegistry& registry) const {
  absl::Status status = registry.registration_error();
  status.Update(Validate());
  if (!status.ok()) return status;

  WorkerOptions options;
  options.servers.assign(content_->message.servers().begin(),
                         content_->message.servers().end());
  options.task_prefix = content_->message.task_prefix();
  if (content_->message.timeouts().has_connect()) {
    options.connect_timeout =
        internal::ParsedDuration(content_->message.timeouts().connect());
  }
  if (content_->message.timeouts().has_reply()) {
    options.reply_timeout =
        internal::ParsedDuration(content_->message.timeouts().reply());
  }
  if (content_->message.limits().has_max_packet_bytes()) {
    options.limits.max_packet_bytes =
        content_->message.limits().max_packet_bytes();
  }
  if (content_->message.limits().has_max_memory_bytes()) {
    options.limits.max_memory_bytes =
        content_->message.limits().max_memory_bytes();
  }
  if (content_->message.limits().has_max_output_bytes()) {
    options.limits.max_output_bytes =
        content_->message.limits().max_output_bytes();
  }
  const config::Worker& worker = content_->message.worker();
  SetWorker(worker, &options);
  SetPrefetch(worker.prefetch(), &options.prefetch);
  SetReconnect(worker.reconnect(), &options.reconnect);
  // These values can be checked only after the defaults of the others are
  // known.
  if (options.prefetch.min_jobs > options.prefetch.max_jobs) {
    constexpr absl::string_view kPath = "worker.prefetch.min_jobs";
    return ErrorAt(content_->places.Describe(kPath), kPath,
                   absl::StrCat(options.prefetch.min_jobs,
                                " is not valid: expected at most max_jobs, ",
                                options.prefetch.max_jobs));
  }
  status =
      CheckReconnect(options.reconnect, "worker.reconnect", content_->places);
  if (!status.ok()) return status;
  options.logger = MakeLogger();
  absl::StatusOr<std::shared_ptr<TransportRegistry>> transports = Transports(
      content_->message.connections(), registry.transports(), content_->places);
  if (!transports.ok()) return transports.status();
  options.transports = *std::move(transports);
  auto sinks = MakeSinks(content_->message, registry, content_->places);
  if (!sinks.ok()) return sinks.status();
  options.metrics_sinks = *std::move(sinks);
  return options;
}

absl::StatusOr<std::shared_ptr<const DataEncoder>> Config::ToDataEncoder(
    const PluginRegistry& registry) const {
  constexpr absl::string_view kPath = "data_encoders";
  absl::Status status = registry.registration_error();
  status.Update(Validate());
  if (!status.ok()) return status;
  std::vector<std::shared_ptr<const DataEncoder>> encoders;
  for (int i = 0; i < content_->message.data_encoders_size(); ++i) {
    auto encoder =
        MakePlugin(registry.data_encoders(), content_->message.data_encoders(i),
                   ElementPath(std::string(kPath), i), content_->places);
    if (!encoder.ok()) return encoder.status();
    encoders.push_back(*std::move(encoder));
  }
  if (encoders.empty()) return std::shared_ptr<const DataEncoder>();
  auto stack = EncoderStack::Create(std::move(encoders));
  if (stack.ok()) return std::shared_ptr<const DataEncoder>(*std::move(stack));
  return ErrorAt(content_->places.Describe(kPath), kPath,
                 stack.status().message());
}

absl::StatusOr<std::shared_ptr<BackoffPolicy>> Config::ToJobRetryBackoff(
    const PluginRegistry& registry) const {
  absl::Status status = registry.registration_error();
  status.Update(Validate());
  if (!status.ok()) return status;
  const config::JobRetry& job_retry = content_->message.job_retry();
  if (!job_retry.has_backoff()) return std::shared_ptr<BackoffPolicy>();
  return MakePlugin(registry.backoff_policies(), job_retry.backoff(),
                    "job_retry.backoff", content_->places);
}

absl::StatusOr<ClientOptions> ClientOptionsFromConfig(
    const GearmanConfig& message, const PluginRegistry& registry) {
  return Config(message).ToClientOptions(registry);
}

absl::StatusOr<WorkerOptions> WorkerOptionsFromConfig(
    const GearmanConfig& message, const PluginRegistry& registry) {
  return Config(message).ToWorkerOptions(registry);
}

}  // namespace gearman
