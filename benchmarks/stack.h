// Stack is a job server, a worker and a client in this process, connected by an
// address scheme. Any error ends the process.
#ifndef GEARMAN_BENCHMARKS_STACK_H_
#define GEARMAN_BENCHMARKS_STACK_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace benchmarks {

class Stack {
 public:
  using Handler = std::function<absl::StatusOr<std::string>(JobContext&)>;

  // `scheme`: "inproc", "tcp" or "tls". The worker does jobs of `task` in its
  // own thread. By default it answers with their payload.
  Stack(absl::string_view scheme, absl::string_view task,
        Handler handler = &Echo);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  Client& client() { return *client_; }

 private:
  static absl::StatusOr<std::string> Echo(JobContext& context);

  support::TestCertificates certificates_;
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  std::unique_ptr<Client> client_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_STACK_H_
