// A child made by fork can do nothing with its copies of the parent's objects,
// and the parent does not notice the child.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/in_memory_metrics.h"
#include "gearman/plugins/metrics/statsd_metrics.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/tests/sdk/fork_fixture.h"
#include "gearman/tests/support/forked_child.h"
#include "gearman/tests/support/udp_receiver.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RunInChild;
using support::WaitFor;

TEST_F(ForkTest, AChildThatDestroysItsClientLeavesTheParentsAlone) {
  StartWorker();
  RunWorker();
  ExpectUnharmed(1);
  absl::Notification told;
  JobSpec spec("gated", "in flight");
  spec.options.callbacks.on_complete = [&told](const JobRequest&) {
    told.Notify();
  };
  const JobRequest request = client_->SubmitJob(std::move(spec));
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({request}, kLong).ok());
  EXPECT_EQ(RunInChild([this] {
              client_ = nullptr;
              return "";
            }),
            "");
  OpenGate();
  // With nobody but the background thread to drive it.
  EXPECT_TRUE(told.WaitForNotificationWithTimeout(kLong));
  EXPECT_EQ(request.result(), "in flight");
  ExpectUnharmed();
}

TEST_F(ForkTest, AChildThatDestroysItsWorkerAndServerLeavesTheParentsAlone) {
  StartWorker(/*concurrency=*/2);
  RunWorker();
  ExpectUnharmed(1);
  const JobRequest request = client_->SubmitJob("gated", "in flight");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({request}, kLong).ok());
  EXPECT_EQ(RunInChild([this] {
              worker_->Stop();
              worker_ = nullptr;
              server_->Stop();
              server_ = nullptr;
              return "";
            }),
            "");
  OpenGate();
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  ExpectUnharmed();
  const auto fresh = MakeClient();
  EXPECT_TRUE(fresh->WaitForReady(kLong).ok());
}

// A program may have such static objects.
std::unique_ptr<Client> static_client;
std::unique_ptr<Worker> static_worker;
std::unique_ptr<JobServer> static_server;

TEST_F(ForkTest, AChildThatCallsExitWithStaticObjectsLeavesTheParentsAlone) {
  StartWorker();
  Worker* const worker = worker_.get();
  std::thread thread([worker] { EXPECT_TRUE(worker->Run().ok()); });
  ExpectUnharmed(1);
  const JobRequest request = client_->SubmitJob("gated", "in flight");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({request}, kLong).ok());
  static_client = std::move(client_);
  static_worker = std::move(worker_);
  static_server = std::move(server_);
  EXPECT_EQ(RunInChild([]() -> std::string { std::exit(0); }), "");
  client_ = std::move(static_client);
  worker_ = std::move(static_worker);
  server_ = std::move(static_server);
  OpenGate();
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  ExpectUnharmed();
  worker->Stop();
  thread.join();
}

TEST_F(ForkTest, EveryCallOfAnInheritedObjectIsRefused) {
  StartWorker();
  ExpectUnharmed(0);
  AdminClientOptions admin_options;
  admin_options.server = address_;
  admin_options.transports = TcpOnly();
  const auto admin = *AdminClient::Create(admin_options);
  ASSERT_TRUE(admin->GetVersion().ok());
  QueueMetricsOptions queue_options;
  queue_options.servers = {address_};
  queue_options.transports = TcpOnly();
  const auto queues = *QueueMetrics::Create(queue_options);
  ASSERT_TRUE(queues->AskNow().ok());
  EXPECT_EQ(
      RunInChild([&] {
        std::string wrong;
        const auto refused = [&wrong](absl::string_view what,
                                      const absl::Status& status) {
          wrong += NotRefused(what, status);
        };
        Client& client = *client_;
        refused("Run", client.Run("reverse", "x").status());
        const JobRequest request = client.SubmitJob("reverse", "x");
        refused("SubmitJob", request.status());
        if (!request.finished()) wrong += "not finished; ";
        refused("SubmitBackgroundJob",
                client.SubmitBackgroundJob("reverse", "x").status());
        refused("SubmitMultipleRequests",
                client.SubmitMultipleRequests({request}));
        refused("Wait", client.Wait(request));
        refused("WaitUntilJobsAccepted",
                client.WaitUntilJobsAccepted({request}));
        refused("GetJobStatus", client.GetJobStatus(request).status());
        refused("GetJobStatus", client.GetJobStatus(JobId()).status());
        refused("Echo", client.Echo().status());
        refused("WaitForReady", client.WaitForReady(kLong));
        refused("AddServer", client.AddServer("tcp://localhost:1"));
        refused("RemoveServer", client.RemoveServer(address_));
        if (client.RunOnce(absl::InfiniteFuture()) != absl::InfiniteFuture()) {
          wrong += "RunOnce; ";
        }
        if (client.CheckHealth().state != HealthState::kDown ||
            client.health().state != HealthState::kDown) {
          wrong += "health; ";
        }
        request.Cancel();
        refused("Worker::Run", worker_->Run());
        refused("Register", worker_->Register("f", [](JobContext&) {
          return std::string();
        }));
        refused("Unregister", worker_->Unregister("reverse"));
        refused("Worker::AddServer", worker_->AddServer(address_));
        refused("Worker::RemoveServer", worker_->RemoveServer(address_));
        if (!worker_->stopped()) wrong += "Worker::stopped; ";
        worker_->Drain();
        worker_->Stop();
        refused("GetStatus", admin->GetStatus().status());
        refused("GetPid", admin->GetPid().status());
        refused("DropFunction", admin->DropFunction("f").status());
        refused("Shutdown", admin->Shutdown());
        refused("AskNow", queues->AskNow());
        refused("Listen", server_->Listen("inproc://more").status());
        refused("RunOnce", server_->RunOnce(absl::InfinitePast()));
        if (server_->jobs() != 0 || server_->connections() != 0 ||
            !server_->addresses().empty()) {
          wrong += "JobServer; ";
        }
        return wrong;
      }),
      "");
  EXPECT_TRUE(admin->GetStatus().ok());
  EXPECT_TRUE(queues->AskNow().ok());
  EXPECT_FALSE(worker_->stopped());
  RunWorker();
  ExpectUnharmed();
}

TEST_F(ForkTest, RequestsOfTheParentEndInAChildAndKeepTheirResults) {
  StartWorker();
  RunWorker();
  const JobRequest done = client_->SubmitJob("reverse", "done");
  ASSERT_TRUE(client_->Wait(done, kLong).ok());
  JobSpec spec("gated", "in flight");
  spec.options.unique = "mine";
  const JobRequest request = client_->SubmitJob(std::move(spec));
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({request}, kLong).ok());
  EXPECT_EQ(RunInChild([&] {
              std::string wrong;
              if (done.result() != "done") wrong += "result; ";
              if (!done.status().ok()) wrong += "status; ";
              if (!request.finished()) wrong += "not finished; ";
              wrong += NotRefused("in flight", request.status());
              if (request.state() != JobState::kUnknown) wrong += "state; ";
              if (!request.handle().empty()) wrong += "handle; ";
              if (request.result().has_value()) wrong += "a result; ";
              if (request.unique() != "mine") wrong += "unique; ";
              // The request may be submitted again, to a client of the child's.
              JobRequest again = request;
              if (!again.Reset().ok()) wrong += "Reset; ";
              return wrong;
            }),
            "");
  OpenGate();
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  EXPECT_EQ(request.result(), "in flight");
}

TEST_F(ForkTest, ANewClientInAChildWorks) {
  StartWorker();
  RunWorker();
  ExpectUnharmed(1);
  EXPECT_EQ(RunInChild([this]() -> std::string {
              const auto own = MakeClient();
              const auto result = own->Run("reverse", "child");
              if (!result.ok()) return result.status().ToString();
              // With the background thread, too.
              absl::Notification told;
              JobSpec spec("reverse", "child");
              spec.options.callbacks.on_complete = [&told](const JobRequest&) {
                told.Notify();
              };
              const JobRequest request = own->SubmitJob(std::move(spec));
              told.WaitForNotification();
              return request.status().ok() && *result == "child"
                         ? ""
                         : request.status().ToString();
            }),
            "");
  ExpectUnharmed();
}

TEST_F(ForkTest, TheServerSeesAnEndOfTheParentsThoughAChildLives) {
  StartWorker();
  RunWorker();
  ExpectUnharmed(1);
  int gate[2];
  ASSERT_EQ(pipe2(gate, O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(gate[1]);
    char byte;
    static_cast<void>(!read(gate[0], &byte, 1));
    _exit(0);
  }
  ASSERT_GT(pid, 0);
  client_ = nullptr;
  StopWorker();
  EXPECT_TRUE(WaitFor([this] { return server_->connections() == 0; }));
  close(gate[0]);
  close(gate[1]);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST_F(ForkTest, ASinkOfTheParentIsRefusedByANewClientAndSendsNothing) {
  support::UdpReceiver agent;
  StatsdMetricsOptions statsd_options;
  statsd_options.address = agent.address();
  statsd_options.interval = absl::Hours(1);
  const std::shared_ptr<StatsdMetrics> statsd =
      *StatsdMetrics::Create(statsd_options);
  const auto memory = std::make_shared<InMemoryMetrics>();
  ClientOptions options;
  options.servers = {address_};
  options.transports = TcpOnly();
  options.metrics_sinks = {statsd};
  auto client = *Client::Create(options);
  const JobRequest request = client->SubmitBackgroundJob("nobody", "x");
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}, kLong).ok());
  EXPECT_EQ(RunInChild([&] {
              std::string wrong = NotRefused("Client::Create",
                                             Client::Create(options).status());
              WorkerOptions worker;
              worker.servers = {address_};
              worker.transports = TcpOnly();
              worker.metrics_sinks = {memory};
              wrong +=
                  NotRefused("Worker::Create", Worker::Create(worker).status());
              QueueMetricsOptions queues;
              queues.servers = {address_};
              queues.transports = TcpOnly();
              queues.metrics_sinks = {memory};
              wrong += NotRefused("QueueMetrics::Create",
                                  QueueMetrics::Create(queues).status());
              client = nullptr;
              return wrong;
            }),
            "");
  // Datagrams that the child sent at its end would be here.
  EXPECT_THAT(agent.Datagrams(), ::testing::IsEmpty());
  client = nullptr;
  EXPECT_THAT(agent.Datagrams(), ::testing::Not(::testing::IsEmpty()));
}

TEST_F(ForkTest, EveryDescriptorIsClosedByExec) {
  StartWorker();
  RunWorker();
  ExpectUnharmed(1);
  QueueMetricsOptions queue_options;
  queue_options.servers = {address_};
  queue_options.transports = TcpOnly();
  const auto queues = *QueueMetrics::Create(queue_options);
  ASSERT_TRUE(queues->AskNow().ok());
  const auto statsd = *StatsdMetrics::Create();
  std::vector<std::string> kept;
  for (int fd = 3; fd < 1024; ++fd) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) continue;
    // The program's own (a log of the test's runner) are files and pipes.
    struct stat status = {};
    if (fstat(fd, &status) == 0 && !S_ISSOCK(status.st_mode) &&
        (status.st_mode & S_IFMT) != 0) {
      continue;
    }
    kept.push_back(absl::StrCat(fd));
  }
  EXPECT_THAT(kept, ::testing::IsEmpty());
}

}  // namespace
}  // namespace gearman
