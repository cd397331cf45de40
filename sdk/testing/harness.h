// Harness and LiveHarness: a job server, a worker and a client for a test of
// user code, made by one line.
//
//   TEST(ReverseTest, TurnsTextAround) {
//     const auto harness = gearman::testing::Harness::Create().value();
//     ASSERT_TRUE(harness->worker().Register("reverse", Reverse).ok());
//     EXPECT_THAT(harness->client().Run("reverse", "hello"),
//                 gearman::testing::IsComplete("olleh"));  // matchers.h
//   }
//
// In a Harness all three run on the thread of the test, on a virtual clock: no
// socket, no thread, and hours pass at once. Whatever waits (a call of the
// client, a handler with its stop token) lets the others go on.
//
// In a LiveHarness they run on threads of their own, on the machine's clock and
// over TCP on the loopback interface. Take it for code that a Harness can't
// run: callbacks (JobCallbacks), handlers on several threads, code that starts
// threads.
#ifndef GEARMAN_SDK_TESTING_HARNESS_H_
#define GEARMAN_SDK_TESTING_HARNESS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/duration.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/sdk/testing/simulated_fleet.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"

namespace gearman {
namespace testing {

// The harness sets the fields that say where the parts find each other: the
// servers, transports, network, poller and random seed, and in a Harness also
// the drive mode.
struct HarnessOptions {
  // The seed of everything random in a Harness. Equal seeds make equal runs.
  uint64_t seed = 1;
  // The options of the three parts.
  JobServerOptions server;
  WorkerOptions worker;
  ClientOptions client;
};

// Not thread-safe: everything happens on the thread that uses the harness.
class Harness {
 public:
  // Makes and starts the three. Returns the errors of JobServer::Create,
  // Worker::Create and Client::Create for options of the caller, and
  // INVALID_ARGUMENT for a worker's concurrency that is not 1. Without options
  // it always succeeds.
  static absl::StatusOr<std::unique_ptr<Harness>> Create(
      HarnessOptions options = {});
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  // The three parts, which the harness owns. The reference to the server is not
  // valid after fleet().KillServer, and that to the worker not after
  // fleet().KillWorker.
  JobServer& server() { return *server_; }
  Worker& worker() { return *worker_; }
  Client& client() { return *client_; }
  // The server's address, for more clients and workers of fleet().
  static constexpr char kAddress[] = "inproc://jobs";
  // The names for fleet().KillServer and fleet().KillWorker.
  static constexpr char kServer[] = "jobs";
  static constexpr char kWorker[] = "worker";
  // The simulation that the three are in, for more of them, and its clock.
  SimulatedFleet& fleet() { return fleet_; }
  FakeClock& clock() { return *fleet_.simulation().clock(); }

  // Lets this time pass; server and worker go on meanwhile.
  void RunFor(Duration time) { fleet_.simulation().RunFor(time); }
  // Lets server and worker go on until the server holds no job, for background
  // jobs, which nobody waits for. Returns DEADLINE_EXCEEDED with the number of
  // jobs left if `limit` of virtual time passes first, and INTERNAL if the
  // simulation has failed (Simulation::failure).
  absl::Status FinishJobs(Duration limit = absl::Hours(24));

 private:
  explicit Harness(uint64_t seed) : fleet_(seed) {}

  SimulatedFleet fleet_;
  JobServer* server_ = nullptr;
  Worker* worker_ = nullptr;
  std::unique_ptr<Client> client_;
};

// Thread-safe, as its three parts are.
class LiveHarness {
 public:
  // Makes the three, listens on a free port of 127.0.0.1, and starts the worker
  // (Worker::Start). Tasks may be registered afterwards. Returns the errors of
  // JobServer::Create, JobServer::Listen, Worker::Create, Worker::Start and
  // Client::Create.
  static absl::StatusOr<std::unique_ptr<LiveHarness>> Create(
      HarnessOptions options = {});
  // Ends the client, then the worker (WorkerOptions::drain_limit), then the
  // server.
  ~LiveHarness();
  LiveHarness(const LiveHarness&) = delete;
  LiveHarness& operator=(const LiveHarness&) = delete;

  // The harness owns the three.
  JobServer& server() { return *server_; }
  Worker& worker() { return *worker_; }
  Client& client() { return *client_; }
  // The server's address, for other clients and workers:
  // "tcp://127.0.0.1:PORT".
  const std::string& address() const { return address_; }

 private:
  LiveHarness() = default;

  std::string address_;
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Client> client_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_HARNESS_H_
