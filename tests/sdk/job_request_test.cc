// Job and JobRequest: a test for each thing that python-gearman documents of
// them, against a server played by hand.
#include "gearman/sdk/job_request.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobRequestTest : public ClientTest {};

TEST_F(JobRequestTest, AJobHasTaskUniqueAndDataBeforeItIsSubmitted) {
  const JobRequest request(ReverseSpec());
  const Job job = request.job();
  EXPECT_EQ(job.task(), "reverse");
  EXPECT_EQ(job.unique(), "u");
  EXPECT_EQ(job.data(), "hello");
}

TEST_F(JobRequestTest, AJobHasNoConnectionAndNoHandleBeforeItIsSubmitted) {
  const Job job = JobRequest(ReverseSpec()).job();
  EXPECT_EQ(job.connection(), "");
  EXPECT_EQ(job.handle(), "");
}

TEST_F(JobRequestTest, AJobHasItsServerAndHandleOnceAccepted) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:host:1"});
  ASSERT_TRUE(client->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  EXPECT_EQ(request.job().connection(), listener_.address());
  EXPECT_EQ(request.job().handle(), "H:host:1");
}

// Trap 6.
TEST_F(JobRequestTest, AHandleMayHoldSpacesTabsAndColons) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H: a\tb::1"});
  server.Send(kWorkComplete, {"H: a\tb::1", "olleh"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.handle(), "H: a\tb::1");
  EXPECT_EQ(request.result(), "olleh");
}

TEST_F(JobRequestTest, PriorityIsNoneByDefault) {
  EXPECT_EQ(JobRequest(ReverseSpec()).priority(), Priority::kNone);
}

TEST_F(JobRequestTest, PriorityMayBeLowOrHigh) {
  auto client = MakeClient();
  for (const auto& expected :
       {std::make_pair(Priority::kLow, kSubmitJobLow),
        std::make_pair(Priority::kHigh, kSubmitJobHigh)}) {
    JobSpec spec = ReverseSpec("unique-" + std::to_string(expected.second));
    spec.options.priority = expected.first;
    const JobRequest request = client->SubmitJob(std::move(spec));
    EXPECT_EQ(request.priority(), expected.first);
  }
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJobLow);
  server.ReceiveBody(kSubmitJobHigh);
}

TEST_F(JobRequestTest, ItIsForegroundUnlessAskedOtherwise) {
  EXPECT_FALSE(JobRequest(ReverseSpec()).background());
  JobSpec background = ReverseSpec();
  background.background = true;
  EXPECT_TRUE(JobRequest(std::move(background)).background());
}

TEST_F(JobRequestTest, ItCountsItsConnectionAttemptsUpToTheirMaximum) {
  support::RawListener dead;
  ClientOptions options = Options();
  options.servers = {dead.address()};
  dead.Close();
  auto client = MakeClient(options);
  JobSpec spec = ReverseSpec();
  spec.options.max_connection_attempts = 3;
  const JobRequest request(std::move(spec));
  EXPECT_EQ(request.connection_attempts(), 0);
  EXPECT_EQ(request.max_connection_attempts(), 3);
  ASSERT_TRUE(client->SubmitMultipleRequests({&request, 1}).ok());
  EXPECT_EQ(client->Wait(request, kLong).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(request.connection_attempts(), 3);
  EXPECT_THAT(request.attempts(), SizeIs(3));
}

TEST_F(JobRequestTest, ItHasAResultExactlyWhenItIsComplete) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  EXPECT_FALSE(request.result().has_value());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  ASSERT_TRUE(client->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  EXPECT_FALSE(request.result().has_value());
  server.Send(kWorkComplete, {"H:1", "olleh"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.result(), "olleh");
  EXPECT_EQ(request.result_view(), "olleh");
}

TEST_F(JobRequestTest, AnEmptyResultIsAResult) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.result(), "");
}

TEST_F(JobRequestTest, AFailedOneHasNoResult) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkFail, {"H:1"});
  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(request.state(), JobState::kFailed);
  EXPECT_FALSE(request.result().has_value());
  EXPECT_FALSE(request.exception().has_value());
}

// Trap 21.
TEST_F(JobRequestTest, AWorkFailWhoseHandleEndsInNulFindsItsJob) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkFail, {std::string("H:1\0", 4)});
  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kAborted);
}

TEST_F(JobRequestTest, ItKeepsTheWorkersException) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkException, {"H:1", "division by zero"});
  const absl::Status status = client->Wait(request, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("division by zero"));
  EXPECT_EQ(request.exception(), "division by zero");
  EXPECT_EQ(request.state(), JobState::kFailed);
}

TEST_F(JobRequestTest, ItsStateIsUnknownPendingCreatedComplete) {
  auto client = MakeClient();
  const JobRequest request(ReverseSpec());
  EXPECT_EQ(request.state(), JobState::kUnknown);
  ASSERT_TRUE(client->SubmitMultipleRequests({&request, 1}).ok());
  EXPECT_EQ(request.state(), JobState::kPending);
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  ASSERT_TRUE(client->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  EXPECT_EQ(request.state(), JobState::kCreated);
  server.Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.state(), JobState::kComplete);
}

TEST_F(JobRequestTest, AForegroundRequestIsCompleteWhenCompleteOrFailed) {
  auto client = MakeClient();
  const JobRequest completes = client->SubmitJob(ReverseSpec("1"));
  const JobRequest fails = client->SubmitJob(ReverseSpec("2"));
  EXPECT_FALSE(completes.complete());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kJobCreated, {"H:2"});
  const JobRequest both[] = {completes, fails};
  ASSERT_TRUE(client->WaitUntilJobsAccepted(both, kLong).ok());
  EXPECT_FALSE(completes.complete());
  server.Send(kWorkComplete, {"H:1", ""});
  server.Send(kWorkFail, {"H:2"});
  EXPECT_EQ(client->WaitUntilJobsCompleted(both, kLong).code(),
            absl::StatusCode::kAborted);
  EXPECT_TRUE(completes.complete());
  EXPECT_TRUE(fails.complete());
}

TEST_F(JobRequestTest, ABackgroundRequestIsCompleteWhenCreated) {
  auto client = MakeClient();
  JobSpec spec = ReverseSpec();
  spec.background = true;
  const JobRequest request = client->SubmitJob(std::move(spec));
  EXPECT_FALSE(request.complete());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJobBg);
  server.Send(kJobCreated, {"H:1"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.state(), JobState::kCreated);
  EXPECT_TRUE(request.complete());
  EXPECT_FALSE(request.result().has_value());
}

TEST_F(JobRequestTest, ItIsTimedOutWhenAWaitEndsFirstAndCanBeWaitedForAgain) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  EXPECT_FALSE(request.timed_out());
  const absl::Status status = client->Wait(request, absl::Milliseconds(10));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("reverse"));
  EXPECT_TRUE(request.timed_out());
  EXPECT_FALSE(request.finished());
  server.Send(kWorkComplete, {"H:1", "late"});
  EXPECT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.result(), "late");
  EXPECT_FALSE(request.timed_out());
}

TEST_F(JobRequestTest, ItsOwnTimeoutEndsIt) {
  auto client = MakeClient();
  JobSpec spec = ReverseSpec();
  spec.options.timeout = absl::Milliseconds(20);
  const JobRequest request = client->SubmitJob(std::move(spec));
  for (int wait = 0; wait < 2; ++wait) {
    EXPECT_EQ(client->Wait(request, kLong).code(),
              absl::StatusCode::kDeadlineExceeded);
    EXPECT_TRUE(request.timed_out());
  }
  EXPECT_TRUE(request.finished());
  EXPECT_EQ(request.state(), JobState::kUnknown);
}

TEST_F(JobRequestTest, ItsOwnTimeoutEndsItsWaitForRoom) {
  ClientOptions options = Options();
  options.limits.max_requests_in_flight = 1;
  auto client = MakeClient(std::move(options));
  const JobRequest first = client->SubmitJob(ReverseSpec("first"));
  JobSpec spec = ReverseSpec();
  spec.options.timeout = absl::Milliseconds(20);
  const JobRequest request = client->SubmitJob(std::move(spec));
  EXPECT_TRUE(request.finished());
  EXPECT_EQ(request.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(request.timed_out());
  EXPECT_FALSE(first.finished());
}

TEST_F(JobRequestTest, DataAndWarningUpdatesAreQueuesThatTheUserTakesFrom) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkData, {"H:1", "one"});
  server.Send(kWorkWarning, {"H:1", "careful"});
  server.Send(kWorkData, {"H:1", "two"});
  server.Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_THAT(request.data_updates(), ElementsAre("one", "two"));
  EXPECT_EQ(request.TakeDataUpdate(), "one");
  EXPECT_EQ(request.TakeDataUpdate(), "two");
  EXPECT_EQ(request.TakeDataUpdate(), std::nullopt);
  EXPECT_EQ(request.TakeWarningUpdate(), "careful");
  EXPECT_THAT(request.warning_updates(), IsEmpty());
}

TEST_F(JobRequestTest, ItKeepsTheNewestStatus) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  EXPECT_EQ(request.job_status().time_received, absl::InfinitePast());
  const absl::Time before = Clock::Real()->Now();
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkStatus, {"H:1", "1", "4"});
  server.Send(kWorkStatus, {"H:1", "3", "4"});
  server.Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  const JobStatus status = request.job_status();
  EXPECT_EQ(status.handle, "H:1");
  EXPECT_TRUE(status.known);
  EXPECT_TRUE(status.running);
  EXPECT_EQ(status.numerator, 3);
  EXPECT_EQ(status.denominator, 4);
  EXPECT_GE(status.time_received, before);
  EXPECT_LE(status.time_received, Clock::Real()->Now());
}

TEST_F(JobRequestTest, TheDeprecatedStatusesAreStillThere) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkStatus, {"H:1", "3", "4"});
  server.Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  EXPECT_THAT(request.status_updates(),
              ElementsAre(std::make_pair(int64_t{3}, int64_t{4})));
  EXPECT_EQ(request.server_status().numerator, 3);
#pragma GCC diagnostic pop
}

TEST_F(JobRequestTest, ResetMakesItANewOne) {
  auto client = MakeClient();
  JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  EXPECT_EQ(request.Reset().code(), absl::StatusCode::kFailedPrecondition);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkData, {"H:1", "part"});
  server.Send(kWorkComplete, {"H:1", "olleh"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  ASSERT_TRUE(request.Reset().ok());
  EXPECT_EQ(request.state(), JobState::kUnknown);
  EXPECT_EQ(request.handle(), "");
  EXPECT_EQ(request.connection(), "");
  EXPECT_EQ(request.connection_attempts(), 0);
  EXPECT_FALSE(request.result().has_value());
  EXPECT_THAT(request.data_updates(), IsEmpty());
  EXPECT_EQ(request.unique(), "u");

  ASSERT_TRUE(client->SubmitMultipleRequests({&request, 1}).ok());
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:2"});
  server.Send(kWorkComplete, {"H:2", "again"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.result(), "again");
}

TEST_F(JobRequestTest, AnotherSubmissionStartsClean) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:1"});
    server.Send(kWorkData, {"H:1", "old"});
    server.Send(kWorkWarning, {"H:1", "old"});
    server.Send(kWorkStatus, {"H:1", "1", "2"});
  }
  ASSERT_TRUE(absl::IsUnavailable(client->Wait(request, kLong)));
  EXPECT_THAT(request.data_updates(), ElementsAre("old"));
  EXPECT_EQ(request.job_status().denominator, 2);
  ASSERT_EQ(request.state(), JobState::kUnknown);

  ASSERT_TRUE(client->SubmitMultipleRequests({request}).ok());
  EXPECT_THAT(request.data_updates(), IsEmpty());
  EXPECT_THAT(request.warning_updates(), IsEmpty());
  EXPECT_EQ(request.job_status().time_received, absl::InfinitePast());
  EXPECT_THAT(request.attempts(), IsEmpty());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:2"});
  server.Send(kWorkData, {"H:2", "new"});
  server.Send(kWorkComplete, {"H:2", ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_THAT(request.data_updates(), ElementsAre("new"));
}

TEST_F(JobRequestTest, ItOutlivesItsClient) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  client = nullptr;
  EXPECT_TRUE(request.finished());
  EXPECT_EQ(request.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(request.task(), "reverse");
  EXPECT_EQ(request.connection(), listener_.address());
}

}  // namespace
}  // namespace gearman
