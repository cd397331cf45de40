// A worker with handlers on several threads, against an embedded server of the
// same process, on the machine's clock.
#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

constexpr absl::Duration kLong = absl::Seconds(50);

class WorkerThreadsTest : public ::testing::Test {
 protected:
  WorkerThreadsTest() {
    EXPECT_TRUE(
        transports_
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network_))
            .ok());
    JobServerOptions options;
    options.network = network_;
    auto server = JobServer::Create(options);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    EXPECT_TRUE(server_->Listen("inproc://jobs").ok());
    ClientOptions client_options;
    client_options.servers = {"inproc://jobs"};
    client_options.transports = transports_;
    auto client = Client::Create(std::move(client_options));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  ~WorkerThreadsTest() override {
    if (worker_ != nullptr) worker_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  void MakeWorker(int concurrency, WorkerOptions options = {}) {
    options.servers = {"inproc://jobs"};
    options.transports = transports_;
    options.concurrency = concurrency;
    auto worker = Worker::Create(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
  }
  void Start() {
    thread_ = std::thread([this] { end_ = worker_->Run(); });
  }
  absl::Status Join() {
    thread_.join();
    return end_;
  }
  std::vector<JobRequest> Submit(const std::string& task, int count) {
    std::vector<JobSpec> specs;
    for (int i = 0; i < count; ++i) {
      JobSpec spec;
      spec.task = task;
      spec.data = absl::StrCat(i);
      specs.push_back(std::move(spec));
    }
    return client_->SubmitMultipleJobs(std::move(specs));
  }

  const std::shared_ptr<InprocNetwork> network_ =
      std::make_shared<InprocNetwork>();
  const std::shared_ptr<TransportRegistry> transports_ =
      std::make_shared<TransportRegistry>();
  std::unique_ptr<JobServer> server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  absl::Status end_;
};

TEST_F(WorkerThreadsTest, ManyHandlersRunAtOnceOnOneConnection) {
  constexpr int kHandlers = 64;
  MakeWorker(kHandlers);
  absl::Mutex mutex;
  int here = 0;
  ASSERT_TRUE(
      worker_
          ->Register(
              "meet",
              [&](JobContext& context) -> absl::StatusOr<std::string> {
                // Nobody gets on before all have come.
                absl::MutexLock lock(&mutex);
                ++here;
                if (!mutex.AwaitWithTimeout(
                        absl::Condition(
                            +[](int* count) { return *count == kHandlers; },
                            &here),
                        kLong)) {
                  return absl::AbortedError("waited in vain");
                }
                const absl::string_view data = context.job().data();
                return std::string(data.data(), data.size());
              })
          .ok());
  Start();
  const std::vector<JobRequest> requests = Submit("meet", kHandlers);
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests, kLong).ok());
  for (int i = 0; i < kHandlers; ++i) {
    EXPECT_EQ(requests[static_cast<size_t>(i)].result(), absl::StrCat(i));
  }
  EXPECT_EQ(worker_->stats().connects, 1u);
}

TEST_F(WorkerThreadsTest, UpdatesOfManyHandlersStayWithTheirJobs) {
  MakeWorker(8);
  ASSERT_TRUE(
      worker_
          ->Register("count",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       const std::string data(context.job().data().data(),
                                              context.job().data().size());
                       for (int i = 0; i < 20; ++i) {
                         EXPECT_TRUE(
                             context.SendData(absl::StrCat(data, "/", i)).ok());
                       }
                       return data;
                     })
          .ok());
  Start();
  const std::vector<JobRequest> requests = Submit("count", 200);
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests, kLong).ok());
  for (const JobRequest& request : requests) {
    const std::vector<std::string> updates = request.data_updates();
    ASSERT_EQ(updates.size(), 20u);
    for (size_t i = 0; i < updates.size(); ++i) {
      EXPECT_EQ(updates[i], absl::StrCat(request.data(), "/", i));
    }
  }
}

TEST_F(WorkerThreadsTest, DrainFinishesWhatIsHeldAndGivesNothingBack) {
  MakeWorker(4);
  absl::Notification begun;
  ASSERT_TRUE(
      worker_
          ->Register("work",
                     [&](JobContext& context) -> absl::StatusOr<std::string> {
                       if (context.job().data() == "10") {
                         worker_->Drain();
                         begun.Notify();
                       }
                       return "done";
                     })
          .ok());
  Start();
  const std::vector<JobRequest> requests = Submit("work", 1000);
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(kLong));
  EXPECT_TRUE(Join().ok());
  // The client may still be sending them.
  ASSERT_TRUE(client_->WaitUntilJobsAccepted(requests, kLong).ok());
  const WorkerStats stats = worker_->stats();
  EXPECT_EQ(stats.jobs_complete, stats.jobs_assigned);
  EXPECT_EQ(stats.jobs_given_back, 0u);
  // Jobs that this worker did not take wait for another one.
  EXPECT_EQ(server_->jobs(), 1000 - stats.jobs_complete);
}

TEST_F(WorkerThreadsTest, DrainTellsWhenItsLimitCutJobsShort) {
  MakeWorker(2);
  absl::Notification begun;
  ASSERT_TRUE(
      worker_
          ->Register(
              "endless",
              [&begun](JobContext& context) -> absl::StatusOr<std::string> {
                begun.Notify();
                while (!context.stop_token().WaitFor(kLong)) {
                }
                return "late";
              })
          .ok());
  Start();
  const JobRequest request = client_->SubmitJob("endless", "");
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(kLong));
  worker_->Drain(absl::Milliseconds(1));
  EXPECT_EQ(Join().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(worker_->stats().jobs_given_back, 1u);
  EXPECT_EQ(worker_->stats().late_results, 1u);
  request.Cancel();
}

TEST_F(WorkerThreadsTest, StopWaitsForNoResultButForEachHandler) {
  MakeWorker(4);
  std::atomic<int> running{0};
  absl::Mutex mutex;
  int begun = 0;
  ASSERT_TRUE(
      worker_
          ->Register("endless",
                     [&](JobContext& context) -> absl::StatusOr<std::string> {
                       ++running;
                       {
                         absl::MutexLock lock(&mutex);
                         ++begun;
                       }
                       while (!context.stop_token().WaitFor(kLong)) {
                       }
                       --running;
                       return "late";
                     })
          .ok());
  Start();
  const std::vector<JobRequest> requests = Submit("endless", 4);
  {
    absl::MutexLock lock(&mutex);
    ASSERT_TRUE(mutex.AwaitWithTimeout(
        absl::Condition(
            +[](int* count) { return *count == 4; }, &begun),
        kLong));
  }
  worker_->Stop();
  EXPECT_TRUE(Join().ok());
  EXPECT_EQ(running.load(), 0);
  for (const JobRequest& request : requests) request.Cancel();
}

// A program's own handler of SIGTERM would do this.
Worker* signalled_worker = nullptr;
void StopOnSignal(int) { signalled_worker->Stop(); }
void DrainOnSignal(int) { signalled_worker->Drain(); }

TEST_F(WorkerThreadsTest, MayBeEndedByASignalHandler) {
  for (void (*handler)(int) : {StopOnSignal, DrainOnSignal}) {
    MakeWorker(1);
    ASSERT_TRUE(worker_
                    ->Register("ready",
                               [](JobContext&) -> absl::StatusOr<std::string> {
                                 return "yes";
                               })
                    .ok());
    Start();
    ASSERT_TRUE(client_->Run("ready", "").ok());
    signalled_worker = worker_.get();
    struct sigaction action = {};
    struct sigaction before = {};
    action.sa_handler = handler;
    ASSERT_EQ(sigaction(SIGUSR2, &action, &before), 0);
    ASSERT_EQ(raise(SIGUSR2), 0);
    EXPECT_TRUE(Join().ok());
    ASSERT_EQ(sigaction(SIGUSR2, &before, nullptr), 0);
    worker_ = nullptr;
  }
}

TEST_F(WorkerThreadsTest, RunsOnOneThreadAtATime) {
  MakeWorker(1);
  absl::Status inside;
  ASSERT_TRUE(worker_
                  ->Register("again",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               inside = worker_->Run();
                               return "";
                             })
                  .ok());
  Start();
  ASSERT_TRUE(client_->Run("again", "").ok());
  EXPECT_EQ(inside.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(worker_->Run().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(WorkerThreadsTest, NothingRunsOrWaitsAfterItHasStopped) {
  WorkerOptions options;
  options.prefetch.min_jobs = 10;
  options.prefetch.max_jobs = 10;
  MakeWorker(2, std::move(options));
  absl::Notification end;
  ASSERT_TRUE(worker_
                  ->Register("slow",
                             [&](JobContext&) {
                               end.WaitForNotification();
                               return absl::StatusOr<std::string>("");
                             })
                  .ok());
  const std::vector<JobRequest> requests = Submit("slow", 12);
  // All wait at the server: a worker that holds half of what it may asks for no
  // more.
  ASSERT_TRUE(client_->WaitUntilJobsAccepted(requests, kLong).ok());
  Start();
  // The worker publishes its state at the end of a turn, and each count at
  // once.
  ASSERT_TRUE(support::WaitFor([this] {
    const WorkerStats stats = worker_->stats();
    return stats.jobs_assigned == 12 && stats.jobs_waiting == 10;
  }));
  worker_->Stop();
  EXPECT_TRUE(support::WaitFor([this] { return worker_->stopped(); }));
  // Now the pool has been stopped, before which its threads were all busy.
  end.Notify();
  EXPECT_TRUE(Join().ok());
  EXPECT_EQ(worker_->stats().jobs_lost, 12u);
  EXPECT_EQ(worker_->stats().jobs_running, 0u);
  EXPECT_EQ(worker_->stats().jobs_waiting, 0u);
}

TEST_F(WorkerThreadsTest, RegistersAndUnregistersWhileItWorks) {
  MakeWorker(2);
  ASSERT_TRUE(worker_
                  ->Register("first",
                             [](JobContext&) -> absl::StatusOr<std::string> {
                               return "1";
                             })
                  .ok());
  Start();
  for (int i = 0; i < 50; ++i) {
    const std::string task = absl::StrCat("task", i);
    ASSERT_TRUE(worker_
                    ->Register(task,
                               [i](JobContext&) -> absl::StatusOr<std::string> {
                                 return absl::StrCat(i);
                               })
                    .ok());
    const absl::StatusOr<std::string> result = client_->Run(task, "");
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(*result, absl::StrCat(i));
    ASSERT_TRUE(worker_->Unregister(task).ok());
  }
  EXPECT_EQ(*client_->Run("first", ""), "1");
}

TEST_F(WorkerThreadsTest, PendingJobsMayOutliveTheWorker) {
  MakeWorker(1);
  PendingJob kept;
  absl::Notification begun;
  ASSERT_TRUE(worker_
                  ->RegisterAsync("keep",
                                  [&](PendingJob job) {
                                    kept = std::move(job);
                                    begun.Notify();
                                  })
                  .ok());
  Start();
  const JobRequest request = client_->SubmitJob("keep", "");
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(kLong));
  worker_->Stop();
  EXPECT_TRUE(Join().ok());
  worker_ = nullptr;
  EXPECT_TRUE(kept.stop_token().stop_requested());
  EXPECT_FALSE(kept.SendData("x").ok());
  kept.Finish(std::string("nobody hears it"));
  request.Cancel();
}

}  // namespace
}  // namespace gearman
