// A client, a worker and an embedded job server in one process, for
// failing_calls_test: does three jobs and ends.
//
//   failing_calls_program inproc|tcp|name|callbacks
//
// "tcp": over a socket; "name": the server's host name is looked up, too;
// "callbacks": over a socket, and no thread waits in the client.
// Prints a line for each job, "done" or what the client was told. Exit code 1,
// and why on standard error: something couldn't be set up.
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace {

constexpr int kJobs = 3;

absl::Status Run(const std::string& mode) {
  absl::StatusOr<std::unique_ptr<JobServer>> server = JobServer::Create();
  if (!server.ok()) return server.status();
  absl::StatusOr<std::string> address = (*server)->Listen(
      mode == "inproc" ? "inproc://failing-calls" : "127.0.0.1:0");
  if (!address.ok()) return address.status();
  if (mode == "name") {
    *address = absl::StrReplaceAll(*address, {{"127.0.0.1", "localhost"}});
  }

  WorkerOptions worker_options;
  worker_options.servers = {*address};
  worker_options.concurrency = 2;
  worker_options.reconnect.first_delay = absl::Milliseconds(10);
  worker_options.reconnect.initial_delay = absl::Milliseconds(10);
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(std::move(worker_options));
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("upper", [](JobContext& context) {
    return absl::AsciiStrToUpper(context.job().data());
  });
  if (!status.ok()) return status;

  ClientOptions client_options;
  client_options.servers = {*address};
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(std::move(client_options));
  if (!client.ok()) return client.status();

  std::thread thread;
  status = StartThread(
      "the worker",
      [&worker] {
        // Run may be called again where it has got no thread for its handlers.
        while (absl::IsResourceExhausted((*worker)->Run())) {
        }
      },
      &thread);
  if (!status.ok()) return status;
  std::vector<JobSpec> specs;
  absl::BlockingCounter called(kJobs);
  for (int i = 0; i < kJobs; ++i) {
    specs.emplace_back("upper", absl::StrCat("job ", i));
    specs.back().options.idempotent = true;
    if (mode == "callbacks") {
      specs.back().options.callbacks.on_complete =
          [&called](const JobRequest&) { called.DecrementCount(); };
    }
  }
  const std::vector<JobRequest> requests =
      (*client)->SubmitMultipleJobs(std::move(specs));
  if (mode == "callbacks") called.Wait();
  for (int i = 0; i < kJobs; ++i) {
    (*client)->Wait(requests[i]).IgnoreError();  // the request tells
    const absl::Status told = requests[i].status();
    const bool right = requests[i].result_view() == absl::StrCat("JOB ", i);
    std::printf("%s\n", !told.ok() ? std::string(told.message()).c_str()
                        : right    ? "done"
                                   : "a wrong result");
  }
  (*worker)->Stop();
  thread.join();
  return absl::OkStatus();
}

}  // namespace
}  // namespace gearman

int main(int, char** argv) {
  const absl::Status status = gearman::Run(argv[1]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
