// Tests of a worker's servers: the list, their health, the share of each, and
// the age of connections, on a virtual clock.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gearman/tests/sdk/worker_fixture.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using WorkerServersTest = WorkerTest;

TEST_F(WorkerServersTest, TellsWhichServersAreConnectedAndWhyTheOthersAreNot) {
  options_.servers = {"inproc://jobs", "inproc://none"};
  Start({{"echo", Echo}});
  EXPECT_EQ(worker_->health().state, HealthState::kDown);
  EXPECT_EQ(worker_->health().servers[0].state, ServerState::kConnecting);
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  const Health health = worker_->health();
  EXPECT_EQ(health.state, HealthState::kDegraded);
  ASSERT_EQ(health.servers.size(), 2u);
  EXPECT_EQ(health.servers[0].server, "inproc://jobs");
  EXPECT_EQ(health.servers[0].state, ServerState::kUp);
  EXPECT_EQ(health.servers[1].state, ServerState::kFailing);
  EXPECT_EQ(health.servers[1].failures, 1);
  EXPECT_THAT(std::string(health.servers[1].last_error.message()),
              HasSubstr("none"));
  EXPECT_GT(health.servers[1].next_attempt, now());
}

TEST_F(WorkerServersTest, AServerThatIsAddedGetsTheWorkerToo) {
  StartAndGrab("echo", Echo);
  testing::PlayedServer other(&stack_.simulation, stack_.network(), "other");
  EXPECT_TRUE(worker_->AddServer("inproc://other").ok());
  EXPECT_THAT(worker_->servers(),
              ElementsAre("inproc://jobs", "inproc://other"));
  const auto connection = other.Accept();
  EXPECT_EQ(connection->Receive(), "CAN_DO echo");
  EXPECT_EQ(worker_->AddServer("inproc://other").code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(worker_->AddServer("carrier-pigeon://other").code(),
            absl::StatusCode::kNotFound);
}

TEST_F(WorkerServersTest, AServerThatIsRemovedGetsItsAnswersAndNoGrab) {
  std::string result = "none";
  StartAndGrab("slow", [this](JobContext& context) {
    EXPECT_TRUE(worker_->RemoveServer("inproc://jobs").ok());
    context.stop_token().WaitFor(absl::Seconds(10));
    return Echo(context);
  });
  Give("H:1", "slow", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  // A receipt, so that the answer is not lost by closing.
  EXPECT_THAT(server_->Receive(), StartsWith("ECHO_REQ "));
  server_->Send(Command::kEchoRes, {"gearman_sdk receipt"});
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_THAT(worker_->servers(), IsEmpty());
  EXPECT_THAT(worker_->health().servers, IsEmpty());
  EXPECT_EQ(worker_->stats().jobs_complete, 1u);
  EXPECT_EQ(worker_->RemoveServer("inproc://jobs").code(),
            absl::StatusCode::kNotFound);
  // The server comes back.
  EXPECT_TRUE(worker_->AddServer("inproc://jobs").ok());
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

// The link of the job is another server's by then.
TEST_F(WorkerServersTest, AJobOfARemovedServerIsNotAnsweredElsewhere) {
  std::optional<PendingJob> pending;
  StartAsyncAndGrab("slow", [&](PendingJob job) { pending = std::move(job); });
  Give("H:1", "slow", "x");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Close();
  stack_.simulation.RunFor(absl::ZeroDuration());
  ASSERT_TRUE(pending.has_value());
  testing::PlayedServer other(&stack_.simulation, stack_.network(), "other");
  EXPECT_TRUE(worker_->RemoveServer("inproc://jobs").ok());
  EXPECT_TRUE(worker_->AddServer("inproc://other").ok());
  const auto connection = other.Accept();
  EXPECT_EQ(connection->Receive(), "CAN_DO slow");
  EXPECT_EQ(connection->Receive(), "GRAB_JOB_ALL");
  EXPECT_TRUE(absl::IsCancelled(pending->SendData("y")));
  pending->Finish(std::string("done"));
  EXPECT_THAT(connection->ReceiveFor(absl::Seconds(5)), IsEmpty());
  EXPECT_EQ(worker_->stats().late_results, 1u);
  EXPECT_EQ(worker_->stats().jobs_lost, 1u);
}

TEST_F(WorkerServersTest, AnOldConnectionIsReplacedAndAnswersItsJob) {
  options_.heartbeat_interval = absl::InfiniteDuration();
  options_.regrab_interval = absl::InfiniteDuration();
  std::optional<PendingJob> pending;
  StartAsyncAndGrab("slow", [&](PendingJob job) { pending = std::move(job); });
  Give("H:1", "slow", "x");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  const std::unique_ptr<testing::PlayedConnection> old = std::move(server_);
  const absl::Time begin = now();
  Accept();
  EXPECT_GE(now() - begin, absl::Minutes(27));
  EXPECT_LE(now() - begin, absl::Minutes(30));
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Send(Command::kNoJob, {});
  stack_.simulation.RunFor(absl::Minutes(10));
  ASSERT_TRUE(pending.has_value());
  pending->Finish(std::string("done"));
  EXPECT_EQ(old->Receive(), "WORK_COMPLETE H:1|done");
  EXPECT_THAT(old->Receive(), StartsWith("ECHO_REQ "));
  old->Send(Command::kEchoRes, {"gearman_sdk receipt"});
  EXPECT_EQ(old->Receive(), "closed");
  EXPECT_THAT(worker_->servers(), ElementsAre("inproc://jobs"));
  ASSERT_EQ(worker_->health().servers.size(), 1u);
  EXPECT_EQ(worker_->health().servers[0].state, ServerState::kUp);
}

// With one handler, a worker asks one server at a time. A server that was
// stopped keeps its connections and answers nothing.
TEST_F(WorkerServersTest, AServerThatDoesNotAnswerHoldsUpNoOther) {
  testing::PlayedServer second(&stack_.simulation, stack_.network(), "second");
  options_.servers = {"inproc://jobs", "inproc://second"};
  int done = 0;
  Start({{"echo", [&done](JobContext& context) {
            ++done;
            return Echo(context);
          }}});
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  const absl::Time begin = now();
  const auto other = second.Accept();
  EXPECT_EQ(other->Receive(), "CAN_DO echo");
  EXPECT_EQ(other->Receive(), "GRAB_JOB_ALL");
  EXPECT_LE(now() - begin, absl::Seconds(1));
  other->Send(Command::kJobAssignUniq, {"H:2", "echo", "u", "x"});
  EXPECT_EQ(other->Receive(), "WORK_COMPLETE H:2|x");
  EXPECT_EQ(other->Receive(), "GRAB_JOB_ALL");
  // The first server goes on. Its grab counts again, so the worker waits for
  // the answer of the other one before it asks for more.
  Give("H:1", "echo", "y");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|y");
  EXPECT_THAT(server_->ReceiveFor(absl::Milliseconds(100)), IsEmpty());
  other->Send(Command::kNoJob, {});
  EXPECT_EQ(other->Receive(), "PRE_SLEEP");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(done, 2);
}

TEST_F(WorkerServersTest, NorDoesItForATaskWithALimit) {
  testing::PlayedServer second(&stack_.simulation, stack_.network(), "second");
  options_.servers = {"inproc://jobs", "inproc://second"};
  TaskOptions one_at_once;
  one_at_once.max_running = 1;
  std::vector<PendingJob> running;
  Start({});
  ASSERT_TRUE(
      worker_
          ->RegisterAsync(
              "slow",
              [&running](PendingJob job) { running.push_back(std::move(job)); },
              one_at_once)
          .ok());
  // The task has a connection of its own to each server, behind the first one.
  const auto first_of_jobs = played_.Accept();
  Accept();
  EXPECT_EQ(server_->Receive(), "CAN_DO slow");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  const auto first_of_second = second.Accept();
  const auto other = second.Accept();
  EXPECT_EQ(other->Receive(), "CAN_DO slow");
  EXPECT_EQ(other->Receive(), "GRAB_JOB_ALL");
  other->Send(Command::kJobAssignUniq, {"H:2", "slow", "u", "x"});
  Give("H:1", "slow", "y");
  Settle();
  // The limit holds, though both servers have given a job.
  ASSERT_EQ(running.size(), 1u);
  running[0].Finish(std::string("done"));
  Settle();
  ASSERT_EQ(running.size(), 2u);
  running[1].Finish(std::string("done"));
  EXPECT_THAT(server_->Receive(), StartsWith("WORK_COMPLETE H:1"));
  EXPECT_THAT(other->Receive(), StartsWith("WORK_COMPLETE H:2"));
}

// The server queues a job again that it gives to a closed connection.
TEST_F(WorkerServersTest, DrainWaitsForNoServerThatDoesNotAnswerAGrab) {
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "x");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  // The server has taken the answer, because it answers the grab behind it.
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  server_->Send(Command::kNoop, {});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  const absl::Time begin = now();
  worker_->Drain();
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_LE(now() - begin, absl::Seconds(1));
}

TEST_F(WorkerServersTest, DrainAsksNothingOfAServerThatHasTakenEachAnswer) {
  StartAndGrab("echo", Echo);
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  const absl::Time begin = now();
  worker_->Drain();
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_EQ(now(), begin);
}

TEST_F(WorkerServersTest, SharesItselfFairlyAmongItsServers) {
  const std::vector<std::string> names = {"a", "b", "c"};
  std::vector<std::string> addresses;
  std::vector<std::unique_ptr<Client>> clients;
  for (const std::string& name : names) {
    stack_.StartServer(name);
    addresses.push_back(absl::StrCat("inproc://", name));
    clients.push_back(
        stack_.MakeClient("client of " + name, {addresses.back()}));
    std::vector<JobSpec> specs;
    for (int i = 0; i < 300; ++i) {
      JobSpec spec("work", name);
      spec.background = true;
      specs.push_back(std::move(spec));
    }
    const auto requests = clients.back()->SubmitMultipleJobs(std::move(specs));
    ASSERT_TRUE(clients.back()->WaitUntilJobsAccepted(requests).ok());
  }
  options_.servers = addresses;
  options_.prefetch = PrefetchOptions();
  std::map<std::string, int> done;
  int total = 0;
  Start({{"work", [&](JobContext& context) {
            ++done[std::string(context.job().data())];
            ++total;
            context.stop_token().WaitFor(absl::Milliseconds(1));
            return Echo(context);
          }}});
  ASSERT_TRUE(stack_.simulation.RunUntil([&] { return total >= 450; }));
  for (const std::string& name : names) {
    EXPECT_GE(done[name], 100) << name;
    EXPECT_LE(done[name], 200) << name;
  }
}

// A thousand workers whose server restarts.
TEST(ManyWorkersTest, DoNotReconnectInOneMoment) {
  testing::SimulatedStack stack(7);
  stack.StartServer("jobs");
  std::vector<Worker*> workers;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = absl::StrCat("worker ", i);
    workers.push_back(&stack.StartWorker(
        name, stack.WorkerDefaults(name, {"inproc://jobs"})));
    ASSERT_TRUE(workers.back()->Register("echo", Echo).ok());
  }
  const auto connected = [&workers] {
    return std::count_if(workers.begin(), workers.end(),
                         [](const Worker* worker) {
                           return worker->health().state == HealthState::kReady;
                         });
  };
  stack.simulation.RunFor(absl::Seconds(1));
  ASSERT_EQ(connected(), 1000);
  // Gone for a moment, as in a restart.
  stack.KillServer("jobs");
  stack.simulation.RunFor(absl::ZeroDuration());
  ASSERT_EQ(connected(), 0);
  stack.StartServer("jobs");
  std::vector<int64_t> by_tenth = {0};
  for (int tenth = 1; tenth <= 30; ++tenth) {
    stack.simulation.RunFor(absl::Milliseconds(100));
    by_tenth.push_back(connected());
  }
  EXPECT_EQ(by_tenth.back(), 1000);
  for (size_t i = 1; i < by_tenth.size(); ++i) {
    EXPECT_LE(by_tenth[i] - by_tenth[i - 1], 100) << "at tenth " << i;
    if (i >= 10) {
      EXPECT_LE(by_tenth[i] - by_tenth[i - 10], 600) << "at tenth " << i;
    }
  }
}

}  // namespace
}  // namespace gearman
