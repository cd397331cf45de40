// SimulatedStack: a SimulatedFleet whose errors fail the test.
#ifndef GEARMAN_TESTS_SDK_TESTING_SIMULATED_STACK_H_
#define GEARMAN_TESTS_SDK_TESTING_SIMULATED_STACK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/testing/simulated_fleet.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/sdk/worker.h"
#include "gearman/transports/address.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {

class SimulatedStack {
 public:
  explicit SimulatedStack(uint64_t seed) : fleet_(seed) {
    fleet_.SetFaults([this](const Address& address) {
      return plan ? plan(address) : FaultPlan();
    });
  }

  JobServer& StartServer(const std::string& name,
                         JobServerOptions options = {}) {
    const auto server = fleet_.StartServer(name, std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    return **server;
  }
  void KillServer(const std::string& name) { fleet_.KillServer(name); }

  WorkerOptions WorkerDefaults(const std::string& name,
                               std::vector<std::string> servers) {
    return fleet_.WorkerDefaults(name, std::move(servers));
  }
  // Makes a worker; the caller registers its tasks.
  Worker& StartWorker(const std::string& name, WorkerOptions options) {
    const auto worker = fleet_.StartWorker(name, std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    return **worker;
  }
  Worker& StartWorker(const std::string& name,
                      std::vector<std::string> servers) {
    return StartWorker(name, WorkerDefaults(name, std::move(servers)));
  }
  void KillWorker(const std::string& name) { fleet_.KillWorker(name); }

  ClientOptions ClientDefaults(const std::string& name,
                               std::vector<std::string> servers) {
    return fleet_.ClientDefaults(name, std::move(servers));
  }
  std::unique_ptr<Client> MakeClient(ClientOptions options) {
    absl::StatusOr<std::unique_ptr<Client>> client =
        fleet_.MakeClient(std::move(options));
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

  const std::shared_ptr<InprocNetwork>& network() const {
    return fleet_.network();
  }

 private:
  SimulatedFleet fleet_;

 public:
  Simulation& simulation = fleet_.simulation();
  // The faults of each connection to a "faulty://" address.
  std::function<FaultPlan(const Address&)> plan;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_TESTING_SIMULATED_STACK_H_
