#include <iostream>

#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

absl::StatusOr<std::string> Reverse(gearman::JobContext& context) {
  const std::string_view data = context.job().data();
  return std::string(data.rbegin(), data.rend());
}

// Without servers: the embedded one. Else: {"tcp://jobs-1:4730", ...}.
absl::StatusOr<std::string> Hello(const std::vector<std::string>& servers) {
  gearman::WorkerOptions worker_options;
  gearman::ClientOptions client_options;
  worker_options.servers = client_options.servers = servers;
  const auto worker = gearman::Worker::Create(worker_options);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("reverse", Reverse);
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();
  return (*client)->Run("reverse", "hello");
}

int main(int argc, char** argv) {
  const auto result = Hello({argv + 1, argv + argc});
  (result.ok() ? std::cout << *result : std::cerr << result.status()) << "\n";
  return result.ok() ? 0 : 1;
}
