// Jobs that are tried again, with a server, a worker and a client on a virtual
// clock.
#include "gearman/sdk/job_retry.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/job_retry/job_retry_fixture.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(JobRetryAtAServer, AJobThatFailsTwiceSucceedsTheThirdTime) {
  JobRetry& retry = StartRetry();
  ASSERT_TRUE(
      retry.Register(*worker_, "resize", FailingUntil(3), Policy()).ok());
  Submit("image 17");
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2, 3));
  EXPECT_THAT(runs_, Each(AllOf(Field(&Run::data, "image 17"),
                                Field(&Run::unique, "u"))));
  // Whole seconds, rounded up.
  for (size_t i = 1; i < runs_.size(); ++i) {
    EXPECT_GE(runs_[i].time - runs_[i - 1].time, absl::Seconds(10));
    EXPECT_LE(runs_[i].time - runs_[i - 1].time, absl::Seconds(12));
  }
  EXPECT_EQ(retry.stats().submitted_again, 2u);
  EXPECT_EQ(retry.stats().waiting, 0u);
  EXPECT_EQ(worker_->stats().jobs_complete, 1u);
  EXPECT_THAT(log_, Contains(HasSubstr("attempt 1 of 3 failed: NOT_FOUND: no "
                                       "image 17; submitted to task "
                                       "\"resize\" with the unique \"u~2\"")));
}

TEST_F(JobRetryAtAServer, AClientThatWaitsGetsTheFailureOfItsAttempt) {
  ASSERT_TRUE(StartRetry()
                  .Register(*worker_, "resize", FailingUntil(2), Policy())
                  .ok());
  const absl::StatusOr<std::string> result = client_->Run("resize", "x");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(result.status().message(), HasSubstr("NOT_FOUND: no image 17"));
  // The job goes on without the client.
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2));
}

TEST_F(JobRetryAtAServer, AtTheWorkerAClientSeesProgressAndTheEnd) {
  JobRetryPolicy policy = Policy();
  policy.place = RetryPlace::kWorker;
  JobRetry& retry = StartRetry();
  ASSERT_TRUE(
      retry.Register(*worker_, "resize", FailingUntil(3), std::move(policy))
          .ok());
  const JobRequest request = client_->SubmitJob("resize", "x");
  ASSERT_EQ(client_->Result(request).value(), "done");
  EXPECT_THAT(request.warning_updates(),
              ElementsAre("attempt 1 of 3 failed; again in 10s",
                          "attempt 2 of 3 failed; again in 10s"));
  EXPECT_THAT(Attempts(), ElementsAre(1, 2, 3));
  EXPECT_EQ(runs_[2].time - runs_[0].time, absl::Seconds(20));
  EXPECT_EQ(retry.stats().run_again, 2u);
  EXPECT_EQ(retry.stats().submitted_again, 0u);
}

// The handler gives a body as its result, and then fails all the same.
TEST_F(JobRetryAtAServer, TheBodyOfAFailedAttemptIsNotTheResultOfTheNext) {
  JobRetryPolicy policy = Policy();
  policy.place = RetryPlace::kWorker;
  JobRetry& retry = StartRetry();
  ASSERT_TRUE(retry
                  .Register(
                      *worker_, "resize",
                      [](JobContext& context, const JobAttempt& attempt)
                          -> absl::StatusOr<std::string> {
                        if (attempt.number > 1) return std::string("done");
                        context.SetBody(std::make_shared<PatternSource>(10));
                        return absl::NotFoundError("no image 17");
                      },
                      std::move(policy))
                  .ok());
  EXPECT_EQ(client_->Run("resize", "x").value_or("failed"), "done");
}

TEST_F(JobRetryAtAServer, AtTheWorkerTheLastAttemptsFailureIsTheEnd) {
  JobRetryPolicy policy = Policy(2);
  policy.place = RetryPlace::kWorker;
  policy.dead_letter_task = "lost";
  Collect(*worker_, "lost");
  JobRetry& retry = StartRetry();
  ASSERT_TRUE(
      retry.Register(*worker_, "resize", FailingUntil(9), std::move(policy))
          .ok());
  EXPECT_THAT(client_->Run("resize", "x").status().message(),
              HasSubstr("no image 17"));
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2));
  EXPECT_THAT(collected_["lost"], SizeIs(1));
}

TEST_F(JobRetryAtAServer, AfterTheLastAttemptTheJobIsADeadLetter) {
  JobRetryPolicy policy = Policy(2);
  policy.dead_letter_task = "resize-failed";
  Collect(*worker_, "resize-failed");
  JobRetry& retry = StartRetry();
  ASSERT_TRUE(
      retry.Register(*worker_, "resize", FailingUntil(9), std::move(policy))
          .ok());
  Submit(std::string("image\0 17", 9));
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2));
  ASSERT_THAT(collected_["resize-failed"], SizeIs(1));
  const auto letter = ReadDeadLetter(collected_["resize-failed"][0]);
  ASSERT_TRUE(letter.ok()) << letter.status();
  EXPECT_EQ(letter->task, "resize");
  EXPECT_EQ(letter->unique, "u");
  EXPECT_EQ(letter->attempts, 2);
  EXPECT_EQ(letter->error, "NOT_FOUND: no image 17");
  EXPECT_EQ(letter->data, absl::string_view("image\0 17", 9));
  EXPECT_EQ(retry.stats().dead_letters, 1u);
  EXPECT_EQ(retry.stats().given_up, 0u);
}

TEST_F(JobRetryAtAServer, WithoutADeadLetterTaskTheLastFailureIsTheAnswer) {
  JobRetry& retry = StartRetry();
  ASSERT_TRUE(
      retry.Register(*worker_, "resize", FailingUntil(9), Policy(1)).ok());
  EXPECT_THAT(client_->Run("resize", "x").status().message(),
              HasSubstr("no image 17"));
  EXPECT_THAT(Attempts(), ElementsAre(1));
  EXPECT_EQ(retry.stats().given_up, 1u);
  EXPECT_THAT(log_, Contains(HasSubstr("it is not tried again")));
}

TEST_F(JobRetryAtAServer, AnErrorThatAnotherAttemptCantMendIsNotTriedAgain) {
  JobRetryPolicy policy = Policy();
  policy.dead_letter_task = "lost";
  Collect(*worker_, "lost");
  ASSERT_TRUE(StartRetry()
                  .Register(*worker_, "resize", Noting([](const Run&) {
                    return absl::InvalidArgumentError("no image");
                  }),
                            std::move(policy))
                  .ok());
  Submit("x");
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1));
  EXPECT_THAT(collected_["lost"], SizeIs(1));
  EXPECT_TRUE(MayPass(JobFailed()));
  EXPECT_TRUE(MayPass(JobException("text")));
  EXPECT_FALSE(MayPass(absl::DataLossError("")));
  EXPECT_FALSE(MayPass(absl::UnimplementedError("")));
}

TEST_F(JobRetryAtAServer, ThePolicySaysWhichErrorsAreTriedAgain) {
  JobRetryPolicy policy = Policy(5);
  policy.repeats = [](const absl::Status& error) -> bool {
    if (absl::IsInternal(error)) throw std::runtime_error("a bug");
    return absl::IsUnavailable(error);
  };
  ASSERT_TRUE(
      StartRetry()
          .Register(*worker_, "resize",
                    Noting([](const Run& run) -> absl::StatusOr<std::string> {
                      if (run.attempt == 1) return absl::InternalError("");
                      if (run.attempt == 2) return absl::UnavailableError("");
                      return absl::NotFoundError("");
                    }),
                    std::move(policy))
          .ok());
  Submit("x");
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2, 3));
  EXPECT_THAT(log_, Contains(HasSubstr("repeats threw: a bug")));
}

TEST_F(JobRetryAtAServer, AHandlerThatThrowsHasFailed) {
  ASSERT_TRUE(
      StartRetry()
          .Register(*worker_, "resize",
                    Noting([](const Run& run) -> absl::StatusOr<std::string> {
                      if (run.attempt < 2) throw std::runtime_error("thrown");
                      return std::string();
                    }),
                    Policy())
          .ok());
  EXPECT_THAT(client_->Run("resize", "x").status().message(),
              HasSubstr("thrown"));
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2));
}

TEST_F(JobRetryAtAServer, AHandlerNeedNotKnowOfAttempts) {
  int runs = 0;
  ASSERT_TRUE(
      StartRetry()
          .Register(
              *worker_, "resize",
              [&runs](JobContext& context) -> absl::StatusOr<std::string> {
                EXPECT_EQ(context.job().data(), "x");
                if (++runs < 3) return JobFailed();
                return std::string();
              },
              Policy())
          .ok());
  Submit("x");
  Finish();
  EXPECT_EQ(runs, 3);
}

TEST_F(JobRetryAtAServer, EachJobGoesBackToItsOwnServer) {
  // The client of the retries knows one of three servers, and not even this
  // one by the worker's order.
  for (const char* const name : {"a", "b"}) stack_.StartServer(name);
  const std::vector<std::string> servers = {"inproc://a", "inproc://b"};
  for (const std::string& server : servers) {
    // A worker for each server, so that a job on another one would wait.
    Worker& worker = stack_.StartWorker(server, {server});
    JobRetry& retry =
        StartRetry(absl::StrCat("retry of ", server),
                   Options(absl::StrCat("retry of ", server), {"inproc://a"}));
    ASSERT_TRUE(
        retry.Register(worker, "resize", FailingUntil(3), Policy()).ok());
  }
  // Equal uniques of two servers.
  for (const std::string& server : servers) {
    const auto client = stack_.MakeClient("client of " + server, {server});
    CallOptions options;
    options.unique = "u";
    EXPECT_TRUE(
        client->Wait(client->SubmitBackgroundJob("resize", server, options))
            .ok());
  }
  EXPECT_TRUE(WaitForRuns(6));
  EXPECT_THAT(runs_, SizeIs(6));
}

TEST_F(JobRetryAtAServer, EqualUniquesOfTwoServersAreTwoSubmissions) {
  stack_.StartServer("other");
  Worker& worker =
      stack_.StartWorker("both", {"inproc://jobs", "inproc://other"});
  ASSERT_TRUE(
      StartRetry().Register(worker, "resize", FailingUntil(3), Policy()).ok());
  const auto other = stack_.MakeClient("other client", {"inproc://other"});
  CallOptions options;
  options.unique = "u";
  ASSERT_TRUE(
      other->Wait(other->SubmitBackgroundJob("resize", "other", options)).ok());
  Submit("jobs");
  EXPECT_TRUE(WaitForRuns(6));
  std::vector<std::string> data;
  for (const Run& run : runs_) data.push_back(run.data);
  EXPECT_THAT(data, ::testing::UnorderedElementsAre("jobs", "jobs", "jobs",
                                                    "other", "other", "other"));
}

TEST_F(JobRetryAtAServer, ABackoffPolicyOfTheRegistryHasTheDelay) {
  JobRetryPolicy policy = Policy(3);
  auto backoff =
      PluginRegistry::Default().backoff_policies().CreateByName("constant");
  ASSERT_TRUE(backoff.ok()) << backoff.status();
  policy.backoff = *std::move(backoff);
  ASSERT_TRUE(
      StartRetry()
          .Register(*worker_, "resize", FailingUntil(3), std::move(policy))
          .ok());
  Submit("x");
  Finish();
  ASSERT_THAT(Attempts(), ElementsAre(1, 2, 3));
  EXPECT_GE(runs_[2].time - runs_[0].time, absl::Seconds(2));
  EXPECT_LE(runs_[2].time - runs_[0].time, absl::Seconds(6));
}

TEST_F(JobRetryAtAServer, TheDefaultDelaysGrow) {
  JobRetryPolicy policy;
  policy.max_attempts = 6;
  ASSERT_TRUE(
      StartRetry()
          .Register(*worker_, "resize", FailingUntil(6), std::move(policy))
          .ok());
  Submit("x");
  Finish();
  ASSERT_THAT(runs_, SizeIs(6));
  // 2, 4, 8, 16 and 32 seconds, with up to a half less and up to 2 s more.
  EXPECT_GE(runs_[5].time - runs_[0].time, absl::Seconds(31));
  EXPECT_LE(runs_[5].time - runs_[0].time, absl::Seconds(72));
}

TEST_F(JobRetryAtAServer, ADelayOfZeroIsNone) {
  JobRetryPolicy policy = Policy();
  policy.backoff =
      std::make_shared<ConstantBackoffPolicy>(absl::ZeroDuration());
  ASSERT_TRUE(
      StartRetry()
          .Register(*worker_, "resize", FailingUntil(3), std::move(policy))
          .ok());
  Submit("x");
  Finish();
  ASSERT_THAT(Attempts(), ElementsAre(1, 2, 3));
  EXPECT_LT(runs_[2].time - runs_[0].time, absl::Seconds(1));
}

// A policy of the user's that throws.
class ThrowingBackoff final : public BackoffPolicy {
 public:
  absl::Duration OnCompletion(const AttemptFailure&) override {
    throw std::runtime_error("a bug");
  }
  absl::string_view name() const override { return "throwing"; }
};

TEST_F(JobRetryAtAServer, ABackoffPolicyThatThrowsIsReplaced) {
  JobRetryPolicy policy = Policy();
  policy.backoff = std::make_shared<ThrowingBackoff>();
  ASSERT_TRUE(
      StartRetry()
          .Register(*worker_, "resize", FailingUntil(2), std::move(policy))
          .ok());
  Submit("x");
  Finish();
  EXPECT_THAT(Attempts(), ElementsAre(1, 2));
  EXPECT_THAT(log_, Contains(HasSubstr("OnCompletion threw: a bug")));
}

TEST_F(JobRetryAtAServer, ALateHandlersErrorIsTriedAgain) {
  TaskOptions late;
  late.time_limit = absl::Seconds(5);
  late.when_late = WhenLate::kWait;
  std::vector<StopReason> reasons;
  ASSERT_TRUE(StartRetry()
                  .Register(
                      *worker_, "resize",
                      [&reasons](JobContext& context, const JobAttempt& attempt)
                          -> absl::StatusOr<std::string> {
                        if (attempt.number == 2) return std::string();
                        context.stop_token().WaitFor(absl::Minutes(1));
                        reasons.push_back(context.stop_token().reason());
                        return absl::DeadlineExceededError("too slow");
                      },
                      Policy(), late)
                  .ok());
  EXPECT_THAT(client_->Run("resize", "x").status().message(),
              HasSubstr("too slow"));
  Finish();
  EXPECT_THAT(reasons, ElementsAre(StopReason::kTimeLimit));
  EXPECT_EQ(worker_->stats().jobs_complete, 1u);
}

TEST_F(JobRetryAtAServer, TheRetriesOutliveTheirObject) {
  ASSERT_TRUE(StartRetry()
                  .Register(*worker_, "resize", FailingUntil(1), Policy())
                  .ok());
  stack_.simulation.Stop("retry");
  retries_.clear();
  EXPECT_EQ(client_->Run("resize", "x").value(), "done");
}

TEST_F(JobRetryAtAServer, WhatCantBeRightIsRefused) {
  JobRetry& retry = StartRetry();
  const auto refusal = [&](JobRetryPolicy policy, TaskOptions options = {}) {
    const absl::Status status = retry.Register(
        *worker_, "resize", FailingUntil(1), std::move(policy), options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(Policy(0)), HasSubstr("max_attempts is 0"));
  JobRetryPolicy own = Policy();
  own.dead_letter_task = "resize";
  EXPECT_THAT(refusal(std::move(own)), HasSubstr("its own dead-letter task"));
  JobRetryPolicy hidden = Policy();
  hidden.dead_letter_task = "a\nb";
  EXPECT_THAT(refusal(std::move(hidden)), HasSubstr("the dead-letter task"));
  TaskOptions late;
  late.time_limit = absl::Seconds(1);
  EXPECT_THAT(refusal(Policy(), late), HasSubstr("WhenLate::kWait"));
  EXPECT_THAT(retry.Register(*worker_, "resize", JobRetry::Handler()).code(),
              absl::StatusCode::kInvalidArgument);

  // A client that can't reach the worker's servers.
  JobRetryOptions without = Options("without", {"inproc://jobs"});
  without.client.transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(without.client.transports
                  ->Register("tcp", std::make_shared<TcpTransportFactory>())
                  .ok());
  without.client.servers = {"tcp://127.0.0.1:1"};
  EXPECT_EQ(StartRetry("without", std::move(without))
                .Register(*worker_, "resize", FailingUntil(1))
                .code(),
            absl::StatusCode::kNotFound);

  JobRetryOptions options = Options("other", {"inproc://jobs"});
  options.submit_limit = absl::ZeroDuration();
  EXPECT_THAT(JobRetry::Create(std::move(options)).status().message(),
              HasSubstr("submit_limit"));
  options = Options("third", {"inproc://jobs"});
  options.client.interceptors.emplace_back([](OutgoingJob&) {});
  EXPECT_THAT(JobRetry::Create(std::move(options)).status().message(),
              HasSubstr("interceptors"));
  options = Options("fourth", {"no port:"});
  EXPECT_EQ(JobRetry::Create(std::move(options)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace testing
}  // namespace gearman
