// Client::Result and Client::Results against a server played by hand.
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ClientResultsTest : public ClientTest {
 protected:
  // Submits a job, which the server accepts as `handle`.
  JobRequest Accepted(PlayedServer* server, const std::string& handle) {
    const JobRequest request = client_->SubmitJob(ReverseSpec(handle));
    server->ReceiveBody(kSubmitJob);
    server->Send(kJobCreated, {handle});
    return request;
  }
  // Makes the client connect.
  std::unique_ptr<PlayedServer> Connect() {
    client_->SubmitBackgroundJob("first", "");
    auto server = std::make_unique<PlayedServer>(&listener_);
    server->ReceiveBody(kSubmitJobBg);
    server->Send(kJobCreated, {"H:first"});
    return server;
  }

  std::unique_ptr<Client> client_ = MakeClient();
};

TEST_F(ClientResultsTest, ResultWaitsAndReturnsTheResult) {
  const auto server = Connect();
  const JobRequest request = Accepted(server.get(), "H:1");
  server->Send(kWorkComplete, {"H:1", "olleh"});
  const absl::StatusOr<std::string> result = client_->Result(request, kLong);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "olleh");
}

TEST_F(ClientResultsTest, TheResultIsMovedAndNotCopied) {
  const auto server = Connect();
  const JobRequest request = Accepted(server.get(), "H:1");
  server->Send(kWorkComplete, {"H:1", std::string(1000, 'r')});
  ASSERT_TRUE(client_->Wait(request, kLong).ok());
  const char* const bytes = request.result_view().data();
  const absl::StatusOr<std::string> result = client_->Result(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->data(), bytes);
  EXPECT_EQ(request.result(), "");
}

TEST_F(ClientResultsTest, AResultIsTakenOnce) {
  const auto server = Connect();
  const JobRequest request = Accepted(server.get(), "H:1");
  const JobRequest other = Accepted(server.get(), "H:2");
  server->Send(kWorkComplete, {"H:1", "olleh"});
  server->Send(kWorkComplete, {"H:2", "olleh"});
  ASSERT_TRUE(client_->Result(request, kLong).ok());
  const absl::Status again = client_->Result(request, kLong).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(again)) << again;
  EXPECT_THAT(
      std::string(again.message()),
      AllOf(HasSubstr("reverse"), HasSubstr("H:1"), HasSubstr("taken before")));

  ASSERT_TRUE(client_->Wait(other, kLong).ok());
  EXPECT_EQ(other.TakeResult(), "olleh");
  EXPECT_TRUE(
      absl::IsFailedPrecondition(client_->Result(other, kLong).status()));
}

TEST_F(ClientResultsTest, RunTakesTheResult) {
  const auto server = Connect();
  const JobRequest request(ReverseSpec());
  std::thread server_thread([&server] {
    server->ReceiveBody(kSubmitJob);
    server->Send(kJobCreated, {"H:1"});
    server->Send(kWorkComplete, {"H:1", "olleh"});
  });
  EXPECT_EQ(client_->Run(request).value_or(""), "olleh");
  server_thread.join();
  EXPECT_EQ(request.result(), "");
  EXPECT_TRUE(
      absl::IsFailedPrecondition(client_->Result(request, kLong).status()));
}

// Run has refused it; other calls may submit it.
TEST_F(ClientResultsTest, ABackgroundRequestThatRunHasRefusedCanBeSubmitted) {
  const auto server = Connect();
  JobSpec spec = ReverseSpec();
  spec.background = true;
  const JobRequest request(std::move(spec));
  EXPECT_TRUE(absl::IsInvalidArgument(client_->Run(request).status()));
  ASSERT_TRUE(client_->SubmitMultipleRequests({request}).ok());
  ASSERT_FALSE(request.finished()) << request.status();
  server->ReceiveBody(kSubmitJobBg);
  server->Send(kJobCreated, {"H:1"});
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
}

// The callback sees the result, whatever other threads do.
TEST_F(ClientResultsTest, AResultIsNotTakenWhileItsCallbackRuns) {
  const auto server = Connect();
  absl::Notification runs;
  absl::Notification go_on;
  std::string seen;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    runs.Notify();
    EXPECT_TRUE(go_on.WaitForNotificationWithTimeout(kLong));
    seen = std::string(request.result_view());
  };
  const JobRequest request = client_->SubmitJob(std::move(spec));
  server->ReceiveBody(kSubmitJob);
  server->Send(kJobCreated, {"H:1"});
  server->Send(kWorkComplete, {"H:1", "olleh"});
  ASSERT_TRUE(runs.WaitForNotificationWithTimeout(kLong));
  const absl::Status late =
      client_->Result(request, absl::ZeroDuration()).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  EXPECT_THAT(std::string(late.message()),
              AllOf(HasSubstr("reverse"), HasSubstr("callback")));
  const absl::Status waited = client_->Wait(request, absl::ZeroDuration());
  EXPECT_TRUE(absl::IsDeadlineExceeded(waited)) << waited;
  go_on.Notify();
  EXPECT_EQ(client_->Result(request, kLong).value_or(""), "olleh");
  EXPECT_EQ(seen, "olleh");
}

TEST_F(ClientResultsTest, ANewSubmissionHasANewResult) {
  const auto server = Connect();
  JobRequest request = Accepted(server.get(), "H:1");
  server->Send(kWorkComplete, {"H:1", "one"});
  EXPECT_EQ(client_->Result(request, kLong).value_or(""), "one");
  ASSERT_TRUE(request.Reset().ok());
  ASSERT_TRUE(client_->SubmitMultipleRequests({&request, 1}).ok());
  server->ReceiveBody(kSubmitJob);
  server->Send(kJobCreated, {"H:2"});
  server->Send(kWorkComplete, {"H:2", "two"});
  EXPECT_EQ(client_->Result(request, kLong).value_or(""), "two");
}

TEST_F(ClientResultsTest, AFailedJobIsItsStatus) {
  const auto server = Connect();
  const JobRequest request = Accepted(server.get(), "H:1");
  server->Send(kWorkException, {"H:1", "division by zero"});
  const absl::Status status = client_->Result(request, kLong).status();
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(status, request.status());
}

TEST_F(ClientResultsTest, ALateOneGoesOnAndCanBeTakenLater) {
  const auto server = Connect();
  const JobRequest request = Accepted(server.get(), "H:1");
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  const absl::Status late =
      client_->Result(request, absl::Milliseconds(10)).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  EXPECT_THAT(std::string(late.message()),
              AllOf(HasSubstr("reverse"), HasSubstr("H:1"),
                    HasSubstr(listener_.address())));
  EXPECT_TRUE(request.timed_out());
  EXPECT_FALSE(request.finished());
  server->Send(kWorkComplete, {"H:1", "late"});
  EXPECT_EQ(client_->Result(request, kLong).value_or(""), "late");
}

// The server accepts none of these, so a wait for them would not end.
TEST_F(ClientResultsTest, ABackgroundRequestIsNotWaitedFor) {
  const JobRequest background = client_->SubmitBackgroundJob("clean", "");
  CallOptions later;
  later.run_at = absl::UnixEpoch() + absl::Hours(24);
  const JobRequest delayed = client_->SubmitJob("clean", "", later);
  for (const JobRequest& request : {background, delayed}) {
    const absl::Status status = client_->Result(request).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("clean"), HasSubstr("background")));
    EXPECT_FALSE(request.finished());
  }
}

TEST_F(ClientResultsTest, OneThatIsNotThisClientsIsRefused) {
  const JobRequest never(ReverseSpec());
  EXPECT_TRUE(absl::IsFailedPrecondition(client_->Result(never).status()));
  auto other = MakeClient();
  const JobRequest foreign = other->SubmitJob(ReverseSpec());
  EXPECT_TRUE(absl::IsFailedPrecondition(client_->Result(foreign).status()));
}

TEST_F(ClientResultsTest, ResultsAreInTheOrderOfTheRequests) {
  const auto server = Connect();
  const JobRequest completes = Accepted(server.get(), "H:1");
  const JobRequest fails = Accepted(server.get(), "H:2");
  const JobRequest last = Accepted(server.get(), "H:3");
  const JobRequest background = client_->SubmitBackgroundJob("clean", "");
  const JobRequest never(ReverseSpec());
  server->Send(kWorkFail, {"H:2"});
  server->Send(kWorkComplete, {"H:3", "three"});
  server->Send(kWorkComplete, {"H:1", "one"});
  const std::vector<absl::StatusOr<std::string>> results = client_->Results(
      {completes, background, fails, never, last, completes}, kLong);
  ASSERT_THAT(results, SizeIs(6));
  EXPECT_EQ(results[0].value_or(""), "one");
  EXPECT_TRUE(absl::IsInvalidArgument(results[1].status()));
  EXPECT_TRUE(absl::IsAborted(results[2].status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(results[3].status()));
  EXPECT_EQ(results[4].value_or(""), "three");
  EXPECT_TRUE(absl::IsFailedPrecondition(results[5].status()));
}

TEST_F(ClientResultsTest, ResultsHaveOneTimeoutAndKeepWhatIsThere) {
  const auto server = Connect();
  const JobRequest completes = Accepted(server.get(), "H:1");
  const JobRequest late = Accepted(server.get(), "H:2");
  server->Send(kWorkComplete, {"H:1", "one"});
  ASSERT_TRUE(client_->Wait(completes, kLong).ok());
  const std::vector<absl::StatusOr<std::string>> results =
      client_->Results({completes, late}, absl::Milliseconds(10));
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].value_or(""), "one");
  EXPECT_TRUE(absl::IsDeadlineExceeded(results[1].status()));
  EXPECT_FALSE(completes.timed_out());
  EXPECT_TRUE(late.timed_out());
  EXPECT_FALSE(late.finished());
}

TEST_F(ClientResultsTest, NoResultsOfNoRequests) {
  EXPECT_THAT(client_->Results({}), SizeIs(0));
}

TEST_F(ClientResultsTest, ACallbackMustNotWaitForAResult) {
  absl::Status one;
  absl::Status many;
  JobSpec spec = ReverseSpec("H:1");
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    one = client_->Result(request).status();
    many = client_->Results({&request, 1})[0].status();
  };
  const auto server = Connect();
  const JobRequest request = client_->SubmitJob(std::move(spec));
  server->ReceiveBody(kSubmitJob);
  server->Send(kJobCreated, {"H:1"});
  server->Send(kWorkComplete, {"H:1", "olleh"});
  EXPECT_EQ(client_->Result(request, kLong).value_or(""), "olleh");
  EXPECT_TRUE(absl::IsFailedPrecondition(one)) << one;
  EXPECT_TRUE(absl::IsFailedPrecondition(many)) << many;
}

TEST_F(ClientResultsTest, TwoThreadsGetOneResultOnce) {
  const auto server = Connect();
  const JobRequest request = Accepted(server.get(), "H:1");
  absl::StatusOr<std::string> there;
  std::thread thread([&] { there = client_->Result(request, kLong); });
  server->Send(kWorkComplete, {"H:1", "olleh"});
  const absl::StatusOr<std::string> here = client_->Result(request, kLong);
  thread.join();
  ASSERT_NE(here.ok(), there.ok()) << here.status() << there.status();
  EXPECT_EQ(here.ok() ? *here : *there, "olleh");
  EXPECT_TRUE(
      absl::IsFailedPrecondition(here.ok() ? there.status() : here.status()));
}

}  // namespace
}  // namespace gearman
