#include "gearman/benchmarks/flood/servers.h"

#include <unistd.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace benchmarks {
FloodedServer::FloodedServer(ServerKind kind) {
  if (kind == ServerKind::kGearmand) {
    gearmand_ = std::make_unique<Gearmand>();
    port_ = gearmand_->port();
    return;
  }
  certificates_ = std::make_unique<support::TestCertificates>();
  const support::CertificateFiles files = certificates_->Make("server");
  embedded_ = std::make_unique<Child>(
      std::vector<std::string>{
          ThisProgram(), "--role=server",
          absl::StrCat("--certificate=", files.certificate),
          absl::StrCat("--key=", files.key)},
      /*keep_output=*/true);
  const std::string line = embedded_->Line();
  const std::vector<absl::string_view> ports = absl::StrSplit(line, ' ');
  if (ports.size() != 2) Fail(absl::StrCat("a server printed '", line, "'"));
  port_ = PortOf(ports[0]);
  tls_port_ = PortOf(ports[1]);
}

pid_t FloodedServer::pid() const {
  return gearmand_ != nullptr ? gearmand_->pid() : embedded_->pid();
}

void RunServer(const support::CertificateFiles& files) {
  TlsServerOptions tls;
  tls.identity.certificate_file = files.certificate;
  tls.identity.key_file = files.key;
  JobServerOptions options;
  options.transports = std::make_shared<TransportRegistry>();
  for (const absl::Status& status :
       {options.transports->Register("tcp",
                                     std::make_shared<TcpTransportFactory>()),
        options.transports->Register(
            "tls", std::make_shared<TlsTransportFactory>(TlsOptions(), tls))}) {
    if (!status.ok()) Fail(status.ToString());
  }
  auto server = JobServer::Create(std::move(options));
  if (!server.ok()) Fail(server.status().ToString());
  std::vector<uint16_t> ports;
  for (const char* const address : {"tcp://127.0.0.1:0", "tls://127.0.0.1:0"}) {
    const absl::StatusOr<std::string> real = (*server)->Listen(address);
    if (!real.ok()) Fail(real.status().ToString());
    ports.push_back(PortOf(*real));
  }
  absl::PrintF("%d %d\n", ports[0], ports[1]);
  std::fflush(stdout);
  for (;;) pause();
}

}  // namespace benchmarks
}  // namespace gearman
