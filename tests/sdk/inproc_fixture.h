// InprocTest: a job server, a worker and a client of one process, over
// "inproc://NAME".
#ifndef GEARMAN_TESTS_SDK_INPROC_FIXTURE_H_
#define GEARMAN_TESTS_SDK_INPROC_FIXTURE_H_

#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gtest/gtest.h"

namespace gearman {

class InprocTest : public ::testing::Test {
 protected:
  // `address` is "inproc://NAME", with a name of its own for each fixture.
  explicit InprocTest(std::string address, WorkerOptions options = {})
      : address_(std::move(address)) {
    auto server = JobServer::Create({});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    EXPECT_TRUE(server_->Listen(address_).ok());
    options.servers = {address_};
    auto worker = Worker::Create(std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    client_ = MakeClient();
  }
  ~InprocTest() override {
    if (!thread_.joinable()) return;
    worker_->Stop();
    thread_.join();
  }

  std::unique_ptr<Client> MakeClient() {
    ClientOptions options;
    options.servers = {address_};
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  // Runs the worker, whose tasks are registered, on a thread of its own.
  void RunWorker() {
    thread_ = std::thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
  }

  const std::string address_;
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_INPROC_FIXTURE_H_
