// A program that knows nothing of its deployment: servers, retry, metrics,
// transports and log come from a config file. A client has a word reversed by a
// worker, and says what the config made of it.
//
//   config CONFIG
#include "gearman/sdk/config.h"

#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"

namespace {

absl::StatusOr<std::string> Reverse(gearman::JobContext& context) {
  const std::string_view data = context.job().data();
  return std::string(data.rbegin(), data.rend());
}

void PrintRetries(const gearman::MetricsSnapshot& metrics) {
  const auto* const family = metrics.Find("gearman_client_retries_total");
  double retries = 0;
  if (family != nullptr) {
    for (const auto& sample : family->samples) retries += sample.value;
  }
  std::cout << "the metrics count " << retries << " retries\n";
}

absl::Status Run(const std::string& file) {
  const auto config = gearman::Config::FromFile(file);
  if (!config.ok()) return config.status();
  std::unique_ptr<gearman::JobServer> server;
  if (config->message().has_embedded_server()) {
    auto made = gearman::CreateJobServer(*config);
    if (!made.ok()) return made.status();
    server = *std::move(made);
  }
  const auto worker = gearman::CreateWorker(*config);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("reverse", Reverse);
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::CreateClient(*config);
  if (!client.ok()) return client.status();

  const gearman::JobRequest request = (*client)->SubmitJob("reverse", "hello");
  status = (*client)->Wait(request);
  if (status.ok()) {
    std::cout << request.result_view() << " by " << request.connection()
              << " at attempt " << request.connection_attempts() << "\n";
  }
  if (!config->message().metrics().empty()) PrintRetries((*client)->metrics());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: config CONFIG\n";
    return 2;
  }
  const absl::Status status = Run(argv[1]);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
