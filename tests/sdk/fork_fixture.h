// ForkTest: a job server, a worker and a client of one process, over TCP, so
// that a child made by fork has copies of sockets and epoll instances.
#ifndef GEARMAN_TESTS_SDK_FORK_FIXTURE_H_
#define GEARMAN_TESTS_SDK_FORK_FIXTURE_H_

#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gtest/gtest.h"

namespace gearman {

// Empty when it is FAILED_PRECONDITION and says what to do.
inline std::string NotRefused(absl::string_view what,
                              const absl::Status& status) {
  if (absl::IsFailedPrecondition(status) &&
      status.message().find("create a new one in this process") !=
          absl::string_view::npos) {
    return "";
  }
  return absl::StrCat(what, ": ", status.ToString(), "; ");
}

class ForkTest : public ::testing::Test {
 protected:
  ForkTest() {
    // The graph of Abseil's deadlock detection has a lock, which another thread
    // may hold at the fork (docs/threads.md).
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    auto server = JobServer::Create();
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    auto address = server_->Listen("tcp://127.0.0.1:0");
    EXPECT_TRUE(address.ok()) << address.status();
    address_ = *address;
    client_ = MakeClient();
  }
  ~ForkTest() override { StopWorker(); }

  // Without timers, an object that does not hear its socket any more never
  // looks at it.
  template <typename Options>
  static void WithoutTimers(Options* options) {
    options->heartbeat_interval = absl::InfiniteDuration();
    options->reply_timeout = absl::InfiniteDuration();
  }

  std::unique_ptr<Client> MakeClient() {
    ClientOptions options;
    options.servers = {address_};
    options.transports = TcpOnly();
    WithoutTimers(&options);
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }

  // Starts a worker whose "reverse" echoes, and whose "gated" waits for Open.
  void StartWorker(int concurrency = 1) {
    WorkerOptions options;
    options.servers = {address_};
    options.transports = TcpOnly();
    options.concurrency = concurrency;
    WithoutTimers(&options);
    auto worker = Worker::Create(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    const auto echo = [](JobContext& context) {
      return std::string(context.job().data());
    };
    ASSERT_TRUE(worker_->Register("reverse", echo).ok());
    ASSERT_TRUE(worker_
                    ->Register("gated",
                               [this, echo](JobContext& context) {
                                 absl::MutexLock lock(
                                     &mutex_, absl::Condition(&gate_open_));
                                 return echo(context);
                               })
                    .ok());
  }
  void RunWorker() {
    thread_ = std::thread([this] {
      const absl::Status status = worker_->Run();
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  void StopWorker() {
    if (!thread_.joinable()) return;
    OpenGate();
    worker_->Stop();
    thread_.join();
  }
  void OpenGate() {
    absl::MutexLock lock(&mutex_);
    gate_open_ = true;
  }

  // The parent's client, server and worker go on. `times` jobs.
  void ExpectUnharmed(int times = 3) {
    for (int i = 0; i < times; ++i) {
      CallOptions options;
      options.timeout = kLong;
      const std::string data = absl::StrCat("after ", i);
      const auto result = client_->Run("reverse", data, options);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(*result, data);
    }
  }

  std::unique_ptr<JobServer> server_;
  std::string address_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  absl::Mutex mutex_;
  bool gate_open_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_FORK_FIXTURE_H_
