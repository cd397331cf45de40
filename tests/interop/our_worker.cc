// A worker of this SDK, with default options: a task for each row of
// docs/guide/interop.md.
//
//   our_worker PORT    # prints "ready", serves until it is killed
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/worker.h"

namespace gearman {
namespace {

using Result = absl::StatusOr<std::string>;

// Returns when the file that the payload names can be locked, and notes the
// run.
Result Join(JobContext& context) {
  const std::string go(context.job().data());
  const int file = open(go.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 || flock(file, LOCK_SH) != 0) return JobFailed("no lock");
  close(file);
  std::ofstream(absl::StrCat(go, ".runs"), std::ios::app) << 'x';
  return std::string("done");
}

void Define(Worker* worker, const std::string& task, Worker::Handler handler) {
  const absl::Status status = worker->Register(task, std::move(handler));
  if (!status.ok()) std::cerr << status << std::endl;
}

int Run(const std::string& port) {
  WorkerOptions options;
  options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
  absl::StatusOr<std::unique_ptr<Worker>> created =
      Worker::Create(std::move(options));
  if (!created.ok()) {
    std::cerr << created.status() << std::endl;
    return 1;
  }
  Worker* const worker = created->get();
  Define(worker, "success",
         [](JobContext&) -> Result { return std::string("done"); });
  Define(worker, "empty", [](JobContext&) -> Result { return std::string(); });
  Define(worker, "failure",
         [](JobContext&) -> Result { return JobFailed("for the log"); });
  Define(worker, "error", [](JobContext&) -> Result {
    return absl::NotFoundError("no image 17");
  });
  Define(worker, "throw",
         [](JobContext&) -> Result { throw std::runtime_error("boom"); });
  // The status tells whether an update could be sent. The test looks at the
  // client's output instead.
  Define(worker, "data", [](JobContext& context) -> Result {
    context.SendData("one").IgnoreError();
    context.SendData("two").IgnoreError();
    return std::string("done");
  });
  Define(worker, "warning", [](JobContext& context) -> Result {
    context.SendWarning("careful").IgnoreError();
    return std::string("done");
  });
  Define(worker, "status", [](JobContext& context) -> Result {
    context.SendStatus(1, 2).IgnoreError();
    return std::string("done");
  });
  Define(worker, "large", [](JobContext& context) -> Result {
    return std::string(context.job().data());
  });
  Define(worker, "join", Join);
  std::cout << "ready" << std::endl;
  const absl::Status status = worker->Run();
  std::cerr << status << std::endl;
  return 1;
}

}  // namespace
}  // namespace gearman

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return gearman::Run(argv[1]);
}
