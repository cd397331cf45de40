// Tests of callbacks: their events and order, the calls that they may make, and
// exceptions that they throw.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ClientCallbacksTest : public ClientTest {
 protected:
  // Completes the next `count` jobs, each with its number.
  static void Complete(PlayedServer& server, int count) {
    for (int i = 1; i <= count; ++i) {
      const std::string handle = absl::StrCat("H:", i);
      server.ReceiveBody(kSubmitJob);
      server.Send(kJobCreated, {handle});
      server.Send(kWorkComplete, {handle, absl::StrCat(i)});
    }
  }
  // A job that is refused before it is sent, so that it ends without a server.
  static JobSpec Refused() {
    JobSpec spec("refused", "");
    spec.options.unique = std::string(64, 'u');
    return spec;
  }
};

// --- what they hear ----------------------------------------------------------

TEST_F(ClientCallbacksTest,
       CallbacksRunInTheOrderOfArrivalBeforeTheWaitReturns) {
  auto client = MakeClient();
  std::vector<std::string> heard;
  JobSpec spec("t", "");
  spec.options.callbacks.on_data = [&](const JobRequest&,
                                       absl::string_view data) {
    heard.push_back(absl::StrCat("data ", data));
  };
  spec.options.callbacks.on_warning = [&](const JobRequest&,
                                          absl::string_view data) {
    heard.push_back(absl::StrCat("warning ", data));
  };
  spec.options.callbacks.on_status = [&](const JobRequest&,
                                         const JobStatus& status) {
    heard.push_back(absl::StrCat("status ", status.numerator));
  };
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    heard.push_back(absl::StrCat("complete ", *request.result()));
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkData, {"H:1", "1"});
  server.Send(kWorkStatus, {"H:1", "1", "2"});
  server.Send(kWorkWarning, {"H:1", "w"});
  server.Send(kWorkData, {"H:1", "2"});
  server.Send(kWorkComplete, {"H:1", "r"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_THAT(heard, ElementsAre("data 1", "status 1", "warning w", "data 2",
                                 "complete r"));
  EXPECT_THAT(request.data_updates(), IsEmpty());
}

TEST_F(ClientCallbacksTest, EachAcceptedAttemptIsHeardOf) {
  ClientOptions options = Options();
  auto client = MakeClient(options);
  std::vector<std::string> heard;
  JobSpec spec("t", "");
  spec.options.idempotent = true;
  spec.options.callbacks.on_accepted = [&](const JobRequest& request) {
    heard.push_back(absl::StrCat("accepted ", request.handle()));
  };
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    heard.push_back(absl::StrCat("complete ", *request.result()));
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:1"});
    ASSERT_TRUE(client->WaitUntilJobsAccepted({request}, kLong).ok());
  }
  // The connection is lost, and the job is submitted again.
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:2"});
  server.Send(kWorkComplete, {"H:2", "r"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_THAT(heard, ElementsAre("accepted H:1", "accepted H:2", "complete r"));
}

TEST_F(ClientCallbacksTest, ABackgroundJobIsAcceptedBeforeItIsComplete) {
  auto client = MakeClient();
  std::vector<std::string> heard;
  JobSpec spec("t", "");
  spec.background = true;
  spec.options.callbacks.on_accepted = [&](const JobRequest& request) {
    heard.push_back(absl::StrCat("accepted ", request.handle()));
  };
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    heard.push_back("complete");
  };
  const JobRequest request = client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJobBg);
  server.Send(kJobCreated, {"H:1"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_THAT(heard, ElementsAre("accepted H:1", "complete"));
}

TEST_F(ClientCallbacksTest, CallbacksRunThoughNobodyWaits) {
  auto client = MakeClient();
  absl::Notification done;
  JobSpec spec("t", "");
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    done.Notify();
  };
  client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkComplete, {"H:1", "r"});
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLong));
}

TEST_F(ClientCallbacksTest, ACallerOnlyClientRefusesCallbacks) {
  ClientOptions options = Options();
  options.drive_mode = DriveMode::kCallerOnly;
  auto client = MakeClient(options);
  JobSpec spec("t", "");
  spec.options.callbacks.on_complete = [](const JobRequest&) {};
  EXPECT_EQ(client->SubmitJob(std::move(spec)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// --- what they may do --------------------------------------------------------

TEST_F(ClientCallbacksTest, ACallbackMaySubmitAndMustNotWait) {
  auto client = MakeClient();
  absl::Notification second_done;
  absl::Status wait_status, echo_status;
  JobSpec spec("first", "");
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    wait_status = client->Wait(request);
    echo_status = client->Echo().status();
    JobSpec next("second", "");
    next.options.callbacks.on_complete = [&](const JobRequest&) {
      second_done.Notify();
    };
    client->SubmitJob(std::move(next));
  };
  client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  for (const char* task : {"first", "second"}) {
    EXPECT_THAT(server.ReceiveBody(kSubmitJob), HasSubstr(task));
    server.Send(kJobCreated, {absl::StrCat("H:", task)});
    server.Send(kWorkComplete, {absl::StrCat("H:", task), ""});
  }
  ASSERT_TRUE(second_done.WaitForNotificationWithTimeout(kLong));
  EXPECT_EQ(wait_status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(echo_status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientCallbacksTest, RunInACallbackIsRefusedBeforeAnythingIsSent) {
  auto client = MakeClient();
  absl::Notification done;
  JobSpec spec("first", "");
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    EXPECT_TRUE(absl::IsFailedPrecondition(client->Run("second", "").status()));
    client->SubmitJob("third", "");
    done.Notify();
  };
  client->SubmitJob(std::move(spec));
  PlayedServer server(&listener_);
  Complete(server, 1);
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_THAT(server.ReceiveBody(kSubmitJob), HasSubstr("third"));
}

TEST_F(ClientCallbacksTest,
       ACallbackOfAnotherClientInsideOneMustNotWaitEither) {
  auto outer = MakeClient();
  auto inner = MakeClient();
  absl::Status status;
  JobSpec first = Refused();
  JobSpec second = Refused();
  first.options.callbacks.on_complete = [&](const JobRequest& request) {
    second.options.callbacks.on_complete = [&](const JobRequest&) {
      // Would wait for the callback that it is in.
      status = outer->Wait(request, absl::Milliseconds(1));
    };
    inner->Run("t", "", second.options).IgnoreError();
  };
  outer->Run("t", "", first.options).IgnoreError();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

// The wait goes on until the request ends for good.
TEST_F(ClientCallbacksTest, ACallbackMaySubmitItsRequestAgain) {
  auto client = MakeClient();
  int ends = 0;
  CallOptions options;
  options.callbacks.on_complete = [&](const JobRequest& request) {
    if (++ends > 1) return;
    EXPECT_TRUE(absl::IsUnavailable(request.status()));
    EXPECT_TRUE(client->SubmitMultipleRequests({request}).ok());
  };
  std::thread server_thread([this] {
    {
      PlayedServer lost(&listener_);
      lost.ReceiveBody(kSubmitJob);
    }
    PlayedServer server(&listener_);
    Complete(server, 1);
  });
  const absl::StatusOr<std::string> result = client->Run("t", "", options);
  server_thread.join();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "1");
  EXPECT_EQ(ends, 2);
}

TEST_F(ClientCallbacksTest, ACallbackMustNotGiveItsRequestToAnotherClient) {
  auto client = MakeClient();
  auto other = MakeClient();
  absl::Status status;
  JobSpec spec = Refused();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    status = other->SubmitMultipleRequests({request});
  };
  EXPECT_TRUE(
      absl::IsInvalidArgument(client->Run("t", "", spec.options).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

// The wait includes the callback of a submission that ended at once.
TEST_F(ClientCallbacksTest, AWaitReturnsAfterTheLastOfTheCallbacks) {
  auto client = MakeClient();
  int ends = 0;
  JobSpec spec = Refused();
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    if (++ends == 3) return;
    EXPECT_TRUE(client->SubmitMultipleRequests({request}).ok());
  };
  EXPECT_TRUE(
      absl::IsInvalidArgument(client->Run("t", "", spec.options).status()));
  EXPECT_EQ(ends, 3);
}

TEST_F(ClientCallbacksTest, WhatACallbackSubmitsEndsThoughNobodyWaits) {
  auto client = MakeClient();
  absl::Notification done;
  JobSpec spec = Refused();
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    JobSpec next("t", "");
    next.options.callbacks.on_complete = [&](const JobRequest&) {
      done.Notify();
    };
    client->SubmitJob(std::move(next));
  };
  // The thread that waits leads, and leaves.
  EXPECT_FALSE(client->Run("t", "", spec.options).ok());
  PlayedServer server(&listener_);
  Complete(server, 1);
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLong));
}

TEST_F(ClientCallbacksTest, WhatACallbackHoldsMayCallTheClientWhenItGoes) {
  // Submits when it is destroyed.
  struct Last {
    ~Last() {
      client->SubmitJob("last", "");
      done->Notify();
    }
    Client* client;
    absl::Notification* done;
  };
  absl::Notification done;
  auto client = MakeClient();
  JobSpec spec("first", "");
  spec.options.callbacks.on_complete =
      [last = std::shared_ptr<Last>(new Last{client.get(), &done})](
          const JobRequest&) {};
  client->SubmitJob(std::move(spec));
  spec = JobSpec();
  PlayedServer server(&listener_);
  Complete(server, 1);
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_THAT(server.ReceiveBody(kSubmitJob), HasSubstr("last"));
}

// --- what they throw ---------------------------------------------------------

TEST_F(ClientCallbacksTest, WhatACallbackThrowsIsLoggedAndDisturbsNobody) {
  std::vector<std::string> logged;
  ClientOptions options = Options();
  options.logger =
      Logger(LogLevel::kError, [&](LogLevel, absl::string_view text) {
        logged.push_back(std::string(text));
      });
  auto client = MakeClient(std::move(options));
  int ends = 0;
  JobSpec spec("t", "");
  spec.options.callbacks.on_data = [](const JobRequest&, absl::string_view) {
    throw std::runtime_error("no room on the disk");
  };
  spec.options.callbacks.on_warning = [](const JobRequest&, absl::string_view) {
    throw 17;  // NOLINT
  };
  spec.options.callbacks.on_status = [](const JobRequest&, const JobStatus&) {
    throw std::runtime_error("no terminal");
  };
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    ++ends;
    throw std::runtime_error("no end");
  };
  std::thread server_thread([this] {
    PlayedServer server(&listener_);
    server.ReceiveBody(kSubmitJob);
    server.Send(kJobCreated, {"H:1"});
    server.Send(kWorkData, {"H:1", "1"});
    server.Send(kWorkWarning, {"H:1", "w"});
    server.Send(kWorkStatus, {"H:1", "1", "2"});
    server.Send(kWorkComplete, {"H:1", "r"});
    Complete(server, 1);
  });
  EXPECT_EQ(*client->Run("t", "", spec.options), "r");
  EXPECT_EQ(*client->Run("t", ""), "1");
  server_thread.join();
  EXPECT_EQ(ends, 1);
  EXPECT_THAT(
      logged,
      ElementsAre(
          AllOf(HasSubstr("on_data"), HasSubstr("\"t\""),
                HasSubstr("no room on the disk")),
          AllOf(HasSubstr("on_warning"), HasSubstr("unknown exception")),
          AllOf(HasSubstr("on_status"), HasSubstr("no terminal")),
          AllOf(HasSubstr("on_complete"), HasSubstr("no end"))));
}

}  // namespace
}  // namespace gearman
