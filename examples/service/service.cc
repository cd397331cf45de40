// A worker as one would deploy it: everything that differs between deployments
// is in a config file and the environment, SIGTERM drains, metrics go to
// Prometheus, and --check asks whether the servers can be reached.
// docs/guide/getting_started.md goes through it, with a unit for systemd.
//
//   service CONFIG          works until SIGTERM or SIGINT
//   service --check CONFIG  checks the config and the servers, and ends
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_signals.h"

namespace {

// The work itself knows nothing of the deployment.
absl::StatusOr<std::string> CountLines(gearman::JobContext& context) {
  const std::string_view text = context.job().data();
  return absl::StrCat(std::count(text.begin(), text.end(), '\n'));
}

absl::StatusOr<gearman::Config> Load(const std::string& file) {
  absl::StatusOr<gearman::Config> config = gearman::Config::FromFile(file);
  if (!config.ok()) return config;
  const absl::Status status = config->OverlayEnvironment();
  if (!status.ok()) return status;
  return config;
}

absl::Status Check(const gearman::Config& config) {
  const absl::Status valid = config.Validate();
  if (!valid.ok()) return valid;
  // The service that runs beside this check has the port of the metrics. With
  // another port the check finds out whether the sink is linked.
  gearman::config::GearmanConfig message = config.message();
  for (auto& metrics : *message.mutable_metrics()) {
    if (metrics.has_prometheus()) {
      metrics.mutable_prometheus()->set_listen("127.0.0.1:0");
    }
  }
  const auto client = gearman::CreateClient(gearman::Config(message));
  if (!client.ok()) return client.status();
  const gearman::Health health = (*client)->CheckHealth(absl::Seconds(5));
  std::cout << gearman::ToString(health);
  return health.state == gearman::HealthState::kDown
             ? absl::UnavailableError("no server can be reached")
             : absl::OkStatus();
}

absl::Status Serve(const gearman::Config& config) {
  const auto worker = gearman::CreateWorker(config);
  if (!worker.ok()) return worker.status();
  const absl::Status status = (*worker)->Register("count_lines", CountLines);
  if (!status.ok()) return status;
  // A second signal stops at once, and gives unfinished jobs back.
  const auto signals =
      gearman::WorkerSignals::Create({worker->get()}, absl::Seconds(60));
  if (!signals.ok()) return signals.status();
  return (*worker)->Run();
}

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::cerr << "usage: " << argv[0] << " [--check] CONFIG\n";
    return 2;
  }
  const absl::StatusOr<gearman::Config> config = Load(argv[argc - 1]);
  absl::Status status = config.status();
  if (status.ok()) status = check ? Check(*config) : Serve(*config);
  if (status.ok()) return 0;
  std::cerr << argv[0] << ": " << status.message() << "\n";
  return 1;
}
