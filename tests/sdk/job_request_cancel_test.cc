// JobRequest::Cancel: of one in flight, and of one that waits for room.
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/job_request.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/wait_for.h"

namespace gearman {
namespace {

class JobRequestCancelTest : public ClientTest {
 protected:
  // Only the threads that wait move anything.
  ClientOptions DrivenByCallers() {
    ClientOptions options = Options();
    options.drive_mode = DriveMode::kCallerOnly;
    options.heartbeat_interval = absl::InfiniteDuration();
    return options;
  }
  // A second request waits for room.
  ClientOptions WithRoomForOne() {
    ClientOptions options = DrivenByCallers();
    options.limits.max_requests_in_flight = 1;
    options.timeout = support::kBound;
    return options;
  }
};

TEST_F(JobRequestCancelTest, CancelStopsWaitingForIt) {
  auto client = MakeClient();
  JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  request.Cancel();
  EXPECT_TRUE(request.finished());
  EXPECT_EQ(request.status().code(), absl::StatusCode::kCancelled);
  // Packets that still come for the cancelled request do no harm.
  const JobRequest next = client->SubmitJob(ReverseSpec("other"));
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kJobCreated, {"H:2"});
  server.Send(kWorkComplete, {"H:1", "unheard"});
  server.Send(kWorkComplete, {"H:2", "heard"});
  ASSERT_TRUE(client->Wait(next, kLong).ok());
  EXPECT_EQ(next.result(), "heard");
}

TEST_F(JobRequestCancelTest, CancelOnAnotherThreadEndsAWait) {
  auto client = MakeClient(DrivenByCallers());
  const JobRequest request = client->SubmitJob(ReverseSpec());
  absl::Status waited;
  std::thread waiter([&] { waited = client->Wait(request, support::kBound); });
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  // The waiter has read that, and goes back to sleep.
  EXPECT_TRUE(
      support::WaitFor([&] { return request.state() == JobState::kCreated; }));
  request.Cancel();
  waiter.join();
  EXPECT_EQ(waited.code(), absl::StatusCode::kCancelled) << waited;
}

TEST_F(JobRequestCancelTest, CancelOnAnotherThreadMakesRoomForASubmission) {
  auto client = MakeClient(WithRoomForOne());
  const JobRequest first = client->SubmitJob(ReverseSpec("first"));
  JobRequest second(ReverseSpec("second"));
  std::thread submitter(
      [&] { second = client->SubmitJob(ReverseSpec("second")); });
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  // The submitter, who waits for room, has read that.
  EXPECT_TRUE(
      support::WaitFor([&] { return first.state() == JobState::kCreated; }));
  first.Cancel();
  submitter.join();
  EXPECT_TRUE(second.status().ok()) << second.status();
  server.ReceiveBody(kSubmitJob);
}

TEST_F(JobRequestCancelTest, CancelEndsItsOwnWaitForRoom) {
  auto client = MakeClient(WithRoomForOne());
  const JobRequest first = client->SubmitJob(ReverseSpec("first"));
  const JobRequest second(ReverseSpec("second"));
  std::thread submitter(
      [&] { EXPECT_TRUE(client->SubmitMultipleRequests({second}).ok()); });
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  // The submitter, who waits for room, has read that.
  EXPECT_TRUE(
      support::WaitFor([&] { return first.state() == JobState::kCreated; }));
  EXPECT_FALSE(second.finished());
  second.Cancel();
  submitter.join();
  EXPECT_TRUE(second.finished());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(second.connection_attempts(), 0);
  EXPECT_FALSE(first.finished());
}

// Tells when a submission asks for its maximum of attempts, with the client's
// lock held.
class NotifyingPolicy : public RetryPolicy {
 public:
  RetryDecision OnFailure(const AttemptFailure& /*failure*/) override {
    return {};
  }
  int DefaultMaxAttempts(int /*servers*/) const override {
    asked.Notify();
    return 1;
  }
  absl::string_view name() const override { return "notifying"; }

  mutable absl::Notification asked;
};

// The one who waits for room is not the one who drives.
TEST_F(JobRequestCancelTest, CancelEndsAWaitForRoomWhileAnotherThreadDrives) {
  auto client = MakeClient(WithRoomForOne());
  const JobRequest first = client->SubmitJob(ReverseSpec("first"));
  std::thread leader(
      [&] { EXPECT_TRUE(client->Wait(first, support::kBound).ok()); });
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  EXPECT_TRUE(
      support::WaitFor([&] { return first.state() == JobState::kCreated; }));
  auto policy = std::make_shared<NotifyingPolicy>();
  JobSpec spec = ReverseSpec("second");
  spec.options.retry_policy = policy;
  const JobRequest second(std::move(spec));
  std::thread submitter(
      [&] { EXPECT_TRUE(client->SubmitMultipleRequests({second}).ok()); });
  ASSERT_TRUE(policy->asked.WaitForNotificationWithTimeout(support::kBound));
  // Gets the lock when the submitter waits for room.
  second.Cancel();
  submitter.join();
  EXPECT_EQ(second.status().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(first.finished());
  server.Send(kWorkComplete, {"H:1", ""});
  leader.join();
}

}  // namespace
}  // namespace gearman
