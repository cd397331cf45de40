// A client, a worker and a job server over TCP, linked with these parts alone:
// no Protobuf and no OpenSSL.
#include <iostream>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"

namespace {

absl::StatusOr<std::string> Reversed(const std::string& text) {
  auto transports = std::make_shared<gearman::TransportRegistry>();
  absl::Status status = transports->Register(
      "tcp", std::make_shared<gearman::TcpTransportFactory>());
  if (!status.ok()) return status;
  auto server = gearman::JobServer::Create({});
  if (!server.ok()) return server.status();
  const absl::StatusOr<std::string> address =
      (*server)->Listen("tcp://127.0.0.1:0");
  if (!address.ok()) return address.status();

  gearman::WorkerOptions worker_options;
  worker_options.servers = {*address};
  worker_options.transports = transports;
  auto worker = gearman::Worker::Create(std::move(worker_options));
  if (!worker.ok()) return worker.status();
  status = (*worker)->Register(
      "reverse",
      [](gearman::JobContext& context) -> absl::StatusOr<std::string> {
        const absl::string_view data = context.job().data();
        return std::string(data.rbegin(), data.rend());
      });
  if (!status.ok()) return status;
  gearman::ClientOptions client_options;
  client_options.servers = {*address};
  client_options.transports = transports;
  auto client = gearman::Client::Create(std::move(client_options));
  if (!client.ok()) return client.status();

  std::thread thread([&] { status = (*worker)->Run(); });
  absl::StatusOr<std::string> result = (*client)->Run("reverse", text);
  (*worker)->Stop();
  thread.join();
  if (!status.ok()) return status;
  return result;
}

}  // namespace

int main() {
  const absl::StatusOr<std::string> result = Reversed("parts");
  std::cout << (result.ok() ? *result : result.status().ToString()) << "\n";
  return result.ok() ? 0 : 1;
}
