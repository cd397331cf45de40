#include "gearman/sdk/embedded/default_server.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/process/per_process.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/transports/inproc/inproc_network.h"

namespace gearman {
namespace {

constexpr absl::string_view kName = "default";

absl::StatusOr<std::unique_ptr<JobServer>> MakeDefaultServer() {
  JobServerOptions options;
  // A process has one such server, and no other process sees its handles.
  options.job_handle_prefix = "H:default";
  absl::StatusOr<std::unique_ptr<JobServer>> server =
      JobServer::Create(std::move(options));
  if (!server.ok()) return server.status();
  absl::Status listening =
      (*server)->Listen(absl::StrCat("inproc://", kName)).status();
  if (!listening.ok()) return listening;
  return server;
}

struct DefaultServer {
  absl::Mutex mutex;
  std::unique_ptr<JobServer> server ABSL_GUARDED_BY(mutex);
};

// The library is linked whole (alwayslink), so this runs in each program that
// depends on it.
[[maybe_unused]] const bool kInstalled = [] {
  InprocNetwork::Default()->SetFallback(kName, StartDefaultServer);
  return true;
}();

}  // namespace

// A linker that is told to look for this name takes this file out of a static
// library (cmake/Library.cmake).
extern "C" const char gearman_sdk_default_server;
const char gearman_sdk_default_server = 0;

absl::Status StartDefaultServer() {
  // Never destroyed: threads may use it until the very end of the process. A
  // child made by fork starts a server of its own, without the parent's jobs.
  static const auto* const of_process = new PerProcess<DefaultServer>();
  DefaultServer& own = **of_process;
  absl::MutexLock lock(&own.mutex);
  if (own.server != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<JobServer>> server = MakeDefaultServer();
  if (!server.ok()) {
    return absl::IsAlreadyExists(server.status()) ? absl::OkStatus()
                                                  : server.status();
  }
  own.server = *std::move(server);
  return absl::OkStatus();
}

}  // namespace gearman
