// Stack is a job server, a worker and a client in this process, connected by an
// address scheme. Any error ends the process.
#ifndef GEARMAN_BENCHMARKS_STACK_H_
#define GEARMAN_BENCHMARKS_STACK_H_

#include <memory>
#include <thread>  // NOLINT: Abseil has no thread

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
  // `scheme`: "inproc", "tcp" or "tls". The worker answers jobs of `task` with
  // their payload, in its own thread.
  Stack(absl::string_view scheme, absl::string_view task);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  Client& client() { return *client_; }

 private:
  support::TestCertificates certificates_;
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  std::unique_ptr<Client> client_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_STACK_H_
