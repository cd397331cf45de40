// SimulatedFleet: job servers, workers and clients in one Simulation.
//
//   SimulatedFleet fleet(/*seed=*/1);
//   fleet.StartServer("jobs").status();
//   absl::StatusOr<Worker*> worker =
//       fleet.StartWorker("worker", {"inproc://jobs"});
//   (*worker)->Register("reverse", Reverse).IgnoreError();
//   absl::StatusOr<std::unique_ptr<Client>> client =
//       fleet.MakeClient("client", {"inproc://jobs"});
//   (*client)->Run("reverse", "hello");  // the others go on meanwhile
//
// For one server, one worker and one client, Harness (harness.h) takes one
// line.
//
// A fleet is not thread-safe: everything happens on the thread that uses the
// fleet. Clients must be destroyed before the fleet.
#ifndef GEARMAN_SDK_TESTING_SIMULATED_FLEET_H_
#define GEARMAN_SDK_TESTING_SIMULATED_FLEET_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/base/callback.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/transports/address.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace testing {

class SimulatedFleet {
 public:
  // The seed makes the run: see Simulation.
  explicit SimulatedFleet(uint64_t seed);
  ~SimulatedFleet();
  SimulatedFleet(const SimulatedFleet&) = delete;
  SimulatedFleet& operator=(const SimulatedFleet&) = delete;

  // The simulation that everything runs in.
  Simulation& simulation() { return simulation_; }
  // The network that has the servers' names.
  const std::shared_ptr<InprocNetwork>& network() const { return network_; }

  // Starts a server at "inproc://NAME", and at "faulty://NAME" with the faults
  // of SetFaults. The fleet owns it. The fleet sets the poller, the network,
  // the transports and the prefix of handles in `options`. Returns
  // ALREADY_EXISTS if a server of this name runs, and the errors of
  // JobServer::Create.
  absl::StatusOr<JobServer*> StartServer(StringView name,
                                         JobServerOptions options = {});
  // Ends the server at once, as a crash does: its jobs are lost. Does nothing
  // if there is no such server.
  void KillServer(StringView name);

  // Returns options with the transports, the poller, the seed and the client id
  // of a worker of this fleet.
  WorkerOptions WorkerDefaults(StringView name,
                               std::vector<std::string> servers);
  // Starts a worker, without tasks, with options made by WorkerDefaults and
  // perhaps changed. The fleet owns it, and replaces a worker of this name.
  // Returns INVALID_ARGUMENT for a concurrency that is not 1, because a
  // simulation has one thread, and the errors of Worker::Create.
  absl::StatusOr<Worker*> StartWorker(StringView name, WorkerOptions options);
  absl::StatusOr<Worker*> StartWorker(StringView name,
                                      std::vector<std::string> servers);
  // Ends the worker at once, as a crash does: servers give its jobs to others.
  // Does nothing if there is no such worker.
  void KillWorker(StringView name);

  // Returns options with the transports, the poller, the seed and the drive
  // mode (kCallerOnly) of a client of this fleet.
  ClientOptions ClientDefaults(StringView name,
                               std::vector<std::string> servers);
  // Makes a client with options made by ClientDefaults and perhaps changed.
  // Returns the errors of Client::Create. With DriveMode::kAuto requests may
  // have callbacks. The caller must then make only calls that wait, such as
  // Run: any other call starts the client's thread, and a simulation has one
  // thread.
  absl::StatusOr<std::unique_ptr<Client>> MakeClient(ClientOptions options);
  absl::StatusOr<std::unique_ptr<Client>> MakeClient(
      StringView name, std::vector<std::string> servers);

  // Sets the faults of each later connection to a "faulty://" address. Null
  // means no faults.
  void SetFaults(Callback<FaultPlan(const Address&)> plan);

 private:
  struct Served {
    std::shared_ptr<Poller> poller;
    std::unique_ptr<JobServer> server;
  };

  Simulation simulation_;
  Callback<FaultPlan(const Address&)> faults_;
  const std::shared_ptr<InprocNetwork> network_;
  const std::shared_ptr<TransportRegistry> transports_;
  std::map<std::string, Served> servers_;
  int lives_ = 0;
  std::map<std::string, std::unique_ptr<Worker>> workers_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_SIMULATED_FLEET_H_
