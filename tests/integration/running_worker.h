// RunningWorker: a worker in a thread of its own, for tests against a real
// gearmand.
#ifndef GEARMAN_TESTS_INTEGRATION_RUNNING_WORKER_H_
#define GEARMAN_TESTS_INTEGRATION_RUNNING_WORKER_H_

#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gtest/gtest.h"

namespace gearman {

// Stops when it is destroyed.
class RunningWorker {
 public:
  explicit RunningWorker(std::vector<std::string> servers,
                         WorkerOptions options = {}) {
    options.servers = std::move(servers);
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Worker>> worker =
        Worker::Create(std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
  }
  ~RunningWorker() {
    worker_->Stop();
    if (thread_.joinable()) thread_.join();
  }
  Worker* operator->() { return worker_.get(); }
  Worker& worker() { return *worker_; }
  void Start() {
    thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
  }

 private:
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_INTEGRATION_RUNNING_WORKER_H_
