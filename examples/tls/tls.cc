// TLS with certificates on both sides. Without a server the program listens
// with the embedded one. Then two clients that should not get in try to.
//
//   tls FOLDER [SERVER]   FOLDER: as make_certificates makes it
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"

namespace {

gearman::TlsIdentity Identity(const std::string& folder,
                              const std::string& name) {
  gearman::TlsIdentity identity;
  identity.certificate_file = folder + "/" + name + ".pem";
  identity.key_file = folder + "/" + name + ".key";
  return identity;
}

// The address schemes of a client, a worker or a server: tls:// alone.
absl::StatusOr<std::shared_ptr<gearman::TransportRegistry>> Transports(
    gearman::TlsOptions options,
    gearman::TlsServerOptions server_options = {}) {
  auto registry = std::make_shared<gearman::TransportRegistry>();
  const absl::Status status =
      registry->Register("tls", std::make_shared<gearman::TlsTransportFactory>(
                                    std::move(options), server_options));
  if (!status.ok()) return status;
  return registry;
}

absl::StatusOr<std::unique_ptr<gearman::JobServer>> Listen(
    const std::string& folder) {
  gearman::TlsServerOptions tls;
  tls.identity = Identity(folder, "server");
  tls.client_ca_file = folder + "/ca.pem";  // so clients need certificates
  auto transports = Transports({}, tls);
  if (!transports.ok()) return transports.status();
  gearman::JobServerOptions options;
  options.transports = *std::move(transports);
  auto server = gearman::JobServer::Create(std::move(options));
  if (!server.ok()) return server.status();
  const auto address = (*server)->Listen("tls://127.0.0.1:0");
  if (!address.ok()) return address.status();
  return server;
}

absl::StatusOr<std::unique_ptr<gearman::Client>> ClientOf(
    const std::string& server, gearman::TlsOptions tls) {
  auto transports = Transports(std::move(tls));
  if (!transports.ok()) return transports.status();
  gearman::ClientOptions options;
  options.servers = {server};
  options.transports = *std::move(transports);
  options.logger = gearman::Logger();  // the status says enough
  return gearman::Client::Create(std::move(options));
}

absl::Status Run(const std::string& folder, std::string address) {
  std::unique_ptr<gearman::JobServer> server;
  if (address.empty()) {
    auto listening = Listen(folder);
    if (!listening.ok()) return listening.status();
    server = *std::move(listening);
    address = server->addresses().front();
  }
  gearman::TlsOptions tls;
  tls.ca_file = folder + "/ca.pem";
  tls.identity = Identity(folder, "client");

  auto transports = Transports(tls);
  if (!transports.ok()) return transports.status();
  gearman::WorkerOptions options;
  options.servers = {address};
  options.transports = *std::move(transports);
  const auto worker = gearman::Worker::Create(std::move(options));
  if (!worker.ok()) return worker.status();
  absl::Status status =
      (*worker)->Register("reverse", [](gearman::JobContext& context) {
        const std::string_view data = context.job().data();
        return std::string(data.rbegin(), data.rend());
      });
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;

  const auto client = ClientOf(address, tls);
  if (!client.ok()) return client.status();
  status = (*client)->WaitForReady(absl::Seconds(10));
  if (!status.ok()) return status;
  const auto answer = (*client)->Run("reverse", "hello");
  if (!answer.ok()) return answer.status();
  std::cout << *answer << ", over TLS\n";

  gearman::TlsOptions nameless = tls;
  nameless.identity = {};
  gearman::TlsOptions distrustful = tls;
  distrustful.ca_file = folder + "/client.pem";  // is not the server's CA
  for (const auto& [name, wrong] :
       {std::make_pair("without a certificate", nameless),
        std::make_pair("with another CA", distrustful)}) {
    const auto stranger = ClientOf(address, wrong);
    if (!stranger.ok()) return stranger.status();
    const auto refused = (*stranger)->Run("reverse", "hello");
    if (refused.ok()) return absl::InternalError("a stranger got in");
    std::cout << name << ": "
              << absl::StatusCodeToString(refused.status().code()) << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: tls FOLDER [SERVER]\n";
    return 2;
  }
  const absl::Status status = Run(argv[1], argc == 3 ? argv[2] : "");
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
