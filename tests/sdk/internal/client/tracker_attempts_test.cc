// A JobRequestTracker's reactions to a server's ERROR.
#include <string>

#include "absl/status/status.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/tests/sdk/internal/client/job_request_tracker_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

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
  // The test's server has one name.
  Dispatched(request);
  tracker_.OnAttemptFailed(
      request.get(), "tcp://two:4730",
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
  tracker_.OnAttemptFailed(
      request.get(), "tcp://two:4730",
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

}  // namespace
}  // namespace internal
}  // namespace gearman
