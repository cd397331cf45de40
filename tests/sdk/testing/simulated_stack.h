// SimulatedStack: a job server, workers and clients in one Simulation.
#ifndef GEARMAN_TESTS_SDK_TESTING_SIMULATED_STACK_H_
#define GEARMAN_TESTS_SDK_TESTING_SIMULATED_STACK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/sdk/worker.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {

class SimulatedStack {
 public:
  explicit SimulatedStack(uint64_t seed)
      : simulation(seed),
        network_(std::make_shared<InprocNetwork>()),
        transports_(std::make_shared<TransportRegistry>()) {
    auto inproc = std::make_shared<InprocTransportFactory>(network_);
    EXPECT_TRUE(transports_->Register("inproc", inproc).ok());
    EXPECT_TRUE(transports_
                    ->Register("faulty",
                               std::make_shared<FaultTransportFactory>(
                                   std::make_shared<Renamed>(inproc),
                                   [this](const Address& address) {
                                     return plan ? plan(address) : FaultPlan();
                                   }))
                    .ok());
  }
  ~SimulatedStack() {
    workers_.clear();
    servers_.clear();
  }

  // Serves "inproc://NAME", and "faulty://NAME" through `plan`.
  JobServer& StartServer(const std::string& name,
                         JobServerOptions options = {}) {
    const std::string participant = absl::StrCat("server ", name);
    Served& served = servers_[name];
    served.poller = simulation.MakePoller(participant);
    options.poller = served.poller.get();
    options.network = network_;
    options.transports = transports_;
    // No handle of an earlier life is one of this one.
    options.job_handle_prefix = absl::StrCat("H:", name, ".", ++lives_);
    absl::StatusOr<std::unique_ptr<JobServer>> server =
        JobServer::Create(std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    served.server = *std::move(server);
    const auto address = served.server->Listen(absl::StrCat("inproc://", name));
    EXPECT_TRUE(address.ok()) << address.status();
    JobServer* const raw = served.server.get();
    simulation.Drive(participant, [raw] {
      raw->RunOnce(absl::InfinitePast()).IgnoreError();
      return absl::InfiniteFuture();
    });
    return *raw;
  }
  // Ends the server like kill -9.
  void KillServer(const std::string& name) {
    simulation.Stop(absl::StrCat("server ", name));
    servers_.erase(name);
  }

  WorkerOptions WorkerDefaults(const std::string& name,
                               std::vector<std::string> servers) {
    WorkerOptions options;
    options.servers = std::move(servers);
    options.transports = transports_;
    options.poller = simulation.MakePoller(name);
    options.random_seed = simulation.NewSeed();
    options.client_id = name;
    return options;
  }
  // Makes a worker; the caller registers its tasks.
  Worker& StartWorker(const std::string& name, WorkerOptions options) {
    absl::StatusOr<std::unique_ptr<Worker>> worker =
        Worker::Create(std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    Worker* const raw = worker->get();
    workers_[name] = *std::move(worker);
    simulation.Drive(name,
                     [raw] { return raw->RunOnce(absl::InfinitePast()); });
    return *raw;
  }
  Worker& StartWorker(const std::string& name,
                      std::vector<std::string> servers) {
    return StartWorker(name, WorkerDefaults(name, std::move(servers)));
  }
  void KillWorker(const std::string& name) {
    simulation.Stop(name);
    workers_.erase(name);
  }

  ClientOptions ClientDefaults(const std::string& name,
                               std::vector<std::string> servers) {
    ClientOptions options;
    options.servers = std::move(servers);
    options.transports = transports_;
    options.poller = simulation.MakePoller(name);
    options.random_seed = simulation.NewSeed();
    options.drive_mode = DriveMode::kCallerOnly;
    return options;
  }
  std::unique_ptr<Client> MakeClient(ClientOptions options) {
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }
  std::unique_ptr<Client> MakeClient(const std::string& name,
                                     std::vector<std::string> servers) {
    return MakeClient(ClientDefaults(name, std::move(servers)));
  }

  // From now on each connection to a "faulty://" address has bytes only, like
  // TCP, so that a large payload takes its time.
  void PassBytesOnly() {
    plan = [](const Address&) {
      FaultPlan bytes_only;
      bytes_only.bytes_only = true;
      return bytes_only;
    };
  }

  const std::shared_ptr<InprocNetwork>& network() const { return network_; }

  Simulation simulation;
  // The faults of each connection to a "faulty://" address.
  std::function<FaultPlan(const Address&)> plan;

 private:
  // Connects faulty://NAME to inproc://NAME.
  class Renamed final : public TransportFactory {
   public:
    explicit Renamed(std::shared_ptr<TransportFactory> inproc)
        : inproc_(std::move(inproc)) {}
    absl::StatusOr<std::unique_ptr<Transport>> Create(
        const Address& address, Poller* poller, Poller::Key key) override {
      return inproc_->Create({"inproc", address.authority}, poller, key);
    }

   private:
    const std::shared_ptr<TransportFactory> inproc_;
  };
  struct Served {
    std::shared_ptr<Poller> poller;
    std::unique_ptr<JobServer> server;
  };

  const std::shared_ptr<InprocNetwork> network_;
  const std::shared_ptr<TransportRegistry> transports_;
  std::map<std::string, Served> servers_;
  int lives_ = 0;
  std::map<std::string, std::unique_ptr<Worker>> workers_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_TESTING_SIMULATED_STACK_H_
