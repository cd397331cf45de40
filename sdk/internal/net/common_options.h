// The options that clients and workers have in common, of which each has a
// struct of its own: ClientOptions and WorkerOptions.
#ifndef GEARMAN_SDK_INTERNAL_NET_COMMON_OPTIONS_H_
#define GEARMAN_SDK_INTERNAL_NET_COMMON_OPTIONS_H_

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/wire/spare_strings.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/server_list.h"
#include "gearman/sdk/internal/net/server_set.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/transports/address.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/process_memory.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

// A duration of the options, which must be above zero.
struct PositiveOption {
  const char* name;
  absl::Duration value;
};

// INVALID_ARGUMENT: one of `fields` is not above zero. `type` is the name of
// the options type, and `note` ends the error.
inline absl::Status CheckPositive(absl::string_view type,
                                  std::initializer_list<PositiveOption> fields,
                                  absl::string_view note = "") {
  for (const PositiveOption& field : fields) {
    if (field.value > absl::ZeroDuration()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        type, "::", field.name, " is ", absl::FormatDuration(field.value),
        "; it must be more than zero", note));
  }
  return absl::OkStatus();
}

// INVALID_ARGUMENT: a value would make a client or worker connect without end,
// or can't be right. `name` is that of the options type, for the error.
inline absl::Status CheckReconnect(absl::string_view name,
                                   const ReconnectOptions& options) {
  absl::Status positive = CheckPositive(
      name, {{"reconnect.first_delay", options.first_delay},
             {"reconnect.initial_delay", options.initial_delay},
             {"reconnect.max_delay", options.max_delay},
             {"reconnect.connection_lifetime", options.connection_lifetime}});
  if (!positive.ok()) return positive;
  // Not a number is refused, too.
  if (!(options.multiplier >= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, "::reconnect.multiplier must be at least 1"));
  }
  if (!(options.jitter >= 0 && options.jitter <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, "::reconnect.jitter must be from 0 to 1"));
  }
  if (options.failures_to_open < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, "::reconnect.failures_to_open must be at least 1"));
  }
  return absl::OkStatus();
}

// Fills in what is unset, and returns the servers. `name` is that of the
// options type, for errors. Returns errors of ParseServers and
// EpollPoller::Create.
template <typename Options>
absl::StatusOr<std::vector<Address>> CompleteOptions(absl::string_view name,
                                                     Options* options) {
  if (options->transports == nullptr) {
    options->transports = TransportRegistry::Default();
  }
  absl::StatusOr<std::vector<Address>> servers =
      ParseServers(options->servers, name, *options->transports);
  if (!servers.ok()) return servers;
  if (options->servers.empty()) LogEmbeddedServer(options->logger);
  if (options->poller == nullptr) {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    if (!poller.ok()) return poller.status();
    options->poller = *std::move(poller);
  }
  auto& limits = options->limits;
  if (limits.max_memory_bytes == kShareOfMemory) {
    limits.max_memory_bytes = ProcessMemory() / 4;
  }
  return servers;
}

// Returns the options of the connections. `metrics`, `account` and `spares`
// must outlive them. `spares` may be null (wire::DecoderOptions).
template <typename Options>
ServerSetOptions ConnectionsOptions(const Options& options, Metrics* metrics,
                                    ByteAccount* account,
                                    wire::SpareStrings* spares) {
  ServerSetOptions set;
  set.connect_timeout = options.connect_timeout;
  set.reconnect = options.reconnect;
  // A packet that is sent need not be in memory, and one that comes must be.
  set.decoder.max_packet_bytes = PacketLimit(options.limits.max_packet_bytes,
                                             options.limits.max_memory_bytes);
  set.decoder.max_piecewise_bytes = options.limits.max_packet_bytes;
  set.decoder.spares = spares;
  set.connection.account = account;
  set.connection.max_memory = options.limits.max_memory_bytes;
  set.transports = options.transports;
  set.metrics = metrics;
  set.logger = options.logger;
  return set;
}

// Returns null if no sink is set.
template <typename Options>
std::shared_ptr<Metrics> MetricsFor(const Options& options, MetricOwner owner) {
  if (options.metrics_sinks.empty()) return nullptr;
  MetricsOptions metrics;
  metrics.owner = owner;
  metrics.tls = options.transports->tls_library();
  return std::make_shared<Metrics>(std::move(metrics));
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_COMMON_OPTIONS_H_
