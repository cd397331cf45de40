// Tests of a client's messages about jobs that went wrong: they name the server
// and the job, and blame nobody for others' faults.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/plugins/retry/constant_backoff.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/job_id.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/sdk/client_servers_fixture.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/support/bounds.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ClientTruthTest : public ClientTest {
 protected:
  // The text of the request's status.
  static std::string Text(const JobRequest& request) {
    return std::string(request.status().message());
  }
};

// --- failed jobs -------------------------------------------------------------

// The server sends the same packet when its retries are used up, or a job is
// dropped from its queue.
TEST_F(ClientTruthTest, AFailedJobIsNotTheWorkersFault) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkFail, {"H:1"});
  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_THAT(Text(request),
              AllOf(HasSubstr("the job failed"), HasSubstr("\"reverse\""),
                    HasSubstr(listener_.address()), HasSubstr("handle \"H:1\""),
                    Not(HasSubstr("worker"))));
}

// The embedded server sends an exception for a result that is too large.
TEST_F(ClientTruthTest, AnExceptionIsTheJobs) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kWorkException, {"H:1", "boom"});
  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_THAT(Text(request),
              AllOf(HasSubstr("ended with an exception: boom"),
                    HasSubstr(listener_.address()), HasSubstr("handle \"H:1\""),
                    Not(HasSubstr("worker"))));
}

// --- late jobs ---------------------------------------------------------------

// On a virtual clock: no machine is too slow for a packet to come in time.
class ClientTruthInTimeTest : public ClientServersTest {
 protected:
  ClientTruthInTimeTest() {
    Start({"inproc://jobs"});
    Drive();
  }
  // Submits a job with a timeout of 300 ms, whose packet the server has read.
  JobRequest Submitted() {
    JobSpec spec = ReverseSpec("my-unique");
    spec.options.timeout = absl::Milliseconds(300);
    JobRequest request = client_->SubmitJob(spec);
    server_ = Accept(played_);
    EXPECT_THAT(server_->Receive(), StartsWith("SUBMIT_JOB reverse|"));
    return request;
  }
  // Returns the text of its status after its timeout.
  std::string TextWhenLate(const JobRequest& request) {
    EXPECT_TRUE(stack_.simulation.RunUntil([&] { return request.finished(); }));
    EXPECT_EQ(request.status().code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_TRUE(request.timed_out());
    return std::string(request.status().message());
  }

  testing::PlayedServer played_{&stack_.simulation, stack_.network(), "jobs"};
  std::unique_ptr<testing::PlayedConnection> server_;
};

TEST_F(ClientTruthInTimeTest, AJobWithoutAResultIsNamedWithItsServer) {
  const JobRequest request = Submitted();
  server_->Send(wire::Command::kJobCreated, {"H:lap:7"});
  EXPECT_THAT(
      TextWhenLate(request),
      AllOf(HasSubstr("accepted"), HasSubstr("no result"), HasSubstr("300ms"),
            HasSubstr("\"reverse\""), HasSubstr("inproc://jobs"),
            HasSubstr("handle \"H:lap:7\""), HasSubstr("\"my-unique\"")));
}

TEST_F(ClientTruthInTimeTest, AServerThatDoesNotAcceptAJobInTimeIsNamed) {
  EXPECT_THAT(TextWhenLate(Submitted()),
              AllOf(HasSubstr("not accepted"), HasSubstr("300ms"),
                    HasSubstr("\"reverse\""), HasSubstr("inproc://jobs"),
                    HasSubstr("\"my-unique\"")));
}

TEST_F(ClientTruthTest, ALateRequestSaysWhatFailedBefore) {
  support::RawListener dead;
  ClientOptions options = Options();
  options.servers = {dead.address()};
  dead.Close();
  options.max_connection_attempts = 1000;
  options.backoff_policy =
      std::make_shared<ConstantBackoffPolicy>(absl::Milliseconds(50));
  auto client = MakeClient(options);
  // A slow machine gets more time for its first attempt.
  for (absl::Duration timeout = absl::Milliseconds(120);; timeout *= 2) {
    CallOptions call;
    call.timeout = timeout;
    const JobRequest request = client->SubmitJob("reverse", "", call);
    EXPECT_FALSE(client->Wait(request, kLong).ok());
    if (request.attempts().empty() && timeout < support::kBound) continue;
    EXPECT_THAT(Text(request),
                AllOf(HasSubstr("\"reverse\""), HasSubstr(dead.address()),
                      HasSubstr("Connection refused")));
    break;
  }
}

TEST_F(ClientTruthTest, AWaitThatEndsNamesTheJob) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec("my-unique"));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:lap:7"});
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}, kLong).ok());
  EXPECT_THAT(
      std::string(client->Wait(request, absl::Milliseconds(1)).message()),
      AllOf(HasSubstr("\"reverse\""), HasSubstr(listener_.address()),
            HasSubstr("handle \"H:lap:7\""), HasSubstr("\"my-unique\"")));
}

// --- jobs that are given up --------------------------------------------------

TEST_F(ClientTruthTest, WhatEndsWithItsClientIsNamed) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec("my-unique"));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:lap:7"});
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}, kLong).ok());
  client = nullptr;
  EXPECT_EQ(request.status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(
      Text(request),
      AllOf(HasSubstr("client was destroyed"), HasSubstr("\"reverse\""),
            HasSubstr(listener_.address()), HasSubstr("handle \"H:lap:7\""),
            HasSubstr("the job itself may go on")));
}

TEST_F(ClientTruthTest, ACancelledJobIsNamed) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec("my-unique"));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kJobCreated, {"H:lap:7"});
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}, kLong).ok());
  request.Cancel();
  EXPECT_THAT(
      Text(request),
      AllOf(HasSubstr("cancelled"), HasSubstr("\"reverse\""),
            HasSubstr(listener_.address()), HasSubstr("handle \"H:lap:7\"")));
}

TEST_F(ClientTruthTest, AnUnansweredQuestionNamesItsJob) {
  auto client = MakeClient();
  JobId id;
  id.server = listener_.address();
  id.handle = "H:lap:7";
  const absl::Status status =
      client->GetJobStatus(id, absl::Milliseconds(50)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("status query"), HasSubstr(listener_.address()),
                    HasSubstr("handle \"H:lap:7\"")));
}

// --- a result of a job that has none -----------------------------------------

TEST_F(ClientTruthTest, RunRefusesAJobThatRunsLater) {
  auto client = MakeClient();
  CallOptions call;
  call.run_at = absl::Now() + absl::Hours(1);
  const absl::StatusOr<std::string> result =
      client->Run("reverse", "hello", call);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(result.status().message()),
              AllOf(HasSubstr("run_at"), HasSubstr("\"reverse\""),
                    HasSubstr("SubmitBackgroundJob")));
}

TEST_F(ClientTruthTest, RunRefusesAJobThatAnInterceptorHasDelayed) {
  ClientOptions options = Options();
  options.interceptors.push_back([](OutgoingJob& job) {
    CallOptions call = job.options();
    call.run_at = absl::Now() + absl::Hours(1);
    job.set_options(std::move(call));
  });
  auto client = MakeClient(options);
  const absl::StatusOr<std::string> result = client->Run("reverse", "hello");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("run_at"));
}

}  // namespace
}  // namespace gearman
