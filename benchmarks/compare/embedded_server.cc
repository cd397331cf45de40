#include "gearman/benchmarks/compare/embedded_server.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace benchmarks {

void RunEmbeddedServer() {
  JobServerOptions options;
  options.transports = std::make_shared<TransportRegistry>();
  const absl::Status registered = options.transports->Register(
      "tcp", std::make_shared<TcpTransportFactory>());
  if (!registered.ok()) Fail(registered.ToString());
  options.max_connections = 100'000;
  options.max_functions = 1'000'000;
  options.max_jobs = 100'000'000;
  options.max_queue_memory = 0;
  const auto server = JobServer::Create(std::move(options));
  if (!server.ok()) Fail(server.status().ToString());
  const absl::StatusOr<std::string> address =
      (*server)->Listen("tcp://127.0.0.1:0");
  if (!address.ok()) Fail(address.status().ToString());
  absl::PrintF("%s\n", *address);
  std::fflush(stdout);
  for (;;) pause();
}

}  // namespace benchmarks
}  // namespace gearman
