#include "gearman/sdk/testing/simulated_fleet.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/base/callback.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace testing {
namespace {

// Connects faulty://NAME to inproc://NAME.
class Renamed final : public TransportFactory {
 public:
  explicit Renamed(std::shared_ptr<TransportFactory> inproc)
      : inproc_(std::move(inproc)) {}
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override {
    return inproc_->Create({"inproc", address.authority}, poller, key);
  }

 private:
  const std::shared_ptr<TransportFactory> inproc_;
};

// A participant's name differs from those of workers and clients.
std::string ServerParticipant(absl::string_view name) {
  return absl::StrCat("server ", name);
}

}  // namespace

SimulatedFleet::SimulatedFleet(uint64_t seed)
    : simulation_(seed),
      network_(std::make_shared<InprocNetwork>()),
      transports_(std::make_shared<TransportRegistry>()) {
  const auto inproc = std::make_shared<InprocTransportFactory>(network_);
  const auto faulty = std::make_shared<FaultTransportFactory>(
      std::make_shared<Renamed>(inproc), [this](const Address& address) {
        return faults_ ? faults_(address) : FaultPlan();
      });
  // A new registry has no other schemes, so these calls can't fail.
  transports_->Register("inproc", inproc).IgnoreError();
  transports_->Register("faulty", faulty).IgnoreError();
}

SimulatedFleet::~SimulatedFleet() {
  workers_.clear();
  servers_.clear();
}

absl::StatusOr<JobServer*> SimulatedFleet::StartServer(
    StringView name, JobServerOptions options) {
  const std::string key(name.data(), name.size());
  if (servers_.count(key) > 0) {
    return absl::AlreadyExistsError(absl::StrCat(
        "server ", SafeText(key), " runs already: KillServer ends it"));
  }
  const std::string participant = ServerParticipant(name);
  Served served;
  served.poller = simulation_.MakePoller(participant);
  options.poller = served.poller.get();
  options.network = network_;
  options.transports = transports_;
  // A handle of an earlier life of this server is none of this life.
  options.job_handle_prefix = absl::StrCat("H:", name, ".", ++lives_);
  absl::StatusOr<std::unique_ptr<JobServer>> server =
      JobServer::Create(std::move(options));
  if (!server.ok()) return server.status();
  const absl::StatusOr<std::string> address =
      (*server)->Listen(absl::StrCat("inproc://", name));
  if (!address.ok()) return address.status();
  JobServer* const raw = server->get();
  served.server = *std::move(server);
  servers_[key] = std::move(served);
  simulation_.Drive(participant, [raw] {
    raw->RunOnce(absl::InfinitePast()).IgnoreError();
    return absl::InfiniteFuture();
  });
  return raw;
}

void SimulatedFleet::KillServer(StringView name) {
  simulation_.Stop(ServerParticipant(name));
  servers_.erase(std::string(name.data(), name.size()));
}

WorkerOptions SimulatedFleet::WorkerDefaults(StringView name,
                                             std::vector<std::string> servers) {
  WorkerOptions options;
  options.servers = std::move(servers);
  options.transports = transports_;
  options.poller = simulation_.MakePoller(name);
  options.random_seed = simulation_.NewSeed();
  options.client_id = std::string(name.data(), name.size());
  return options;
}

absl::StatusOr<Worker*> SimulatedFleet::StartWorker(StringView name,
                                                    WorkerOptions options) {
  if (options.concurrency != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "worker ", SafeText(name), " has concurrency ", options.concurrency,
        ": in a simulation all handlers run on one thread, so it must be 1"));
  }
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(std::move(options));
  if (!worker.ok()) return worker.status();
  Worker* const raw = worker->get();
  workers_[std::string(name.data(), name.size())] = *std::move(worker);
  simulation_.Drive(name, [raw] { return raw->RunOnce(absl::InfinitePast()); });
  return raw;
}

absl::StatusOr<Worker*> SimulatedFleet::StartWorker(
    StringView name, std::vector<std::string> servers) {
  return StartWorker(name, WorkerDefaults(name, std::move(servers)));
}

void SimulatedFleet::KillWorker(StringView name) {
  simulation_.Stop(name);
  workers_.erase(std::string(name.data(), name.size()));
}

ClientOptions SimulatedFleet::ClientDefaults(StringView name,
                                             std::vector<std::string> servers) {
  ClientOptions options;
  options.servers = std::move(servers);
  options.transports = transports_;
  options.poller = simulation_.MakePoller(name);
  options.random_seed = simulation_.NewSeed();
  options.drive_mode = DriveMode::kCallerOnly;
  return options;
}

absl::StatusOr<std::unique_ptr<Client>> SimulatedFleet::MakeClient(
    ClientOptions options) {
  return Client::Create(std::move(options));
}

absl::StatusOr<std::unique_ptr<Client>> SimulatedFleet::MakeClient(
    StringView name, std::vector<std::string> servers) {
  return MakeClient(ClientDefaults(name, std::move(servers)));
}

void SimulatedFleet::SetFaults(Callback<FaultPlan(const Address&)> plan) {
  faults_ = std::move(plan);
}

}  // namespace testing
}  // namespace gearman
