// The shortest complete program: a worker and a client, joined by the embedded
// job server. With the address of a gearmand as argument it uses that server.
#include <iostream>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace {

absl::StatusOr<std::string> Reverse(gearman::JobContext& context) {
  const absl::string_view data = context.job().data();
  return std::string(data.rbegin(), data.rend());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string server = argc > 1 ? argv[1] : "inproc://default";
  gearman::WorkerOptions worker_options;
  worker_options.servers = {server};
  gearman::ClientOptions client_options;
  client_options.servers = {server};

  absl::StatusOr<std::unique_ptr<gearman::Worker>> worker =
      gearman::Worker::Create(worker_options);
  if (!worker.ok()) {
    std::cerr << worker.status() << "\n";
    return 1;
  }
  const absl::Status registered = (*worker)->Register("reverse", Reverse);
  if (!registered.ok()) {
    std::cerr << registered << "\n";
    return 1;
  }
  std::thread thread([&worker] {
    const absl::Status status = (*worker)->Run();
    if (!status.ok()) std::cerr << status << "\n";
  });

  absl::StatusOr<std::unique_ptr<gearman::Client>> client =
      gearman::Client::Create(client_options);
  absl::StatusOr<std::string> result =
      client.ok() ? (*client)->Run("reverse", "hello, Gearman")
                  : absl::StatusOr<std::string>(client.status());
  if (result.ok()) {
    std::cout << *result << "\n";
  } else {
    std::cerr << result.status() << "\n";
  }

  (*worker)->Stop();
  thread.join();
  return result.ok() ? 0 : 1;
}
