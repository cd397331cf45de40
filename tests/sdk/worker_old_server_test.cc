// A worker at a server that knows less than gearmand: Perl's Gearman::Server,
// and servers that close instead of answering what they do not know.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/sdk/worker_fixture.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

class WorkerOldServerTest : public WorkerTest {
 protected:
  // Up to a grab of the oldest kind.
  void StartAtOldServer(const std::string& task, Function handler) {
    StartAndGrab(task, std::move(handler));
    server_->Send(Command::kError, {"server_error", "no such method"});
    ASSERT_EQ(server_->Receive(), "GRAB_JOB_UNIQ");
    server_->Send(Command::kError, {"server_error", "no such method"});
    ASSERT_EQ(server_->Receive(), "GRAB_JOB");
  }
  void Assign(const std::string& handle, const std::string& task) {
    server_->Send(Command::kJobAssign, {handle, task, "x"});
  }
  // Accepts a connection, which asks with `grab` behind an echo, because one
  // was closed before it brought a byte. Answers the echo if there is a server.
  void AcceptEchoAndGrab(const std::string& grab, bool server = true) {
    Accept();
    ASSERT_THAT(server_->Receive(), ::testing::StartsWith("CAN_DO"));
    ASSERT_EQ(server_->Receive(), "ECHO_REQ gearman_sdk heartbeat");
    ASSERT_EQ(server_->Receive(), grab);
    if (server) server_->Send(Command::kEchoRes, {"gearman_sdk heartbeat"});
  }
  // Lets the server close connections behind GRAB_JOB_ALL until it is asked
  // with less.
  void CloseBehindTheBestGrab() {
    AcceptGrab("GRAB_JOB_ALL");
    server_->Close();
    for (int i = 0; i < 2; ++i) {
      AcceptEchoAndGrab("GRAB_JOB_ALL");
      server_->Close();
    }
  }
  // Accepts a connection, which asks with `grab`.
  void AcceptGrab(const std::string& grab) {
    Accept();
    ASSERT_THAT(server_->Receive(), ::testing::StartsWith("CAN_DO"));
    ASSERT_EQ(server_->Receive(), grab);
  }
};

// --- what it does not carry

TEST_F(WorkerOldServerTest, AFailureWithATextIsAnExceptionAndAFailure) {
  StartAtOldServer("find", [](JobContext&) -> absl::StatusOr<std::string> {
    return absl::NotFoundError("no image 17");
  });
  Assign("H:1", "find");
  EXPECT_EQ(server_->Receive(), "WORK_EXCEPTION H:1|NOT_FOUND: no image 17");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB");
  EXPECT_EQ(worker_->stats().jobs_exception, 1u);
}

TEST_F(WorkerOldServerTest, NativeExceptionsAreFollowedByAFailure) {
  options_.native_exceptions = true;
  StartAtOldServer("find", [](JobContext&) -> absl::StatusOr<std::string> {
    return absl::NotFoundError("no image 17");
  });
  Assign("H:1", "find");
  EXPECT_EQ(server_->Receive(), "WORK_EXCEPTION H:1|NOT_FOUND: no image 17");
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
}

TEST_F(WorkerOldServerTest, DataIsKeptForTheResult) {
  StartAtOldServer("render",
                   [](JobContext& context) -> absl::StatusOr<std::string> {
                     EXPECT_TRUE(context.SendData("one,").ok());
                     EXPECT_TRUE(context.SendStatus(1, 2).ok());
                     EXPECT_TRUE(context.SendData("two,").ok());
                     return std::string("done");
                   });
  for (const char* handle : {"H:1", "H:2"}) {
    Assign(handle, "render");
    EXPECT_EQ(server_->Receive(), absl::StrCat("WORK_STATUS ", handle, "|1|2"));
    EXPECT_EQ(server_->Receive(),
              absl::StrCat("WORK_COMPLETE ", handle, "|one,two,done"));
    EXPECT_EQ(server_->Receive(), "GRAB_JOB");
  }
}

TEST_F(WorkerOldServerTest, MoreDataThanCanBeKeptFailsTheJob) {
  options_.limits.max_output_bytes = 8;
  absl::Status second;
  StartAtOldServer(
      "render", [&second](JobContext& context) -> absl::StatusOr<std::string> {
        if (context.job().handle() == "H:2") {
          EXPECT_TRUE(context.SendData("12345678").ok());
          return std::string("!");
        }
        EXPECT_TRUE(context.SendData("12345").ok());
        second = context.SendData("6789");
        return std::string("done");
      });
  Assign("H:1", "render");
  const std::string answer = server_->Receive();
  EXPECT_THAT(answer, ::testing::StartsWith("WORK_EXCEPTION H:1|RESOURCE_"));
  EXPECT_THAT(answer, HasSubstr("knows no WORK_DATA"));
  EXPECT_EQ(server_->Receive(), "WORK_FAIL H:1");
  EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted) << second;
  // The room of the data that was kept is free again.
  EXPECT_EQ(server_->Receive(), "GRAB_JOB");
  Assign("H:2", "render");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:2|12345678!");
}

TEST_F(WorkerOldServerTest, DataOfAJobThatIsLostIsGivenBack) {
  options_.limits.max_output_bytes = 8;
  std::vector<PendingJob> kept;
  Start({});
  ASSERT_TRUE(worker_
                  ->RegisterAsync("later",
                                  [&kept](PendingJob job) {
                                    kept.push_back(std::move(job));
                                  })
                  .ok());
  for (int round = 0; round < 2; ++round) {
    AcceptGrab("GRAB_JOB_ALL");
    server_->Send(Command::kError, {"server_error", ""});
    ASSERT_EQ(server_->Receive(), "GRAB_JOB_UNIQ");
    server_->Send(Command::kError, {"server_error", ""});
    ASSERT_EQ(server_->Receive(), "GRAB_JOB");
    Assign(absl::StrCat("H:", round), "later");
    ASSERT_EQ(server_->Receive(), "GRAB_JOB");
    ASSERT_EQ(kept.size(), size_t(round) + 1);
    EXPECT_TRUE(kept.back().SendData("12345678").ok());
    Settle();
    if (round == 0) server_->Close();
  }
  kept.back().Finish(std::string("!"));
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|12345678!");
}

TEST_F(WorkerOldServerTest, AWarningIsUnimplementedAndLogged) {
  std::vector<std::string> logged;
  options_.logger = Logger(LogLevel::kWarning,
                           [&logged](LogLevel, absl::string_view message) {
                             logged.emplace_back(message);
                           });
  absl::Status warned;
  StartAtOldServer("render",
                   [&](JobContext& context) -> absl::StatusOr<std::string> {
                     warned = context.SendWarning("careful");
                     return std::string("done");
                   });
  Assign("H:1", "render");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|done");
  EXPECT_EQ(warned.code(), absl::StatusCode::kUnimplemented) << warned;
  EXPECT_THAT(logged, ::testing::Contains(HasSubstr("careful")));
}

TEST_F(WorkerOldServerTest, AnotherThreadHearsThatAWarningIsUnimplemented) {
  PendingJob pending;
  StartAsyncAndGrab("later",
                    [&pending](PendingJob job) { pending = std::move(job); });
  server_->Send(Command::kError, {"server_error", ""});
  ASSERT_EQ(server_->Receive(), "GRAB_JOB_UNIQ");
  server_->Send(Command::kError, {"server_error", ""});
  ASSERT_EQ(server_->Receive(), "GRAB_JOB");
  Assign("H:1", "later");
  ASSERT_EQ(server_->Receive(), "GRAB_JOB");
  EXPECT_EQ(pending.SendWarning("careful").code(),
            absl::StatusCode::kUnimplemented);
  pending.Finish(std::string("done"));
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|done");
}

// --- servers that close

TEST_F(WorkerOldServerTest, AServerThatClosesBehindAGrabIsAskedWithLess) {
  Start({{"echo", Echo}});
  CloseBehindTheBestGrab();
  for (int i = 0; i < 2; ++i) {
    AcceptEchoAndGrab("GRAB_JOB_UNIQ");
    server_->Close();
  }
  AcceptEchoAndGrab("GRAB_JOB");
  Assign("H:1", "echo");
  EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
  // The server serves: it may be that the closes were not the grab's fault.
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Close();
  // The grab was at fault, and is not tried again.
  AcceptGrab("GRAB_JOB");
  for (int i = 0; i < 3; ++i) {
    Assign("H:1", "echo");
    EXPECT_EQ(server_->Receive(), "WORK_COMPLETE H:1|x");
    EXPECT_EQ(server_->Receive(), "GRAB_JOB");
  }
  server_->Close();
  AcceptGrab("GRAB_JOB");
}

// The proxy accepts, and closes as its server is down. With a lesser grab the
// first job afterwards would come without its unique.
TEST_F(WorkerOldServerTest, AProxyWhoseServerIsDownTeachesNothing) {
  Start({{"echo", Echo}});
  AcceptGrab("GRAB_JOB_ALL");
  server_->Close();
  for (int i = 0; i < 11; ++i) {
    AcceptEchoAndGrab("GRAB_JOB_ALL", /*server=*/false);
    server_->Close();
  }
  AcceptEchoAndGrab("GRAB_JOB_ALL");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  server_->Close();
  AcceptGrab("GRAB_JOB_ALL");
}

TEST_F(WorkerOldServerTest, OneCloseOrAnAnswerBeforeItIsNoReason) {
  Start({{"echo", Echo}});
  for (int i = 0; i < 3; ++i) {
    AcceptGrab("GRAB_JOB_ALL");
    server_->Close();
    AcceptEchoAndGrab("GRAB_JOB_ALL");
    server_->Send(Command::kNoJob, {});
    EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
    server_->Close();
  }
}

TEST_F(WorkerOldServerTest, AServerThatHasKnownTheBestGrabDiesAndIsAskedSo) {
  Start({{"echo", Echo}});
  AcceptGrab("GRAB_JOB_ALL");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  server_->Close();
  // The server dies again and again, just when it is asked.
  AcceptGrab("GRAB_JOB_ALL");
  server_->Close();
  for (int i = 0; i < 8; ++i) {
    AcceptEchoAndGrab("GRAB_JOB_ALL");
    server_->Close();
  }
  // An older server has taken its place, as it seems.
  AcceptEchoAndGrab("GRAB_JOB_UNIQ");
}

TEST_F(WorkerOldServerTest, AServerThatWasAwayIsAskedWithTheBestGrabAgain) {
  Start({{"echo", Echo}});
  CloseBehindTheBestGrab();
  AcceptEchoAndGrab("GRAB_JOB_UNIQ");
  played_.StopListening();
  server_->Close();
  stack_.simulation.RunFor(absl::Minutes(1));
  testing::PlayedServer back(&stack_.simulation, stack_.network(), "jobs");
  server_ = back.Accept();
  ASSERT_EQ(server_->Receive(), "CAN_DO echo");
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
}

TEST_F(WorkerOldServerTest, ARenewedConnectionKeepsTheGrab) {
  options_.reconnect.connection_lifetime = absl::Minutes(1);
  options_.reconnect.jitter = 0;
  Start({{"echo", Echo}});
  CloseBehindTheBestGrab();
  AcceptEchoAndGrab("GRAB_JOB_UNIQ");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "GRAB_JOB_ALL");
  server_->Close();
  AcceptGrab("GRAB_JOB_UNIQ");
  server_->Send(Command::kNoJob, {});
  EXPECT_EQ(server_->Receive(), "PRE_SLEEP");
  const auto old = std::move(server_);
  AcceptGrab("GRAB_JOB_UNIQ");
}

}  // namespace
}  // namespace gearman
