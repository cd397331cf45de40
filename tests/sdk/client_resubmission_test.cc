// A request that is submitted again, or made a new one, by its own callback.
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ClientResubmissionTest : public ClientTest {
 protected:
  // Takes a job and completes it with this result.
  static void Complete(PlayedServer& server, int number) {
    server.ReceiveBody(kSubmitJob);
    const std::string handle = absl::StrCat("H:", number);
    server.Send(kJobCreated, {handle});
    server.Send(kWorkComplete, {handle, absl::StrCat(number)});
  }
  // Takes a job and fails it.
  static void Fail(PlayedServer& server, int number) {
    server.ReceiveBody(kSubmitJob);
    const std::string handle = absl::StrCat("H:", number);
    server.Send(kJobCreated, {handle});
    server.Send(kWorkFail, {handle});
  }
};

TEST_F(ClientResubmissionTest, ACompleteRequestIsResetAndRunsAgain) {
  auto client = MakeClient();
  absl::Notification done;
  int ends = 0;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    if (++ends == 3) return done.Notify();
    JobRequest again = request;
    EXPECT_TRUE(again.finished());
    EXPECT_TRUE(again.Reset().ok());
    EXPECT_EQ(again.state(), JobState::kUnknown);
    EXPECT_TRUE(client->SubmitMultipleRequests({again}).ok());
    EXPECT_FALSE(again.finished());
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  for (int i = 1; i <= 3; ++i) Complete(server, i);
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  // A wait goes on until the last end.
  EXPECT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(request.result(), "3");
  EXPECT_EQ(ends, 3);
}

TEST_F(ClientResubmissionTest, AWaitGoesOnWithTheNextSubmission) {
  auto client = MakeClient();
  int ends = 0;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    if (++ends == 2) return;
    JobRequest again = request;
    EXPECT_TRUE(again.Reset().ok());
    EXPECT_TRUE(client->SubmitMultipleRequests({again}).ok());
  };
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    Fail(server, 1);
    Complete(server, 2);
    // Keeps the connection until the client goes.
    server.connection().ReceivePacket().IgnoreError();
  });
  const JobRequest request = client->SubmitJob(std::move(spec));
  EXPECT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  EXPECT_EQ(request.result(), "2");
  EXPECT_EQ(ends, 2);
  client = nullptr;
  server_thread.join();
}

// The other request ends while this one is neither submitted nor finished.
TEST_F(ClientResubmissionTest, AWaitForManyGoesOnWithTheNextSubmission) {
  auto client = MakeClient();
  const JobRequest other = client->SubmitJob(ReverseSpec("other"));
  int ends = 0;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    if (++ends == 2) return;
    JobRequest again = request;
    EXPECT_TRUE(again.Reset().ok());
    std::thread([&] { other.Cancel(); }).join();
    EXPECT_TRUE(client->SubmitMultipleRequests({again}).ok());
  };
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:other"});
    Complete(server, 1);
    Complete(server, 2);
    // Keeps the connection until the client goes.
    server.connection().ReceivePacket().IgnoreError();
  });
  const JobRequest request = client->SubmitJob(std::move(spec));
  EXPECT_EQ(client->WaitUntilJobsCompleted({request, other}, kLong).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(request.result(), "2");
  EXPECT_EQ(ends, 2);
  client = nullptr;
  server_thread.join();
}

// Nothing is begun, and OK would say that it was.
TEST_F(ClientResubmissionTest, ACompleteRequestIsRefusedWithoutReset) {
  auto client = MakeClient();
  absl::Status status;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    status = client->SubmitMultipleRequests({request});
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  Complete(server, 1);
  EXPECT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("\"reverse\""), HasSubstr("complete"),
                    HasSubstr("Reset")));
  EXPECT_EQ(request.result(), "1");
}

TEST_F(ClientResubmissionTest, ResetAloneLeavesARequestThatWasNeverSubmitted) {
  auto client = MakeClient();
  JobSpec spec = ReverseSpec();
  absl::Status status = absl::UnknownError("not called");
  absl::Notification done;
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    JobRequest again = request;
    status = again.Reset();
    done.Notify();
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  Complete(server, 1);
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(request.state(), JobState::kUnknown);
  EXPECT_FALSE(request.finished());
  EXPECT_FALSE(request.result().has_value());
}

TEST_F(ClientResubmissionTest, AnotherThreadCantResetWhatACallbackHas) {
  auto client = MakeClient();
  absl::Status status;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    std::thread other([&] {
      JobRequest again = request;
      status = again.Reset();
    });
    other.join();
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  Complete(server, 1);
  EXPECT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("callback"));
  EXPECT_EQ(request.result(), "1");
}

TEST_F(ClientResubmissionTest, AnUpdatesCallbackCantResetWhatGoesOn) {
  auto client = MakeClient();
  absl::Status reset;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_data = [&](const JobRequest& request,
                                       absl::string_view) {
    JobRequest again = request;
    reset = again.Reset();
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkData, {"H:1", "part"});
  server.Send(kWorkComplete, {"H:1", "r"});
  EXPECT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(reset.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(request.result(), "r");
}

// The hook decides how it ends: only on_complete comes after that.
TEST_F(ClientResubmissionTest, AHookOfAnEndCantSubmitWhatHasNotEnded) {
  ClientOptions options = Options();
  absl::Status submitted;
  absl::Status reset;
  Client* raw = nullptr;
  options.interceptors.push_back([&](OutgoingJob& job) {
    job.OnEnd([&](const JobRequest& request, absl::StatusOr<std::string>&) {
      submitted = raw->SubmitMultipleRequests({request});
      JobRequest again = request;
      reset = again.Reset();
    });
  });
  auto client = MakeClient(options);
  raw = client.get();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  Complete(server, 1);
  EXPECT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_EQ(submitted.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(submitted.message()),
              AllOf(HasSubstr("\"reverse\""), HasSubstr("on_complete")));
  EXPECT_EQ(reset.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(request.result(), "1");
}

// The callback that runs must outlive what an interceptor makes of the options
// of the next submission.
TEST_F(ClientResubmissionTest, ACallbackLivesWhileAnInterceptorReplacesIt) {
  ClientOptions options = Options();
  options.interceptors.push_back([](OutgoingJob& job) {
    CallOptions call = job.options();
    call.priority = Priority::kNone;
    job.set_options(std::move(call));
  });
  auto client = MakeClient(options);
  absl::Notification done;
  JobSpec spec = ReverseSpec();
  int ends = 0;
  spec.options.callbacks.on_complete =
      [&, text = std::string(100, 'x')](const JobRequest& request) {
        if (++ends == 3) return done.Notify();
        JobRequest again = request;
        EXPECT_TRUE(again.Reset().ok());
        EXPECT_TRUE(client->SubmitMultipleRequests({again}).ok());
        EXPECT_EQ(text, std::string(100, 'x'));
      };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  for (int i = 1; i <= 3; ++i) Complete(server, i);
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLong));
}

// The callback cancels its own request, which may then be submitted again.
TEST_F(ClientResubmissionTest, AnUpdatesCallbackLivesWhileItIsReplaced) {
  // Says whether the callback that holds it has been destroyed.
  struct Mark {
    ~Mark() { *destroyed = true; }
    bool* destroyed;
  };
  ClientOptions options = Options();
  options.interceptors.push_back([](OutgoingJob& job) {
    CallOptions call = job.options();
    call.callbacks.on_data = nullptr;
    job.set_options(std::move(call));
  });
  auto interceptor = std::move(options.interceptors.back());
  bool replace = false;
  options.interceptors.back() = [&](OutgoingJob& job) {
    if (replace) interceptor(job);
  };
  // The client may destroy the callback at its own end only.
  bool destroyed = false;
  bool was_destroyed = false;
  absl::Notification done;
  auto client = MakeClient(options);
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_data =
      [&, mark = std::shared_ptr<Mark>(new Mark{&destroyed})](
          const JobRequest& request, absl::string_view) {
        replace = true;
        request.Cancel();
        EXPECT_TRUE(client->SubmitMultipleRequests({request}).ok());
        request.Cancel();
        EXPECT_TRUE(client->SubmitMultipleRequests({request}).ok());
        was_destroyed = destroyed;
        done.Notify();
      };
  const JobRequest request = client->SubmitJob(std::move(spec));
  spec = JobSpec();
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkData, {"H:1", "part"});
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_FALSE(was_destroyed);
}

TEST_F(ClientResubmissionTest, AnotherClientRefusesWhatACallbackHasReset) {
  auto client = MakeClient();
  auto other = MakeClient();
  absl::Notification done;
  absl::Status status;
  JobSpec spec = ReverseSpec();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    JobRequest again = request;
    EXPECT_TRUE(again.Reset().ok());
    status = other->SubmitMultipleRequests({again});
    done.Notify();
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  Complete(server, 1);
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("callback"));
}

}  // namespace
}  // namespace gearman
