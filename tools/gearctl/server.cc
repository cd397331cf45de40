// gearctl server is the embedded job server, for development.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/log.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/descriptor_limit.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {
namespace {

// The number of descriptors for listening sockets, standard streams and the
// like.
constexpr uint64_t kOtherDescriptors = 64;

std::vector<std::string> ListenAddresses(const Config& config) {
  std::vector<std::string> addresses = absl::GetFlag(FLAGS_listen);
  if (!addresses.empty()) return addresses;
  const auto& listen = config.message().embedded_server().listen();
  addresses.assign(listen.begin(), listen.end());
  if (addresses.empty()) addresses = {"localhost:4730"};
  return addresses;
}

ExitCode PrintAddress(const std::string& address) {
  if (!absl::GetFlag(FLAGS_json)) return Print(address + "\n");
  JsonObject object;
  object.Set("address", address);
  return Print(object.ToLine());
}

}  // namespace

ExitCode RunServer(const Arguments& /*arguments*/) {
  Signals signals;
  absl::StatusOr<Config> config = MakeConfig();
  if (!config.ok()) return Report(config.status());
  absl::StatusOr<JobServerOptions> options = config->ToJobServerOptions();
  if (!options.ok()) return Report(options.status());
  RaiseDescriptorLimit(options->max_connections == 0
                           ? std::numeric_limits<uint64_t>::max()
                           : options->max_connections + kOtherDescriptors);
  options->logger = MakeLogger(LogLevel::kWarning);
  absl::StatusOr<std::unique_ptr<JobServer>> server =
      JobServer::Create(*std::move(options));
  if (!server.ok()) return Report(server.status());
  PrintError(
      "gearctl: this is the embedded job server, for development: jobs are in "
      "memory only and end with it. Ctrl-C ends it.\n");
  for (const std::string& address : ListenAddresses(*config)) {
    absl::StatusOr<std::string> listening = (*server)->Listen(address);
    if (!listening.ok()) {
      return Report(NamingServer(listening.status(), address));
    }
    const ExitCode printed = PrintAddress(*listening);
    if (printed != kSuccess) return printed;
  }
  while (!AsksToEnd(signals.WaitFor(absl::InfiniteDuration()))) {
  }
  const size_t jobs = (*server)->jobs();
  if (jobs > 0) {
    PrintError(absl::StrCat("gearctl: ", jobs, " jobs end with the server\n"));
  }
  return kSuccess;
}

}  // namespace gearctl
}  // namespace gearman
