// Runs an embedded server and a worker whose job fails twice with a "deadlock"
// and then succeeds. The config in the argument decides how the client retries.
//
//   bazel run //:program -- $PWD/linked.textproto
#include <atomic>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/worker.h"

namespace {

// Returns 0 if the job succeeded in the end.
int Run(const std::string& config_file) {
  const absl::StatusOr<gearman::Config> config =
      gearman::Config::FromFile(config_file);
  if (!config.ok()) {
    std::cerr << config.status().message() << "\n";
    return 2;
  }
  auto client = gearman::CreateClient(*config);
  auto worker = gearman::CreateWorker(*config);
  if (!client.ok() || !worker.ok()) {
    std::cerr << client.status().message() << worker.status().message() << "\n";
    return 2;
  }
  std::atomic<int> runs{0};
  absl::Status status = (*worker)->Register(
      "transfer", [&runs](gearman::JobContext&) -> absl::StatusOr<std::string> {
        if (++runs < 3) return absl::AbortedError("deadlock detected");
        return absl::StrCat("done at run ", runs.load());
      });
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) {
    std::cerr << status.message() << "\n";
    return 2;
  }
  gearman::CallOptions options;
  // Only a job that may run twice is run again.
  options.idempotent = true;
  const absl::StatusOr<std::string> result =
      (*client)->Run("transfer", "100", options);
  if (!result.ok()) {
    std::cerr << result.status().message() << "\n";
    return 1;
  }
  std::cout << *result << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: program CONFIG\n";
    return 2;
  }
  return Run(argv[1]);
}
