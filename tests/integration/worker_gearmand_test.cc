// The worker against a real gearmand.
#include <atomic>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/integration/running_worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using support::WaitFor;
using ::testing::HasSubstr;

absl::StatusOr<std::string> Echo(JobContext& context) {
  const absl::string_view data = context.job().data();
  return std::string(data.data(), data.size());
}

class WorkerGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ok()); }
  std::unique_ptr<Client> MakeClient(ClientOptions options = {}) {
    if (options.servers.empty()) options.servers = {server_.address()};
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  // All that `workers` says.
  std::string Workers() {
    const auto lines = server_.Admin("workers");
    EXPECT_TRUE(lines.ok()) << lines.status();
    return lines.ok() ? absl::StrJoin(*lines, "\n") : "";
  }

  GearmandProcess server_;
};

// Traps 34 and 38.
TEST_F(WorkerGearmandTest, GoesOnAfterARestartUnderItsOldNameAndTasks) {
  WorkerOptions options;
  options.client_id = "resizer";
  options.reconnect.first_delay = absl::Milliseconds(10);
  options.reconnect.initial_delay = absl::Milliseconds(20);
  options.reconnect.max_delay = absl::Milliseconds(50);
  RunningWorker worker({server_.address()}, options);
  ASSERT_TRUE(worker->Register("echo", Echo).ok());
  ASSERT_TRUE(worker->Register("other", Echo).ok());
  worker.Start();
  for (int round = 0; round < 3; ++round) {
    const auto client = MakeClient();
    const absl::StatusOr<std::string> result =
        client->Run("echo", absl::StrCat(round));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(Workers(), HasSubstr("resizer : other echo"));
    if (round % 2 == 0) {
      ASSERT_TRUE(server_.Stop().ok());
    } else {
      server_.Kill();
    }
    ASSERT_TRUE(server_.Restart().ok());
  }
  EXPECT_GE(worker->stats().connects, 3u);
}

// Trap 30: gearmand wakes nobody when it comes due.
TEST_F(WorkerGearmandTest, DoesADelayedJobThoughNobodyWakesIt) {
  WorkerOptions options;
  options.regrab_interval = absl::Milliseconds(100);
  RunningWorker worker({server_.address()}, options);
  absl::Notification done;
  ASSERT_TRUE(
      worker
          ->Register("later",
                     [&done](JobContext&) -> absl::StatusOr<std::string> {
                       done.Notify();
                       return "";
                     })
          .ok());
  worker.Start();
  const auto client = MakeClient();
  CallOptions call;
  const absl::Time due = absl::Now() + absl::Seconds(2);
  call.run_at = due;
  const JobRequest request = client->SubmitBackgroundJob("later", "", call);
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}).ok());
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_GE(absl::Now(), due);
}

// Trap 29: before a delayed job gearmand says NOOP and NO_JOB in turn, as a low
// job of the same function waits behind it.
TEST_F(WorkerGearmandTest, DoesNotSpinBeforeADelayedJob) {
  const auto client = MakeClient();
  CallOptions call;
  call.run_at = absl::Now() + absl::Seconds(3);
  const JobRequest delayed = client->SubmitBackgroundJob("f", "delayed", call);
  CallOptions low;
  low.priority = Priority::kLow;
  const JobRequest hidden = client->SubmitBackgroundJob("f", "low", low);
  ASSERT_TRUE(client->WaitUntilJobsAccepted({delayed, hidden}).ok());
  RunningWorker worker({server_.address()});
  std::atomic<int> done{0};
  ASSERT_TRUE(
      worker
          ->Register("f",
                     [&done](JobContext&) -> absl::StatusOr<std::string> {
                       ++done;
                       return "";
                     })
          .ok());
  worker.Start();
  EXPECT_TRUE(WaitFor([&done] { return done.load() == 2; }));
  // Thousands a second, if nothing kept it from spinning.
  EXPECT_LT(worker->stats().grabs_sent, 300u);
}

TEST_F(WorkerGearmandTest, SixtyFourHandlersWorkAtOnceOnOneConnection) {
  constexpr int kHandlers = 64;
  WorkerOptions options;
  options.concurrency = kHandlers;
  RunningWorker worker({server_.address()}, options);
  absl::Mutex mutex;
  int here = 0;
  ASSERT_TRUE(worker
                  ->Register("meet",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               absl::MutexLock lock(&mutex);
                               ++here;
                               if (!mutex.AwaitWithTimeout(
                                       absl::Condition(
                                           +[](int* count) {
                                             return *count == kHandlers;
                                           },
                                           &here),
                                       kLong)) {
                                 return absl::AbortedError("waited in vain");
                               }
                               return "met";
                             })
                  .ok());
  worker.Start();
  const auto client = MakeClient();
  std::vector<JobRequest> requests;
  for (int i = 0; i < kHandlers; ++i) {
    requests.push_back(client->SubmitJob("meet", ""));
  }
  EXPECT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
}

// tests/sdk/worker_prefetch_test.cc looks closer, on a virtual clock.
TEST_F(WorkerGearmandTest, FourWorkersHoldNoSlowJobThatAnotherCouldBegin) {
  constexpr int kWorkers = 4;
  constexpr int kJobs = 40;
  absl::Mutex mutex;
  int begun = 0;
  std::atomic<uint64_t> held{0};
  std::vector<std::unique_ptr<RunningWorker>> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<RunningWorker>(
        std::vector<std::string>{server_.address()}));
    RunningWorker* const worker = workers.back().get();
    const auto slow =
        [&, worker](JobContext& context) -> absl::StatusOr<std::string> {
      {
        // Each of the first four jobs is another worker's.
        absl::MutexLock lock(&mutex);
        ++begun;
        if (!mutex.AwaitWithTimeout(
                absl::Condition(
                    +[](int* count) { return *count >= kWorkers; }, &begun),
                kLong)) {
          return absl::AbortedError("waited in vain for the other workers");
        }
      }
      // The worker takes in meanwhile what it has asked for before.
      context.stop_token().WaitFor(absl::Milliseconds(20));
      const WorkerStats stats = (*worker)->stats();
      held += stats.jobs_waiting + stats.grabs_outstanding;
      return "";
    };
    ASSERT_TRUE((*worker)->Register("slow", slow).ok());
    worker->Start();
  }
  ASSERT_TRUE(WaitFor([this] {
    const auto status = server_.Admin("status");
    return status.ok() && *status == std::vector<std::string>{"slow\t0\t0\t4"};
  }));
  const auto client = MakeClient();
  std::vector<JobSpec> specs;
  for (int i = 0; i < kJobs; ++i) specs.emplace_back("slow", "");
  const auto requests = client->SubmitMultipleJobs(std::move(specs));
  EXPECT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
  EXPECT_EQ(held.load(), 0u);
  EXPECT_EQ(begun, kJobs);
}

TEST_F(WorkerGearmandTest, TinyJobsGoThroughInFewWrites) {
  constexpr int kJobs = 20000;
  RunningWorker worker({server_.address()});
  ASSERT_TRUE(worker->Register("echo", Echo).ok());
  worker.Start();
  const auto client = MakeClient();
  std::vector<JobSpec> specs;
  for (int i = 0; i < kJobs; ++i) {
    JobSpec spec;
    spec.task = "echo";
    spec.data = absl::StrCat(i);
    specs.push_back(std::move(spec));
  }
  const auto requests = client->SubmitMultipleJobs(std::move(specs));
  ASSERT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_EQ(requests[static_cast<size_t>(i)].result(), absl::StrCat(i));
  }
  const WorkerStats stats = worker->stats();
  EXPECT_EQ(stats.jobs_complete, static_cast<uint64_t>(kJobs));
  EXPECT_LT(stats.writes, static_cast<uint64_t>(kJobs) / 2);
}

TEST_F(WorkerGearmandTest, SpreadsOverItsServersAndSurvivesEach) {
  GearmandProcess second;
  ASSERT_TRUE(second.ok());
  WorkerOptions options;
  options.reconnect.first_delay = absl::Milliseconds(10);
  options.reconnect.initial_delay = absl::Milliseconds(20);
  RunningWorker worker({server_.address(), second.address()}, options);
  ASSERT_TRUE(worker->Register("echo", Echo).ok());
  worker.Start();
  ClientOptions at_first;
  const auto first_client = MakeClient(at_first);
  ClientOptions at_second;
  at_second.servers = {second.address()};
  const auto second_client = MakeClient(at_second);
  EXPECT_EQ(*first_client->Run("echo", "1"), "1");
  EXPECT_EQ(*second_client->Run("echo", "2"), "2");
  ASSERT_TRUE(server_.Stop().ok());
  EXPECT_EQ(*second_client->Run("echo", "3"), "3");
  ASSERT_TRUE(server_.Restart().ok());
  EXPECT_EQ(*MakeClient(at_first)->Run("echo", "4"), "4");
}

// Trap 35: with CANT_DO the server queues the job again and refuses the answer.
TEST_F(WorkerGearmandTest, UnregisteringAHeldTaskKeepsItsJob) {
  RunningWorker worker({server_.address()});
  std::atomic<int> runs{0};
  ASSERT_TRUE(
      worker
          ->Register("once",
                     [&](JobContext& context) -> absl::StatusOr<std::string> {
                       ++runs;
                       EXPECT_TRUE(worker->Unregister("once").ok());
                       // The handler asks its stop token, so that the worker
                       // hears of the Unregister while the job runs.
                       context.stop_token().WaitFor(absl::Milliseconds(20));
                       return "done";
                     })
          .ok());
  worker.Start();
  const auto client = MakeClient();
  const absl::StatusOr<std::string> result = client->Run("once", "");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(runs.load(), 1);
  EXPECT_TRUE(
      WaitFor([this] { return !absl::StrContains(Workers(), " : once"); }));
  EXPECT_EQ(worker->stats().answers_refused, 0u);
}

// Trap 39.
TEST_F(WorkerGearmandTest, AJobWhoseRetriesAreUsedUpFailsWithoutAWorkersWord) {
  GearmandProcess server({"--job-retries=2"});
  ASSERT_TRUE(server.ok());
  ClientOptions options;
  options.servers = {server.address()};
  const auto client = MakeClient(options);
  const JobRequest request = client->SubmitJob("crash", "");
  for (int run = 0; run < 2; ++run) {
    RunningWorker worker({server.address()});
    absl::Notification begun;
    ASSERT_TRUE(
        worker
            ->Register(
                "crash",
                [&begun](JobContext& context) -> absl::StatusOr<std::string> {
                  begun.Notify();
                  while (!context.stop_token().WaitFor(kLong)) {
                  }
                  return "";
                })
            .ok());
    worker.Start();
    ASSERT_TRUE(begun.WaitForNotificationWithTimeout(kLong));
  }
  EXPECT_FALSE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.state(), JobState::kFailed);
}

TEST_F(WorkerGearmandTest, AHundredRestartsLoseNothingAndLeaveNothingBehind) {
  constexpr int kServers = 3;
  constexpr int kRestarts = 100;
  std::vector<std::unique_ptr<GearmandProcess>> servers;
  std::vector<std::string> addresses;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kServers; ++i) {
    servers.push_back(std::make_unique<GearmandProcess>());
    ASSERT_TRUE(servers.back()->ok());
    addresses.push_back(servers.back()->address());
    ClientOptions client_options;
    client_options.servers = {addresses.back()};
    clients.push_back(MakeClient(std::move(client_options)));
  }
  WorkerOptions options;
  options.reconnect.first_delay = absl::Milliseconds(2);
  options.reconnect.initial_delay = absl::Milliseconds(5);
  options.reconnect.max_delay = absl::Milliseconds(20);
  RunningWorker worker(addresses, options);
  ASSERT_TRUE(worker->Register("echo", Echo).ok());
  worker.Start();
  // A server that is killed before has not lost its worker.
  ASSERT_TRUE(WaitFor([&worker] {
    return worker->stats().servers_connected == uint64_t{kServers};
  }));
  for (int restart = 0; restart < kRestarts; ++restart) {
    GearmandProcess& victim = *servers[static_cast<size_t>(restart % kServers)];
    victim.Kill();
    // The others are served meanwhile.
    const auto& other = clients[static_cast<size_t>((restart + 1) % kServers)];
    EXPECT_EQ(*other->Run("echo", "meanwhile"), "meanwhile");
    ASSERT_TRUE(victim.Restart().ok());
    for (const auto& client : clients) {
      const absl::StatusOr<std::string> result =
          client->Run("echo", absl::StrCat(restart));
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(*result, absl::StrCat(restart));
    }
  }
  EXPECT_TRUE(WaitFor([&worker] {
    return worker->stats().jobs_complete == kRestarts * (kServers + 1);
  }));
  const WorkerStats stats = worker->stats();
  EXPECT_EQ(stats.jobs_assigned, stats.jobs_complete);
  EXPECT_GE(stats.connections_lost, uint64_t{kRestarts});
  for (const auto& server : servers) {
    const auto status = server->Admin("status");
    ASSERT_TRUE(status.ok()) << status.status();
    EXPECT_THAT(*status, ::testing::ElementsAre("echo\t0\t0\t1"));
  }
}

// Traps 44 and 46: the server is stopped for a while, as under a debugger.
TEST_F(WorkerGearmandTest, AServerThatHangsIsReplacedWhenItIsBack) {
  WorkerOptions options;
  options.reply_timeout = absl::Milliseconds(200);
  options.heartbeat_interval = absl::Milliseconds(100);
  options.reconnect.initial_delay = absl::Milliseconds(50);
  options.reconnect.max_delay = absl::Milliseconds(50);
  RunningWorker worker({server_.address()}, options);
  ASSERT_TRUE(worker->Register("echo", Echo).ok());
  worker.Start();
  const auto client = MakeClient();
  EXPECT_EQ(*client->Run("echo", "before"), "before");
  server_.Signal(SIGSTOP);
  EXPECT_TRUE(
      WaitFor([&worker] { return worker->stats().connections_lost > 0; }));
  server_.Signal(SIGCONT);
  EXPECT_EQ(*client->Run("echo", "after"), "after");
}

}  // namespace
}  // namespace gearman
