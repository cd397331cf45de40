// Each moment at which trying a job again can fail. Where the order of packets
// counts, the test plays the server.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/job_retry/job_retry_fixture.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using wire::Command;

// --- a server that the test plays --------------------------------------------

class JobRetryAtAPlayedServer : public JobRetryTest {
 protected:
  JobRetryAtAPlayedServer()
      : played_(&stack_.simulation, stack_.network(), "jobs") {}

  // Starts a worker whose "resize" fails until the attempt of this number, and
  // gives it a job.
  void StartAndGive(int until, JobRetryPolicy policy) {
    WorkerOptions worker_options =
        stack_.WorkerDefaults("worker", {"inproc://jobs"});
    worker_options.client_id.clear();
    // One grab at a time, so that each packet has its place.
    worker_options.prefetch.max_jobs = 0;
    worker_options.heartbeat_interval = absl::InfiniteDuration();
    worker_options.regrab_interval = absl::InfiniteDuration();
    worker_ = &stack_.StartWorker("worker", std::move(worker_options));
    JobRetryOptions options = Options("retry", {"inproc://jobs"});
    options.client.exceptions = false;
    retry_ = &StartRetry("retry", std::move(options));
    ASSERT_TRUE(retry_
                    ->Register(*worker_, "resize", FailingUntil(until),
                               std::move(policy))
                    .ok());
    AcceptWorker();
    server_->Send(Command::kJobAssignUniq, {"H:1", "resize", "u", "x"});
  }
  void AcceptWorker() {
    server_ = played_.Accept();
    ASSERT_EQ(server_->Receive(), "CAN_DO resize");
    ASSERT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  }
  // Has no other job for the worker.
  void LetSleep() {
    EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
    server_->Send(Command::kNoJob, {});
    EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  }
  // The packets of the failure of H:1.
  void ExpectFailure() {
    EXPECT_EQ(server_->Receive(),
              "WORK_WARNING H:1|gearman exception: NOT_FOUND: no image 17");
    EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  }

  PlayedServer played_;
  Worker* worker_ = nullptr;
  JobRetry* retry_ = nullptr;
  std::unique_ptr<PlayedConnection> server_;  // the worker's connection
};

TEST_F(JobRetryAtAPlayedServer, TheOldJobIsAnsweredAfterTheNewOneIsAccepted) {
  StartAndGive(2, Policy());
  const auto submits = played_.Accept();
  const std::string packet = submits->Receive();
  EXPECT_THAT(packet, StartsWith("SUBMIT_JOB_EPOCH resize|u~2|"));
  EXPECT_THAT(packet, AllOf(HasSubstr("attempt"), HasSubstr("retry-unique"),
                            EndsWith("x")));
  // The worker asks for other jobs, and answers nothing yet.
  EXPECT_THAT(server_->ReceiveFor(absl::Seconds(5)),
              ElementsAre("GRAB_JOB_ALL"));
  EXPECT_EQ(retry_->stats().waiting, 1u);
  submits->Send(Command::kJobCreated, {"H:2"});
  ExpectFailure();
  EXPECT_EQ(retry_->stats().waiting, 0u);
}

TEST_F(JobRetryAtAPlayedServer,
       ARefusedSubmissionIsTriedAgainAndThenGivenBack) {
  StartAndGive(9, Policy());
  const auto submits = played_.Accept();
  LetSleep();
  const absl::Time begun = stack_.simulation.now();
  int submissions = 0;
  while (!worker_->stats().jobs_given_back) {
    for (const std::string& packet : submits->ReceiveFor(absl::Seconds(1))) {
      EXPECT_THAT(packet, StartsWith("SUBMIT_JOB_EPOCH resize|u~2|"));
      ++submissions;
      submits->Send(Command::kError, {"QUEUE_ERROR", "Job queue is full"});
    }
    ASSERT_LT(stack_.simulation.now() - begun, absl::Minutes(2));
  }
  EXPECT_GE(submissions, 10);
  EXPECT_EQ(retry_->stats().given_back, 1u);
  EXPECT_THAT(log_, Contains(AllOf(HasSubstr("given back to the server"),
                                   HasSubstr("Job queue is full"))));
  // A new connection comes, and the old one is closed without an answer of the
  // job.
  const auto old = std::move(server_);
  AcceptWorker();
  EXPECT_EQ(old->Receive(), "closed");
}

TEST_F(JobRetryAtAPlayedServer, ALostSubmissionIsRepeatedUnderItsUnique) {
  StartAndGive(9, Policy());
  auto submits = played_.Accept();
  const std::string packet = submits->Receive();
  submits->Close();
  submits = played_.Accept();
  // The server has failed, so it shows first that it answers.
  EXPECT_EQ(submits->Receive(), "ECHO_REQ gearman_sdk heartbeat");
  submits->Send(Command::kEchoRes, {"gearman_sdk heartbeat"});
  EXPECT_EQ(submits->Receive(), packet);
  submits->Send(Command::kJobCreated, {"H:2"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  ExpectFailure();
  EXPECT_EQ(retry_->stats().submitted_again, 1u);
  EXPECT_EQ(retry_->stats().given_back, 0u);
}

TEST_F(JobRetryAtAPlayedServer, AJobThatIsLostMeanwhileIsNotSubmitted) {
  StartAndGive(9, Policy());
  auto submits = played_.Accept();
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_EPOCH"));
  submits->Send(Command::kError, {"QUEUE_ERROR", "Job queue is full"});
  // The server gives the job to another worker.
  server_->Close();
  AcceptWorker();
  EXPECT_EQ(retry_->stats().waiting, 0u);
  EXPECT_THAT(submits->ReceiveFor(absl::Minutes(2)),
              Not(Contains(StartsWith("SUBMIT_JOB_EPOCH"))));
  EXPECT_EQ(retry_->stats().given_back, 0u);
  EXPECT_EQ(worker_->stats().jobs_given_back, 0u);
}

TEST_F(JobRetryAtAPlayedServer, AServerWithoutDelayedJobsIsToldSo) {
  StartAndGive(9, Policy());
  const auto submits = played_.Accept();
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_EPOCH"));
  submits->Send(Command::kError, {"server_error", "no such method"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_THAT(
      server_->Receive(),
      AllOf(
          StartsWith("WORK_WARNING H:1|gearman exception: "
                     "FAILED_PRECONDITION: NOT_FOUND: no image 17 (attempt "
                     "1; not tried again: inproc://jobs knows no delayed jobs "
                     "(SUBMIT_JOB_EPOCH)"),
          HasSubstr("RetryPlace::kWorker"), HasSubstr("inproc://jobs")));
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(retry_->stats().given_up, 1u);
  EXPECT_THAT(log_, Contains(HasSubstr("can't be submitted to task")));
}

TEST_F(JobRetryAtAPlayedServer, ADeadLetterTakesTheJobsOfSuchAServer) {
  JobRetryPolicy policy = Policy();
  policy.dead_letter_task = "lost";
  StartAndGive(9, std::move(policy));
  const auto submits = played_.Accept();
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_EPOCH"));
  submits->Send(Command::kError, {"server_error", "no such method"});
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_BG lost|u~dead|"));
  submits->Send(Command::kJobCreated, {"H:2"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_THAT(server_->Receive(), HasSubstr("FAILED_PRECONDITION"));
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(retry_->stats().dead_letters, 1u);
}

TEST_F(JobRetryAtAPlayedServer, ARefusedDeadLetterIsGivenBack) {
  JobRetryPolicy policy = Policy(1);
  policy.dead_letter_task = "lost";
  StartAndGive(9, std::move(policy));
  const auto submits = played_.Accept();
  LetSleep();
  const absl::Time begun = stack_.simulation.now();
  while (!worker_->stats().jobs_given_back) {
    for (const std::string& packet : submits->ReceiveFor(absl::Seconds(1))) {
      EXPECT_THAT(packet, StartsWith("SUBMIT_JOB_BG lost|u~dead|"));
      submits->Send(Command::kError, {"QUEUE_ERROR", "Job queue is full"});
    }
    ASSERT_LT(stack_.simulation.now() - begun, absl::Minutes(2));
  }
  EXPECT_EQ(server_->Receive(), "closed");
}

TEST_F(JobRetryAtAPlayedServer, ADeadLetterThatCantBeIsTheFailure) {
  JobRetryPolicy policy = Policy(1);
  policy.dead_letter_task = "lost";
  StartAndGive(9, std::move(policy));
  const auto submits = played_.Accept();
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_BG"));
  submits->Send(Command::kError, {"ARGUMENT_TOO_LARGE", "too large"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  ExpectFailure();
  EXPECT_EQ(retry_->stats().given_up, 1u);
}

TEST_F(JobRetryAtAPlayedServer, TheDelayIsInWholeSecondsRoundedUp) {
  JobRetryPolicy policy = Policy();
  policy.backoff =
      std::make_shared<ConstantBackoffPolicy>(absl::Milliseconds(1500));
  StartAndGive(9, std::move(policy));
  const auto submits = played_.Accept();
  const std::string packet = submits->Receive();
  const absl::Time due =
      stack_.simulation.clock()->WallNow() + absl::Milliseconds(1500);
  const int64_t up = absl::ToUnixSeconds(due - absl::Nanoseconds(1)) + 1;
  EXPECT_THAT(packet,
              StartsWith(absl::StrCat("SUBMIT_JOB_EPOCH resize|u~2|", up)));
}

TEST_F(JobRetryAtAPlayedServer, AReduceJobIsRunAgainAtItsWorker) {
  StartAndGive(2, Policy());
  auto submits = played_.Accept();
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_EPOCH"));
  submits->Send(Command::kJobCreated, {"H:2"});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  ExpectFailure();
  server_->Send(Command::kJobAssignAll, {"H:3", "resize", "v", "sum", "x"});
  EXPECT_EQ(server_->Receive(),
            "WORK_WARNING H:3|attempt 1 of 3 failed; again in 10s");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:3|done");
  EXPECT_EQ(retry_->stats().submitted_again, 1u);
  EXPECT_EQ(retry_->stats().run_again, 1u);
}

TEST_F(JobRetryAtAPlayedServer, ADrainingWorkerWaitsForTheAcceptance) {
  StartAndGive(9, Policy());
  const auto submits = played_.Accept();
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_EPOCH"));
  LetSleep();
  worker_->Drain();
  stack_.simulation.RunFor(absl::Seconds(10));
  EXPECT_FALSE(worker_->stopped());
  submits->Send(Command::kJobCreated, {"H:2"});
  ExpectFailure();
}

TEST_F(JobRetryAtAPlayedServer, AnUnfinishedSubmissionEndsWithTheWorker) {
  StartAndGive(9, Policy());
  const auto submits = played_.Accept();
  EXPECT_THAT(submits->Receive(), StartsWith("SUBMIT_JOB_EPOCH"));
  stack_.simulation.Stop("retry");
  retries_.clear();
  stack_.KillWorker("worker");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  EXPECT_EQ(server_->Receive(), "closed");
  EXPECT_EQ(submits->Receive(), "closed");
}

// --- an embedded server ------------------------------------------------------

class JobRetryAtALosingServer : public JobRetryTest {
 protected:
  JobRetryAtALosingServer()
      : server_(&stack_.StartServer("jobs")),
        client_(stack_.MakeClient("client", {"inproc://jobs"})) {}

  void Start(const std::string& name, JobRetry& retry, int until,
             JobRetryPolicy policy) {
    Worker& worker = stack_.StartWorker(name, {"inproc://jobs"});
    EXPECT_TRUE(
        retry.Register(worker, "resize", FailingUntil(until), std::move(policy))
            .ok());
  }
  void Submit() {
    CallOptions options;
    options.unique = "u";
    EXPECT_TRUE(client_
                    ->Wait(client_->SubmitBackgroundJob("resize", "x",
                                                        std::move(options)))
                    .ok());
  }
  void Finish() {
    EXPECT_TRUE(stack_.simulation.RunUntil(
        [this] { return server_->jobs() == 0; }, absl::Hours(1)));
  }

  AdminClient& Admin() {
    if (admin_ == nullptr) {
      AdminClientOptions options;
      options.server = "inproc://jobs";
      options.transports = stack_.ClientDefaults("", {}).transports;
      options.poller = stack_.simulation.MakePoller("admin");
      auto admin = AdminClient::Create(std::move(options));
      EXPECT_TRUE(admin.ok()) << admin.status();
      admin_ = *std::move(admin);
    }
    return *admin_;
  }

  JobServer* server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<AdminClient> admin_;
};

TEST_F(JobRetryAtALosingServer, AWorkerThatDiesBeforeItsAnswerLosesNothing) {
  JobRetry& retry = StartRetry();
  Start("first", retry, 9, Policy());
  Submit();
  // The new job has been accepted, and the old one has not been answered.
  ASSERT_TRUE(stack_.simulation.RunUntil(
      [&] { return retry.stats().submitted_again == 1; }, absl::Minutes(1)));
  ASSERT_EQ(server_->jobs(), 2u);
  stack_.KillWorker("first");
  // The old job runs once more, and its next attempt joins the one in the
  // queue.
  Start("second", retry, 2, Policy());
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 1, 2));
}

TEST_F(JobRetryAtALosingServer, AFullQueueDelaysTheRetriesAndLosesNothing) {
  JobRetryPolicy policy = Policy(2);
  policy.dead_letter_task = "lost";
  JobRetry& retry = StartRetry();
  Start("worker", retry, 9, std::move(policy));
  // The running job itself is the one that the queue may have.
  EXPECT_TRUE(Admin().CreateFunction("resize").ok());
  EXPECT_TRUE(Admin().SetMaxQueue("resize", 1).ok());
  Submit();
  EXPECT_TRUE(stack_.simulation.RunUntil(
      [&] { return retry.stats().given_back >= 2; }, absl::Hours(1)));
  EXPECT_THAT(Attempts(), Each(1));
  EXPECT_EQ(server_->jobs(), 1u);
  // There is room for attempt 2, and none for its dead letter.
  EXPECT_TRUE(Admin().SetMaxQueue("resize", 0).ok());
  EXPECT_TRUE(Admin().CreateFunction("lost").ok());
  EXPECT_TRUE(Admin().SetMaxQueue("lost", 1).ok());
  EXPECT_TRUE(client_->Wait(client_->SubmitBackgroundJob("lost", "full")).ok());
  const uint64_t before = retry.stats().given_back;
  EXPECT_TRUE(stack_.simulation.RunUntil(
      [&] { return retry.stats().given_back > before + 1; }, absl::Hours(1)));
  EXPECT_EQ(Attempts().back(), 2);
  EXPECT_EQ(retry.stats().dead_letters, 0u);
  Collect(stack_.StartWorker("collector", {"inproc://jobs"}), "lost");
  Finish();
  EXPECT_THAT(collected_["lost"], SizeIs(2));
  EXPECT_EQ(retry.stats().dead_letters, 1u);
}

TEST_F(JobRetryAtALosingServer, AServerThatRestartsIsServedAgain) {
  JobRetry& retry = StartRetry();
  Start("worker", retry, 2, Policy());
  Submit();
  ASSERT_TRUE(WaitForRuns(1));
  // The jobs of this server are gone, as it has no store.
  stack_.KillServer("jobs");
  stack_.simulation.RunFor(absl::Minutes(2));
  EXPECT_EQ(retry.stats().waiting, 0u);
  server_ = &stack_.StartServer("jobs");
  runs_.clear();
  client_ = stack_.MakeClient("another client", {"inproc://jobs"});
  Submit();
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2));
}

TEST_F(JobRetryAtALosingServer, AJobThatIsTooLargeWithItsHeadersFails) {
  JobRetryOptions options = Options("retry", {"inproc://jobs"});
  options.client.limits.max_packet_bytes = 1024;
  JobRetry& retry = StartRetry("retry", std::move(options));
  Start("worker", retry, 9, Policy());
  const absl::Status status =
      client_->Run("resize", std::string(1000, 'x')).status();
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("no image 17"), HasSubstr("not tried again"),
                    HasSubstr("max_packet_bytes")));
  EXPECT_EQ(retry.stats().given_up, 1u);
}

}  // namespace
}  // namespace testing
}  // namespace gearman
