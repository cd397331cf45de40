#include "gearman/sdk/testing/harness.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace testing {

absl::StatusOr<std::unique_ptr<Harness>> Harness::Create(
    HarnessOptions options) {
  std::unique_ptr<Harness> harness(new Harness(options.seed));
  SimulatedFleet& fleet = harness->fleet_;
  absl::StatusOr<JobServer*> server =
      fleet.StartServer(kServer, std::move(options.server));
  if (!server.ok()) return server.status();
  harness->server_ = *server;

  WorkerOptions worker_defaults = fleet.WorkerDefaults(kWorker, {kAddress});
  options.worker.servers = std::move(worker_defaults.servers);
  options.worker.transports = std::move(worker_defaults.transports);
  options.worker.poller = std::move(worker_defaults.poller);
  options.worker.random_seed = worker_defaults.random_seed;
  absl::StatusOr<Worker*> worker =
      fleet.StartWorker(kWorker, std::move(options.worker));
  if (!worker.ok()) return worker.status();
  harness->worker_ = *worker;

  ClientOptions client_defaults = fleet.ClientDefaults("client", {kAddress});
  options.client.servers = std::move(client_defaults.servers);
  options.client.transports = std::move(client_defaults.transports);
  options.client.poller = std::move(client_defaults.poller);
  options.client.random_seed = client_defaults.random_seed;
  options.client.drive_mode = client_defaults.drive_mode;
  absl::StatusOr<std::unique_ptr<Client>> client =
      fleet.MakeClient(std::move(options.client));
  if (!client.ok()) return client.status();
  harness->client_ = *std::move(client);
  return harness;
}

absl::Status Harness::FinishJobs(Duration limit) {
  Simulation& simulation = fleet_.simulation();
  if (simulation.RunUntil([this] { return server_->jobs() == 0; }, limit)) {
    return absl::OkStatus();
  }
  if (!simulation.failure().empty()) {
    return absl::InternalError(simulation.failure());
  }
  return absl::DeadlineExceededError(absl::StrCat(
      kAddress, " still holds ", server_->jobs(), " jobs after ",
      absl::FormatDuration(limit), ": does a worker have their tasks?"));
}

absl::StatusOr<std::unique_ptr<LiveHarness>> LiveHarness::Create(
    HarnessOptions options) {
  std::unique_ptr<LiveHarness> harness(new LiveHarness);
  auto transports = std::make_shared<TransportRegistry>();
  const absl::Status registered =
      transports->Register("tcp", std::make_shared<TcpTransportFactory>());
  if (!registered.ok()) return registered;

  options.server.transports = transports;
  options.server.poller = nullptr;
  absl::StatusOr<std::unique_ptr<JobServer>> server =
      JobServer::Create(std::move(options.server));
  if (!server.ok()) return server.status();
  harness->server_ = *std::move(server);
  absl::StatusOr<std::string> address =
      harness->server_->Listen("tcp://127.0.0.1:0");
  if (!address.ok()) return address.status();
  harness->address_ = *std::move(address);

  options.worker.servers = {harness->address_};
  options.worker.transports = transports;
  options.worker.poller = nullptr;
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(std::move(options.worker));
  if (!worker.ok()) return worker.status();
  harness->worker_ = *std::move(worker);

  options.client.servers = {harness->address_};
  options.client.transports = transports;
  options.client.poller = nullptr;
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(std::move(options.client));
  if (!client.ok()) return client.status();
  harness->client_ = *std::move(client);

  const absl::Status started = harness->worker_->Start();
  if (!started.ok()) return started;
  return harness;
}

LiveHarness::~LiveHarness() {
  client_.reset();
  worker_.reset();
  server_.reset();
}

}  // namespace testing
}  // namespace gearman
