// This file is separate so that a program that creates no job server links
// none.
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/internal/config/config_content.h"
#include "gearman/sdk/internal/config/rules.h"
#include "gearman/sdk/internal/config/tls.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"

namespace gearman {
namespace {

constexpr char kDefaultAddress[] = "inproc://default";

}  // namespace

absl::StatusOr<JobServerOptions> Config::ToJobServerOptions(
    const PluginRegistry& registry) const {
  absl::Status status = registry.registration_error();
  status.Update(Validate());
  if (!status.ok()) return status;

  const config::EmbeddedServer& server = content_->message.embedded_server();
  JobServerOptions options;
  options.logger = MakeLogger();
  options.job_handle_prefix = server.job_handle_prefix();
  options.job_retries = server.job_retries();
  options.worker_wakeup = server.worker_wakeup();
  options.round_robin = server.round_robin();
  options.exceptions = server.exceptions();
  if (server.has_max_jobs()) options.max_jobs = server.max_jobs();
  if (server.has_max_job_bytes()) {
    options.max_job_bytes = server.max_job_bytes();
  }
  if (server.has_max_functions()) {
    options.max_functions = server.max_functions();
  }
  if (server.has_max_functions_of_worker()) {
    options.max_functions_of_worker = server.max_functions_of_worker();
  }
  if (server.has_max_connections()) {
    options.max_connections = server.max_connections();
  }
  if (server.has_max_packet_bytes()) {
    options.max_packet_bytes = server.max_packet_bytes();
  }
  if (server.has_output_mark()) options.output_mark = server.output_mark();
  if (server.has_max_output_bytes()) {
    options.max_output_bytes = server.max_output_bytes();
  }
  if (server.has_pipe_bytes()) options.pipe_bytes = server.pipe_bytes();
  if (server.has_max_queue_memory()) {
    options.max_queue_memory = server.max_queue_memory();
  }
  if (server.has_max_connection_memory()) {
    options.max_connection_memory = server.max_connection_memory();
  }
  if (server.has_packet_timeout()) {
    options.packet_timeout = internal::ParsedDuration(server.packet_timeout());
  }
  if (server.has_output_timeout()) {
    options.output_timeout = internal::ParsedDuration(server.output_timeout());
  }
  if (server.has_max_handshakes()) {
    options.max_handshakes = server.max_handshakes();
  }
  options.transports = registry.transports();
  if (server.has_tls()) {
    const auto tls = std::make_shared<TlsTransportFactory>(
        TlsOptions(), internal::ServerTls(server.tls()));
    status = internal::PlaceTlsError(tls->CheckServer(), "embedded_server.tls",
                                     content_->places);
    if (!status.ok()) return status;
    auto transports =
        internal::WithFactories(registry.transports(), {{"tls", tls}});
    if (!transports.ok()) return transports.status();
    options.transports = *std::move(transports);
  }
  return options;
}

absl::StatusOr<std::unique_ptr<JobServer>> CreateJobServer(
    const Config& config, const PluginRegistry& registry) {
  absl::StatusOr<JobServerOptions> options =
      config.ToJobServerOptions(registry);
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<JobServer>> server =
      JobServer::Create(*std::move(options));
  if (!server.ok()) return server.status();
  const auto& listen = config.message().embedded_server().listen();
  if (listen.empty()) {
    const absl::Status status = (*server)->Listen(kDefaultAddress).status();
    if (!status.ok()) return status;
  }
  for (const std::string& address : listen) {
    const absl::Status status = (*server)->Listen(address).status();
    if (!status.ok()) return status;
  }
  return server;
}

}  // namespace gearman
