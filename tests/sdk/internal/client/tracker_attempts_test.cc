// A JobRequestTracker's reactions to a server's ERROR, and its questions after
// jobs that a server may have dropped.
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/codecs/payload.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/tests/sdk/internal/client/job_request_tracker_fixture.h"
#include "gearman/tests/support/failing_new.h"
#include "gearman/transports/address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using TrackerAttemptsTest = JobRequestTrackerTest;

// Perl's Gearman::Server, of a priority or a time that it does not know.
TEST_F(TrackerAttemptsTest, WhatAServerHasNoMethodForIsUnimplemented) {
  AllowRetry();
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "server_error",
       "Can't locate object method \"CMD_\"");
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->state, JobState::kFailed);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kUnimplemented);
}

TEST_F(TrackerAttemptsTest, AServerThatRefusesIsNotAskedAgain) {
  AllowRetry();
  tracker_.set_servers(2);
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR", "Job queue is full");
  Dispatched(request);
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR", "Job queue is full");
  Dispatched(request);
  request->server = MakeServer("tcp://two:4730");
  tracker_.OnFailed(
      request.get(),
      {FailureReason::kRefused, absl::ResourceExhaustedError("full"), true},
      now_);
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->state, JobState::kFailed);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(TrackerAttemptsTest, ARefusalByTheOnlyServerIsTheEnd) {
  AllowRetry();
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR", "Job queue is full");
  EXPECT_TRUE(request->finished.load());
  EXPECT_THAT(request->extras->attempts, SizeIs(1));
  EXPECT_THAT(std::string(request->status.message()),
              HasSubstr("every server has refused it"));
}

TEST_F(TrackerAttemptsTest, APolicyMayWaitForAFullQueue) {
  AllowRetry();
  policy_.decision.next_server = NextServer::kSame;
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR", "Job queue is full");
  Dispatched(request);
  EXPECT_FALSE(request->finished.load());
}

// A payload that others share is copied when the request takes it.
TEST_F(TrackerAttemptsTest, AnEndWithoutMemoryForItsDataEndsTheRequest) {
  const auto data = std::make_shared<const std::string>(1000, 'x');
  for (const auto end : {Effect::Kind::kCompleted, Effect::Kind::kException}) {
    auto request = Started();
    Accept(request);
    Effect effect;
    effect.kind = end;
    effect.operation = request.get();
    effect.data = Payload(data);
    {
      const support::FailingNew failing(1);
      tracker_.OnEffect(effect);
      EXPECT_TRUE(failing.failed());
    }
    EXPECT_TRUE(request->finished.load());
    EXPECT_EQ(request->status.code(), absl::StatusCode::kResourceExhausted);
  }
}

// The exception of a request is that of its last attempt.
TEST_F(TrackerAttemptsTest, AFurtherAttemptForgetsTheException) {
  AllowRetry();
  for (const auto end : {Effect::Kind::kCompleted, Effect::Kind::kFailed}) {
    auto request = Started();
    request->idempotent = true;
    Accept(request);
    Give(request, Effect::Kind::kException, "boom");
    Dispatched(request);
    EXPECT_FALSE(request->extras->exception.has_value());
    Accept(request);
    policy_.decision.again = false;
    Give(request, end, "result");
    EXPECT_TRUE(request->finished.load());
    EXPECT_FALSE(request->extras->exception.has_value());
    policy_.decision.again = true;
  }
}

// A store that fails may have the job all the same.
TEST_F(TrackerAttemptsTest, AJobThatAStoreMayHaveIsNotRepeated) {
  AllowRetry();
  tracker_.set_servers(2);
  auto request = Started(/*background=*/true);
  request->explicit_unique = true;
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR", "QUEUE_ERROR");
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->state, JobState::kUnknown);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(request->status.message()),
              HasSubstr("outcome unknown"));
  EXPECT_EQ(request->extras->attempts[0].reason, FailureReason::kStoreFailed);
  EXPECT_THAT(policy_.reasons, IsEmpty());
}

TEST_F(TrackerAttemptsTest, AnIdempotentJobThatAStoreMayHaveGoesElsewhere) {
  AllowRetry();
  tracker_.set_servers(2);
  auto request = Started(/*background=*/true);
  request->idempotent = true;
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR", "QUEUE_ERROR");
  EXPECT_EQ(request->extras->next_server, nullptr);
  Dispatched(request);
  // The doubt stays, whatever the next one says.
  request->server = MakeServer("tcp://two:4730");
  tracker_.OnFailed(
      request.get(),
      {FailureReason::kRefused, absl::ResourceExhaustedError("full"), true},
      now_);
  EXPECT_EQ(request->state, JobState::kUnknown);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(TrackerAttemptsTest, OnlyABackgroundJobMayBeStored) {
  AllowRetry();
  tracker_.set_servers(2);
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR", "QUEUE_ERROR");
  Dispatched(request);
  EXPECT_EQ(request->extras->attempts[0].reason, FailureReason::kRefused);
}

class TrackerQuestionsTest : public JobRequestTrackerTest {
 protected:
  // A request whose first attempt ended so, and whose second one was accepted.
  std::shared_ptr<JobRequestState> Repeated(FailureReason reason,
                                            bool bytes_sent) {
    AllowRetry();
    auto request = Started();
    request->idempotent = true;
    request->unique.Assign("u");
    if (reason == FailureReason::kJobFailed) {
      Accept(request);
      Give(request, Effect::Kind::kFailed);
    } else {
      Lose(request, reason, bytes_sent);
    }
    Dispatched(request);
    Accept(request);
    return request;
  }
  // The handles that are asked after when this time has passed.
  std::vector<std::string> AskedAfter(absl::Duration time) {
    now_ += time;
    tracker_.OnTime(now_);
    std::vector<std::string> handles;
    for (const JobQuestion& question : tracker_.TakeQuestions()) {
      handles.push_back(question.handle);
    }
    return handles;
  }
};

// Trap 18.
TEST_F(TrackerQuestionsTest, AJobThatMayBeOneLeftBehindIsAskedAfterNowAndThen) {
  auto request = Repeated(FailureReason::kLostAfterAcceptance, true);
  EXPECT_EQ(tracker_.next_deadline(), now_ + kInterval);
  EXPECT_THAT(AskedAfter(kInterval - absl::Milliseconds(1)), IsEmpty());
  EXPECT_THAT(AskedAfter(absl::Milliseconds(1)), ElementsAre("H:1"));
  EXPECT_THAT(AskedAfter(absl::ZeroDuration()), IsEmpty());
  EXPECT_THAT(AskedAfter(kInterval), ElementsAre("H:1"));
  Give(request, Effect::Kind::kCompleted, "done");
  EXPECT_EQ(request->result, "done");
  EXPECT_EQ(tracker_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(TrackerQuestionsTest, EachLossThatMayLeaveAJobBehindCounts) {
  Repeated(FailureReason::kLostBeforeAcceptance, true);
  Repeated(FailureReason::kTimedOut, true);
  // The job was cancelled, perhaps.
  Repeated(FailureReason::kJobFailed, true);
  EXPECT_THAT(AskedAfter(kInterval), SizeIs(3));
}

TEST_F(TrackerQuestionsTest, NothingElseIsAskedAfter) {
  Repeated(FailureReason::kConnect, false);
  Repeated(FailureReason::kLostBeforeAcceptance, false);
  Repeated(FailureReason::kTimedOut, false);
  Accept(Started());
  EXPECT_EQ(tracker_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(TrackerQuestionsTest, AJobWithoutAUniqueIsNotAskedAfter) {
  AllowRetry();
  auto request = Started();
  request->idempotent = true;
  Lose(request, FailureReason::kLostAfterAcceptance, true);
  Dispatched(request);
  Accept(request);
  EXPECT_EQ(tracker_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(TrackerQuestionsTest, ADroppedJobIsSubmittedAgainAndAskedAfterAgain) {
  auto request = Repeated(FailureReason::kLostAfterAcceptance, true);
  Give(request, Effect::Kind::kDropped);
  EXPECT_EQ(request->state, JobState::kPending);
  EXPECT_EQ(request->extras->attempts[1].reason,
            FailureReason::kLostAfterAcceptance);
  // The server of the dropped job, which has nothing to join any more.
  EXPECT_EQ(request->extras->next_server, server_);
  EXPECT_THAT(AskedAfter(kInterval), IsEmpty());
  Dispatched(request);
  Accept(request);
  EXPECT_THAT(AskedAfter(kInterval), ElementsAre("H:1"));
}

TEST_F(TrackerQuestionsTest, ADroppedJobAfterTheLastAttemptSaysWhatToDo) {
  auto request = Repeated(FailureReason::kLostAfterAcceptance, true);
  request->resolved_max_attempts = 2;
  Give(request, Effect::Kind::kDropped);
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->state, JobState::kUnknown);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(
      std::string(request->status.message()),
      AllOf(HasSubstr(kServer), HasSubstr("\"H:1\""),
            HasSubstr("outcome unknown"), HasSubstr("submit the job again")));
}

TEST_F(TrackerQuestionsTest, ADroppedJobThatMayRunOnceOnlyIsNotRepeated) {
  auto request = Repeated(FailureReason::kLostBeforeAcceptance, true);
  request->idempotent = false;
  request->explicit_unique = true;
  Give(request, Effect::Kind::kDropped);
  EXPECT_TRUE(request->finished.load());
  EXPECT_THAT(std::string(request->status.message()),
              HasSubstr("not marked idempotent"));
}

TEST_F(TrackerQuestionsTest, ADeadlineComesBeforeTheNextQuestion) {
  AllowRetry();
  auto request = std::make_shared<JobRequestState>();
  request->idempotent = true;
  request->unique.Assign("u");
  request->resolved_max_attempts = 3;
  request->deadline = now_ + kInterval / 2;
  Start(request);
  Lose(request, FailureReason::kLostAfterAcceptance, true);
  Dispatched(request);
  Accept(request);
  EXPECT_THAT(AskedAfter(kInterval), IsEmpty());
  EXPECT_EQ(request->status.code(), absl::StatusCode::kDeadlineExceeded);
}

// A request that is submitted once more begins anew.
TEST_F(TrackerQuestionsTest, TheNextSubmissionForgetsTheAttemptsOfTheLastOne) {
  auto request = Repeated(FailureReason::kLostAfterAcceptance, true);
  Give(request, Effect::Kind::kFailed);
  TakeDispatches();
  tracker_.GiveUp(request.get(), absl::CancelledError("cancelled"), now_);
  request->ForgetOutcome();
  Start(request);
  Accept(request);
  EXPECT_EQ(tracker_.next_deadline(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
