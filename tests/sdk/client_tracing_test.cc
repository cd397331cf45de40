// Tests of a TraceObserver of a client, on a virtual clock: submissions,
// further attempts, and questions. worker_tracing_test.cc has workers.
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/recording_observer.h"
#include "gearman/tests/sdk/tracing_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using testing::RecordedSpan;
using ::testing::SizeIs;
using wire::Command;

class ClientTracingTest : public TracingTest {};

// --- submit and process

TEST_F(ClientTracingTest, AJobIsASubmissionAndAProcessing) {
  stack_.StartServer("jobs");
  StartWorker();
  StartClient();
  CallOptions options;
  options.unique = "u1";
  const JobRequest request = client_->SubmitJob("reverse", "abc", options);
  ASSERT_TRUE(client_->Wait(request).ok());
  stack_.simulation.RunFor(absl::ZeroDuration());
  EXPECT_THAT(observer_->log(),
              ::testing::UnorderedElementsAre("begin submit reverse",
                                              "begin process reverse",
                                              "end process reverse complete",
                                              "end submit reverse complete"));

  const RecordedSpan submit = Spans(TraceOperation::kSubmit).at(0);
  EXPECT_EQ(submit.task, "reverse");
  EXPECT_EQ(submit.unique, "u1");
  EXPECT_EQ(submit.data, "abc");
  EXPECT_EQ(submit.server, "");
  EXPECT_EQ(submit.error_type, "");
  EXPECT_TRUE(submit.status.ok());
  EXPECT_EQ(submit.end_handle, request.handle());
  EXPECT_EQ(submit.end_server, "inproc://jobs");
  EXPECT_EQ(submit.end_unique, "u1");
  EXPECT_EQ(submit.attempts, 1);

  // The handle and the unique link the two spans.
  const RecordedSpan process = Spans(TraceOperation::kProcess).at(0);
  EXPECT_EQ(process.handle, request.handle());
  EXPECT_EQ(process.unique, "u1");
  EXPECT_EQ(process.data, "abc");
  EXPECT_EQ(process.server, "inproc://jobs");
  EXPECT_EQ(process.end_handle, request.handle());
}

TEST_F(ClientTracingTest, ASubmissionHasEndedBeforeItsCallbackAndItsWait) {
  stack_.StartServer("jobs");
  StartWorker();
  ClientOptions options = Options();
  options.drive_mode = DriveMode::kAuto;
  client_ = stack_.MakeClient(std::move(options));
  CallOptions call;
  call.callbacks.on_complete = [this](const JobRequest&) {
    observer_->Note("on_complete");
  };
  const absl::StatusOr<std::string> result =
      client_->Run("reverse", "abc", std::move(call));
  observer_->Note("Run returned");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "cba");
  std::vector<std::string> log;
  for (std::string& line : observer_->log()) {
    if (line.find("process") == std::string::npos) log.push_back(line);
  }
  EXPECT_THAT(log,
              ElementsAre("begin submit reverse", "end submit reverse complete",
                          "on_complete", "Run returned"));
}

TEST_F(ClientTracingTest, ASubmissionBeginsOnTheThreadThatSubmits) {
  stack_.StartServer("jobs");
  StartClient();
  client_->SubmitBackgroundJob("reverse", "abc");
  EXPECT_THAT(observer_->log(), ElementsAre("begin submit reverse"));
}

TEST_F(ClientTracingTest, ABackgroundJobEndsWhenItIsAccepted) {
  stack_.StartServer("jobs");
  StartClient();
  const JobRequest request = client_->SubmitBackgroundJob("reverse", "abc");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}).ok());
  ASSERT_THAT(observer_->spans(), SizeIs(1));
  const RecordedSpan span = observer_->spans()[0];
  EXPECT_TRUE(span.background);
  EXPECT_EQ(span.outcome, "complete");
  EXPECT_EQ(span.end_handle, request.handle());
}

TEST_F(ClientTracingTest, EachOfManyJobsHasItsSpans) {
  stack_.StartServer("jobs");
  StartWorker();
  StartClient();
  std::vector<JobSpec> specs;
  for (int i = 0; i < 100; ++i) specs.emplace_back("reverse", absl::StrCat(i));
  const auto requests = client_->SubmitMultipleJobs(std::move(specs));
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  stack_.simulation.RunFor(absl::ZeroDuration());
  EXPECT_THAT(Spans(TraceOperation::kSubmit), SizeIs(100));
  EXPECT_THAT(Spans(TraceOperation::kProcess), SizeIs(100));
}

TEST_F(ClientTracingTest, AnExceptionIsTheErrorOfBothSides) {
  stack_.StartServer("jobs");
  ASSERT_TRUE(StartWorker()
                  .Register("throw",
                            [](JobContext&) -> absl::StatusOr<std::string> {
                              throw std::runtime_error("no such image");
                            })
                  .ok());
  StartClient();
  EXPECT_EQ(client_->Run("throw", "").status().code(),
            absl::StatusCode::kAborted);
  stack_.simulation.RunFor(absl::ZeroDuration());
  for (const RecordedSpan& span : observer_->spans()) {
    EXPECT_EQ(span.outcome, "exception");
    EXPECT_EQ(span.error_type, "exception");
    EXPECT_FALSE(span.status.ok());
  }
  EXPECT_THAT(observer_->spans(), SizeIs(2));
}

TEST_F(ClientTracingTest, WhatIsRefusedBeforeItLeavesHasASpan) {
  StartClient();
  CallOptions options;
  options.unique = std::string(64, 'u');
  const JobRequest request = client_->SubmitJob("reverse", "", options);
  EXPECT_FALSE(client_->Wait(request).ok());
  const RecordedSpan span = observer_->spans().at(0);
  EXPECT_EQ(span.error_type, "refused");
  EXPECT_EQ(span.attempts, 0);
  EXPECT_EQ(span.end_server, "");
}

TEST_F(ClientTracingTest, ATimeoutEndsASubmissionOnce) {
  stack_.StartServer("jobs");
  StartClient();
  CallOptions options;
  options.timeout = absl::Seconds(5);
  const JobRequest request = client_->SubmitJob("nobody", "", options);
  EXPECT_FALSE(client_->Wait(request).ok());
  const RecordedSpan span = observer_->spans().at(0);
  EXPECT_EQ(span.error_type, "timed_out");
  EXPECT_EQ(span.end_time - span.begin_time, absl::Seconds(5));
  request.Cancel();
  client_->RunOnce(absl::InfinitePast());
}

TEST_F(ClientTracingTest, ACancelledSubmissionEnds) {
  stack_.StartServer("jobs");
  StartClient();
  const JobRequest request = client_->SubmitJob("nobody", "");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}).ok());
  request.Cancel();
  EXPECT_TRUE(absl::IsCancelled(client_->Wait(request)));
  EXPECT_EQ(observer_->spans().at(0).error_type, "cancelled");
}

TEST_F(ClientTracingTest, TheEndOfTheClientEndsWhatIsInFlight) {
  stack_.StartServer("jobs");
  StartClient();
  const JobRequest accepted = client_->SubmitJob("nobody", "");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&accepted, 1}).ok());
  const JobRequest pending = client_->SubmitJob("nobody", "");
  client_ = nullptr;
  ASSERT_THAT(observer_->spans(), SizeIs(2));
  for (const RecordedSpan& span : observer_->spans()) {
    EXPECT_EQ(span.error_type, "cancelled");
  }
  EXPECT_TRUE(absl::IsCancelled(pending.status()));
}

TEST_F(ClientTracingTest, ARequestSubmittedAgainHasAnotherSpan) {
  stack_.StartServer("jobs");
  StartWorker();
  StartClient();
  const JobRequest request = client_->SubmitJob("reverse", "abc");
  request.Cancel();
  EXPECT_TRUE(absl::IsCancelled(client_->Wait(request)));
  ASSERT_TRUE(client_->SubmitMultipleRequests({&request, 1}).ok());
  ASSERT_TRUE(client_->Wait(request).ok());
  const std::vector<RecordedSpan> spans = Spans(TraceOperation::kSubmit);
  ASSERT_THAT(spans, SizeIs(2));
  EXPECT_EQ(spans[0].outcome, "cancelled");
  EXPECT_EQ(spans[1].outcome, "complete");
}

TEST_F(ClientTracingTest, ARequestThatIsTwiceInABatchHasOneSpan) {
  stack_.StartServer("jobs");
  StartClient();
  JobSpec spec("reverse", "abc");
  spec.background = true;
  const JobRequest request(std::move(spec));
  ASSERT_TRUE(client_->SubmitMultipleRequests({request, request}).ok());
  ASSERT_TRUE(client_->Wait(request).ok());
  EXPECT_THAT(observer_->spans(), SizeIs(1));
}

TEST_F(ClientTracingTest, ASampledOutJobIsNotToldAgain) {
  class Sampler final : public TraceObserver {
   public:
    std::unique_ptr<TraceSpan> Begin(const TraceBegin&) override {
      ++begins;
      return nullptr;
    }
    int begins = 0;
  };
  stack_.StartServer("jobs");
  StartWorker();
  auto sampler = std::make_shared<Sampler>();
  ClientOptions options = Options();
  options.trace_observer = sampler;
  client_ = stack_.MakeClient(std::move(options));
  EXPECT_TRUE(client_->Run("reverse", "abc").ok());
  EXPECT_EQ(sampler->begins, 1);
}

TEST_F(ClientTracingTest, AnObserverThatThrowsDisturbsNobody) {
  stack_.StartServer("jobs");
  StartWorker();
  StartClient();
  observer_->on_end = [](const TraceEnd&) { throw std::runtime_error("full"); };
  EXPECT_EQ(*client_->Run("reverse", "abc"), "cba");
  observer_->on_begin = [](const TraceBegin&) { throw 17; };  // NOLINT
  EXPECT_EQ(*client_->Run("reverse", "abc"), "cba");
  stack_.simulation.RunFor(absl::ZeroDuration());
  EXPECT_THAT(observer_->spans(), SizeIs(2));
}

// --- retry

TEST_F(ClientTracingTest, EachFurtherAttemptIsAChildOfTheSubmission) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "jobs");
  ClientOptions options = Options();
  options.retry_policy = std::make_shared<ExponentialBackoffRetryPolicy>();
  options.idempotent = true;
  client_ = stack_.MakeClient(std::move(options));
  DriveClient();
  const JobRequest request = client_->SubmitJob("reverse", "abc");
  auto first = Accept(played);
  EXPECT_THAT(first->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
  first->Close();
  auto second = Accept(played);
  EXPECT_THAT(second->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
  second->Close();
  auto third = Accept(played);
  EXPECT_THAT(third->Receive(), ::testing::StartsWith("SUBMIT_JOB"));
  third->Send(Command::kJobCreated, {"H:3"});
  third->Send(Command::kWorkComplete, {"H:3", "cba"});
  stack_.simulation.RunUntil([&] { return request.finished(); });
  stack_.simulation.RunFor(absl::ZeroDuration());
  EXPECT_EQ(request.result(), "cba");

  EXPECT_THAT(observer_->log(),
              ElementsAre("begin submit reverse", "begin retry reverse",
                          "end retry reverse lost_before_acceptance",
                          "begin retry reverse", "end retry reverse complete",
                          "end submit reverse complete"));
  const std::vector<RecordedSpan> retries = Spans(TraceOperation::kRetry);
  EXPECT_EQ(retries[0].attempt, 2);
  EXPECT_EQ(retries[0].parent, 0);
  EXPECT_EQ(retries[0].reason, "lost_before_acceptance");
  EXPECT_EQ(retries[0].server, "inproc://jobs");
  EXPECT_EQ(retries[0].error_type, "lost_before_acceptance");
  EXPECT_FALSE(retries[0].status.ok());
  EXPECT_EQ(retries[1].attempt, 3);
  EXPECT_EQ(retries[1].end_handle, "H:3");
  EXPECT_EQ(retries[1].error_type, "");
  EXPECT_EQ(Spans(TraceOperation::kSubmit).at(0).attempts, 3);
}

TEST_F(ClientTracingTest, ARetryThatIsGivenUpEndsWithItsSubmission) {
  ClientOptions options = Options({"inproc://none", "inproc://nowhere"});
  options.retry_policy = std::make_shared<ImmediateRetryPolicy>();
  client_ = stack_.MakeClient(std::move(options));
  EXPECT_FALSE(client_->Run("reverse", "abc").ok());
  EXPECT_THAT(
      observer_->log(),
      ElementsAre("begin submit reverse", "begin retry reverse",
                  "end retry reverse connect", "end submit reverse lost"));
}

TEST_F(ClientTracingTest, ATimeoutInARetryEndsBoth) {
  testing::PlayedServer played(&stack_.simulation, stack_.network(), "jobs");
  ClientOptions options = Options();
  options.retry_policy = std::make_shared<ExponentialBackoffRetryPolicy>();
  options.idempotent = true;
  options.timeout = absl::Minutes(1);
  options.reply_timeout = absl::Hours(1);
  options.heartbeat_interval = absl::InfiniteDuration();
  client_ = stack_.MakeClient(std::move(options));
  DriveClient();
  const JobRequest request = client_->SubmitJob("reverse", "abc");
  auto first = Accept(played);
  first->Receive();
  first->Close();
  auto second = Accept(played);
  stack_.simulation.RunUntil([&] { return request.finished(); });
  stack_.simulation.RunFor(absl::ZeroDuration());
  EXPECT_THAT(observer_->log(),
              ElementsAre("begin submit reverse", "begin retry reverse",
                          "end retry reverse timed_out",
                          "end submit reverse timed_out"));
}

// --- status

TEST_F(ClientTracingTest, AStatusQuestionHasASpan) {
  stack_.StartServer("jobs");
  StartClient();
  const JobRequest request = client_->SubmitJob("nobody", "");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}).ok());
  ASSERT_TRUE(client_->GetJobStatus(request).ok());
  const RecordedSpan span = Spans(TraceOperation::kStatus).at(0);
  EXPECT_EQ(span.task, "nobody");
  EXPECT_EQ(span.handle, request.handle());
  EXPECT_EQ(span.server, "inproc://jobs");
  EXPECT_EQ(span.outcome, "complete");
  EXPECT_EQ(span.error_type, "");
}

TEST_F(ClientTracingTest, AStatusQuestionThatFailsSaysWhy) {
  StartClient();
  JobId id;
  id.unique = "u1";
  EXPECT_FALSE(client_->GetJobStatus(id).ok());
  EXPECT_FALSE(client_->GetJobStatus(JobId()).ok());
  const std::vector<RecordedSpan> spans = observer_->spans();
  ASSERT_THAT(spans, SizeIs(2));
  EXPECT_EQ(spans[0].error_type, "NOT_FOUND");
  EXPECT_EQ(spans[0].task, "");
  EXPECT_EQ(spans[0].unique, "u1");
  EXPECT_EQ(spans[1].error_type, "INVALID_ARGUMENT");
}

}  // namespace
}  // namespace gearman
