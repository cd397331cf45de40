// A client or worker of the SDK for tests that let a server do it harm.
//
//   peer client ADDRESS N: submits N jobs of task "t", whose updates nobody
//     takes, waits until all have ended, and prints the status of each. Then
//     submits one more, and prints "last: " and what became of it.
//   peer body ADDRESS BYTES: submits a job of task "t" whose data comes from a
//     source of so many bytes, and takes its result in pieces. Prints what became
//     of it, the size of the result, and by how many KiB the process has grown at
//     most.
//   peer worker ADDRESS: works on task "t", until its input ends; prints each
//     warning of its log. A job's result is the size of its payload.
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/codecs/body_source.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"

namespace gearman {
namespace {

void Print(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

int RunClient(const std::string& address, int jobs) {
  ClientOptions options;
  options.servers = {address};
  auto client = Client::Create(std::move(options));
  if (!client.ok()) return 2;
  {
    std::vector<JobSpec> specs(static_cast<size_t>(jobs), JobSpec("t", ""));
    const std::vector<JobRequest> requests =
        (*client)->SubmitMultipleJobs(std::move(specs));
    (*client)->WaitUntilJobsCompleted(requests).IgnoreError();
    for (const JobRequest& request : requests) {
      Print(request.status().ToString().substr(0, 400));
    }
  }
  const auto last = (*client)->Run("t", "");
  Print(absl::StrCat("last: ", last.ok() ? *last : last.status().ToString()));
  return 0;
}

class Zeros final : public BodySource {
 public:
  explicit Zeros(uint64_t size) : BodySource(size, /*repeatable=*/true) {}
  absl::StatusOr<size_t> Read(uint64_t, absl::Span<char> into) override {
    std::memset(into.data(), 0, into.size());
    return into.size();
  }
};

long PeakKib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

int RunBody(const std::string& address, uint64_t bytes) {
  ClientOptions options;
  options.servers = {address};
  options.limits.max_packet_bytes = SIZE_MAX;
  auto client = Client::Create(std::move(options));
  if (!client.ok()) return 2;
  // The code of a job has been loaded before the measurement begins.
  const auto first = (*client)->Run("t", "");
  const long before = PeakKib();
  JobSpec spec("t", "");
  spec.body = std::make_shared<Zeros>(bytes);
  uint64_t received = 0;
  spec.options.callbacks.on_piece = [&received](const JobRequest&,
                                                const DataPiece& piece) {
    received += piece.bytes.size();
  };
  const auto result = (*client)->Result((*client)->SubmitJob(std::move(spec)));
  Print(absl::StrCat("sent: ",
                     result.ok() ? *result : result.status().ToString()));
  Print(absl::StrCat("received: ", received));
  Print(absl::StrCat("grown: ", PeakKib() - before, " KiB"));
  return 0;
}

int RunWorker(const std::string& address) {
  WorkerOptions options;
  options.servers = {address};
  options.logger =
      Logger(LogLevel::kWarning, [](LogLevel, absl::string_view text) {
        Print(std::string(text.substr(0, 400)));
      });
  auto worker = Worker::Create(std::move(options));
  if (!worker.ok()) return 2;
  if (!(*worker)
           ->Register("t",
                      [](JobContext& context) -> absl::StatusOr<std::string> {
                        return absl::StrCat(context.job().data().size());
                      })
           .ok()) {
    return 2;
  }
  std::thread stop([&worker] {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    (*worker)->Stop();
  });
  const absl::Status status = (*worker)->Run();
  stop.join();
  Print(absl::StrCat("ended: ", status.ToString()));
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  int jobs = 0;
  if (arguments.size() == 3 && arguments[0] == "client" &&
      absl::SimpleAtoi(arguments[2], &jobs)) {
    return RunClient(arguments[1], jobs);
  }
  uint64_t bytes = 0;
  if (arguments.size() == 3 && arguments[0] == "body" &&
      absl::SimpleAtoi(arguments[2], &bytes)) {
    return RunBody(arguments[1], bytes);
  }
  if (arguments.size() == 2 && arguments[0] == "worker") {
    return RunWorker(arguments[1]);
  }
  return 1;
}

}  // namespace
}  // namespace gearman

int main(int argc, char** argv) {
  return gearman::Main(std::vector<std::string>(argv + 1, argv + argc));
}
