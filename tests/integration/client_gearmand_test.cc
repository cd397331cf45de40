// The client against a real gearmand. Workers are played by hand where what
// they do matters, so that a test says when each packet is sent.
#include <atomic>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using support::RawConnection;
using support::RequestPacket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint32_t kCanDo = 1;
constexpr uint32_t kGrabJobUniq = 30;
constexpr uint32_t kJobAssignUniq = 31;

struct Assigned {
  std::string handle, function, unique, data;
};

// A worker of one connection, step by step.
class PlayedWorker {
 public:
  PlayedWorker(const GearmandProcess& server, const std::string& function) {
    absl::StatusOr<RawConnection> connection =
        RawConnection::Connect(server.port());
    EXPECT_TRUE(connection.ok()) << connection.status();
    connection_ = std::make_unique<RawConnection>(*std::move(connection));
    Send(kCanDo, {function});
  }

  void Send(uint32_t type, const std::vector<std::string>& arguments) {
    EXPECT_TRUE(connection_->Send(RequestPacket(type, arguments)).ok());
  }
  // Grabs a job that is known to wait.
  Assigned Grab() {
    Send(kGrabJobUniq, {});
    absl::StatusOr<std::string> packet = connection_->ReceivePacket();
    EXPECT_TRUE(packet.ok()) << packet.status();
    Assigned job;
    if (!packet.ok()) return job;
    EXPECT_EQ(static_cast<uint32_t>((*packet)[7]), kJobAssignUniq);
    const std::vector<std::string> arguments =
        absl::StrSplit(packet->substr(12), absl::MaxSplits('\0', 3));
    if (arguments.size() != 4) return job;
    job = {arguments[0], arguments[1], arguments[2], arguments[3]};
    return job;
  }
  // Returns once the server has handled everything sent so far.
  void Barrier() {
    Send(kEchoReq, {"barrier"});
    absl::StatusOr<std::string> packet = connection_->ReceivePacket();
    EXPECT_TRUE(packet.ok()) << packet.status();
  }
  void Close() { connection_->Close(); }

 private:
  std::unique_ptr<RawConnection> connection_;
};

class ClientGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ok()); }

  std::unique_ptr<Client> MakeClient(ClientOptions options = {}) {
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  static JobSpec Spec(const std::string& task, const std::string& data,
                      const std::string& unique = "") {
    JobSpec spec(task, data);
    if (!unique.empty()) spec.options.unique = unique;
    return spec;
  }
  static absl::Status Accepted(Client& client, const JobRequest& request) {
    return client.WaitUntilJobsAccepted({&request, 1}, kLong);
  }

  GearmandProcess server_;
};

// Trap 13.
TEST_F(ClientGearmandTest, ThousandPipelinedSubmissionsGetTheirOwnHandles) {
  auto client = MakeClient();
  std::vector<JobSpec> specs;
  for (int i = 0; i < 1000; ++i) specs.push_back(Spec("t", absl::StrCat(i)));
  const auto requests = client->SubmitMultipleJobs(std::move(specs));
  ASSERT_TRUE(client->WaitUntilJobsAccepted(requests, kLong).ok());
  std::map<std::string, std::string> data_of_handle;
  PlayedWorker worker(server_, "t");
  for (int i = 0; i < 1000; ++i) {
    const Assigned job = worker.Grab();
    data_of_handle[job.handle] = job.data;
    worker.Send(kWorkComplete, {job.handle, "result of " + job.data});
  }
  ASSERT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(data_of_handle[requests[i].handle()], absl::StrCat(i));
    EXPECT_EQ(requests[i].result(), absl::StrCat("result of ", i));
  }
}

// Trap 15.
TEST_F(ClientGearmandTest, AFullQueueReadsAsResourceExhausted) {
  auto client = MakeClient();
  const JobRequest first = client->SubmitBackgroundJob("t", "");
  ASSERT_TRUE(Accepted(*client, first).ok());
  ASSERT_TRUE(server_.Admin("maxqueue t 1").ok());
  const JobRequest second = client->SubmitBackgroundJob("t", "");
  const absl::Status status = client->Wait(second, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("QUEUE_ERROR"));
  EXPECT_EQ(second.state(), JobState::kFailed);
}

// Trap 16, and for "-", which the server joins by itself.
TEST_F(ClientGearmandTest, EqualUniquesOnOneConnectionEndOnceEach) {
  for (const char* unique : {"same", "-"}) {
    auto client = MakeClient();
    const auto requests = client->SubmitMultipleJobs(
        {Spec("t", "data", unique), Spec("t", "data", unique)});
    ASSERT_TRUE(client->WaitUntilJobsAccepted(requests, kLong).ok());
    EXPECT_EQ(requests[0].handle(), requests[1].handle());
    PlayedWorker worker(server_, "t");
    const Assigned job = worker.Grab();
    worker.Send(kWorkData, {job.handle, "part"});
    worker.Send(kWorkComplete, {job.handle, "done"});
    ASSERT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
    for (const JobRequest& request : requests) {
      EXPECT_THAT(request.data_updates(), ElementsAre("part")) << unique;
      EXPECT_EQ(request.result(), "done");
    }
    // The connection is in order still.
    EXPECT_TRUE(client->Echo("after", "", kLong).ok());
  }
}

TEST_F(ClientGearmandTest, EqualUniquesOfTwoClientsShareOneJob) {
  auto client1 = MakeClient();
  auto client2 = MakeClient();
  const JobRequest request1 = client1->SubmitJob(Spec("t", "1", "same"));
  ASSERT_TRUE(Accepted(*client1, request1).ok());
  const JobRequest request2 = client2->SubmitJob(Spec("t", "2", "same"));
  ASSERT_TRUE(Accepted(*client2, request2).ok());
  PlayedWorker worker(server_, "t");
  const Assigned job = worker.Grab();
  EXPECT_EQ(job.data, "1");
  worker.Send(kWorkComplete, {job.handle, "for both"});
  EXPECT_TRUE(client1->Wait(request1, kLong).ok());
  EXPECT_TRUE(client2->Wait(request2, kLong).ok());
  EXPECT_EQ(request1.result(), "for both");
  EXPECT_EQ(request2.result(), "for both");
}

TEST_F(ClientGearmandTest, PrioritiesAreServedHighNoneLow) {
  auto client = MakeClient();
  std::vector<JobRequest> requests;
  for (const Priority priority :
       {Priority::kLow, Priority::kNone, Priority::kHigh}) {
    for (const bool background : {false, true}) {
      JobSpec spec(Spec("t", std::string(PriorityName(priority))));
      spec.options.priority = priority;
      spec.background = background;
      requests.push_back(client->SubmitJob(std::move(spec)));
    }
  }
  ASSERT_TRUE(client->WaitUntilJobsAccepted(requests, kLong).ok());
  PlayedWorker worker(server_, "t");
  std::vector<std::string> order;
  for (int i = 0; i < 6; ++i) order.push_back(worker.Grab().data);
  EXPECT_THAT(order, ElementsAre("high", "high", "none", "none", "low", "low"));
}

TEST_F(ClientGearmandTest, UpdatesArriveInOrderWithTheResult) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(Spec("t", ""));
  ASSERT_TRUE(Accepted(*client, request).ok());
  PlayedWorker worker(server_, "t");
  const Assigned job = worker.Grab();
  worker.Send(kWorkStatus, {job.handle, "0.5", "x"});  // Trap 25
  worker.Send(kWorkStatus, {job.handle, "1", "2"});
  worker.Send(kWorkData, {job.handle, "a"});
  worker.Send(kWorkWarning, {job.handle, "w"});
  worker.Send(kWorkData, {job.handle, std::string("\0b", 2)});
  worker.Send(kWorkComplete, {job.handle, "r"});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_THAT(request.data_updates(), ElementsAre("a", std::string("\0b", 2)));
  EXPECT_THAT(request.warning_updates(), ElementsAre("w"));
  EXPECT_EQ(request.job_status().numerator, 1);
  EXPECT_EQ(request.job_status().denominator, 2);
}

TEST_F(ClientGearmandTest, AnExceptionArrivesAsOne) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(Spec("t", ""));
  ASSERT_TRUE(Accepted(*client, request).ok());
  PlayedWorker worker(server_, "t");
  const Assigned job = worker.Grab();
  worker.Send(kWorkException, {job.handle, "boom"});
  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(request.exception(), "boom");
}

// Trap 21: without the option the server makes a WORK_FAIL of it, whose handle
// ends in a NUL.
TEST_F(ClientGearmandTest, AnExceptionNotAskedForIsAFailure) {
  ClientOptions options;
  options.exceptions = false;
  auto client = MakeClient(options);
  const JobRequest request = client->SubmitJob(Spec("t", ""));
  ASSERT_TRUE(Accepted(*client, request).ok());
  PlayedWorker worker(server_, "t");
  worker.Send(kWorkException, {worker.Grab().handle, "boom"});
  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(request.exception().has_value());
}

TEST_F(ClientGearmandTest, StatusOfQueuedRunningAndFinished) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(Spec("t", "", "u"));
  ASSERT_TRUE(Accepted(*client, request).ok());
  absl::StatusOr<JobStatus> status = client->GetJobStatus(request, kLong);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->known);
  EXPECT_FALSE(status->running);

  PlayedWorker worker(server_, "t");
  const Assigned job = worker.Grab();
  status = client->GetJobStatus(request, kLong);
  ASSERT_TRUE(status.ok());
  EXPECT_TRUE(status->running);
  EXPECT_EQ(status->denominator, 0);  // Trap 24
  worker.Send(kWorkStatus, {job.handle, "4", "5"});
  worker.Barrier();
  // Another process asks, with what the first one printed.
  const absl::StatusOr<JobId> id = JobId::Parse(request.id().ToString());
  ASSERT_TRUE(id.ok());
  auto other = MakeClient();
  status = other->GetJobStatus(*id, kLong);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->numerator, 4);
  status = other->GetJobStatus(JobId{"", "", "u"}, kLong);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->denominator, 5);
  EXPECT_EQ(status->client_count, 1);

  worker.Send(kWorkComplete, {job.handle, ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  status = client->GetJobStatus(request, kLong);
  ASSERT_TRUE(status.ok());
  EXPECT_FALSE(status->known);  // Trap 26
}

TEST_F(ClientGearmandTest, ADelayedJobIsNotHandedOutBeforeItsTime) {
  auto client = MakeClient();
  JobSpec spec = Spec("t", "later");
  spec.options.run_at = absl::Now() + absl::Hours(24);
  const JobRequest later = client->SubmitJob(std::move(spec));
  const JobRequest now = client->SubmitBackgroundJob("t", "now");
  const JobRequest both[] = {later, now};
  ASSERT_TRUE(client->WaitUntilJobsAccepted(both, kLong).ok());
  EXPECT_TRUE(later.complete());
  PlayedWorker worker(server_, "t");
  EXPECT_EQ(worker.Grab().data, "now");
}

// Trap 18.
TEST_F(ClientGearmandTest, ASubmissionThatJoinedAnAbandonedJobEndsByTimeLimit) {
  {
    auto leaves = MakeClient();
    const JobRequest request = leaves->SubmitJob(Spec("t", "", "u"));
    ASSERT_TRUE(Accepted(*leaves, request).ok());
  }
  // The server has seen the first client leave once this one's echo is back
  // and the job is marked.
  auto client = MakeClient();
  for (;;) {
    const auto jobs = server_.Admin("show jobs");
    ASSERT_TRUE(jobs.ok()) << jobs.status();
    ASSERT_THAT(*jobs, SizeIs(1));
    const std::vector<std::string> fields = absl::StrSplit((*jobs)[0], '\t');
    ASSERT_THAT(fields, SizeIs(4));
    if (fields[2] == "1") break;  // "ignore"
  }
  JobSpec spec = Spec("t", "", "u");
  spec.options.timeout = absl::Milliseconds(50);
  const JobRequest request = client->SubmitJob(std::move(spec));
  EXPECT_EQ(client->Wait(request, kLong).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(request.timed_out());
}

// Trap 23 and 38.
TEST_F(ClientGearmandTest, AJobLostWithItsWorkerRunsAgain) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(Spec("t", ""));
  ASSERT_TRUE(Accepted(*client, request).ok());
  for (int run = 0; run < 2; ++run) {
    PlayedWorker worker(server_, "t");
    const Assigned job = worker.Grab();
    worker.Send(kWorkData, {job.handle, "part"});
    worker.Barrier();
    if (run == 1) worker.Send(kWorkComplete, {job.handle, "done"});
    worker.Barrier();
    if (run == 1) break;
    worker.Close();
    // Queued again once the server has noticed.
    for (;;) {
      const auto status = client->GetJobStatus(request, kLong);
      ASSERT_TRUE(status.ok());
      if (!status->running) break;
    }
  }
  ASSERT_TRUE(client->Wait(request, kLong).ok());
  EXPECT_THAT(request.data_updates(), ElementsAre("part", "part"));
}

// Trap 46.
TEST_F(ClientGearmandTest, AServerStopEndsEveryPendingRequestWithAnError) {
  auto client = MakeClient();
  std::vector<JobSpec> specs(100, Spec("t", ""));
  const auto requests = client->SubmitMultipleJobs(std::move(specs));
  ASSERT_TRUE(client->WaitUntilJobsAccepted(requests, kLong).ok());
  ASSERT_TRUE(server_.Stop().ok());
  EXPECT_EQ(client->WaitUntilJobsCompleted(requests, kLong).code(),
            absl::StatusCode::kUnavailable);
  for (const JobRequest& request : requests) {
    EXPECT_EQ(request.state(), JobState::kUnknown);
    EXPECT_THAT(std::string(request.status().message()),
                HasSubstr("outcome unknown"));
  }
}

TEST_F(ClientGearmandTest, ARestartBetweenTwoCallsIsNotNoticed) {
  auto client = MakeClient();
  const JobRequest before = client->SubmitBackgroundJob("t", "");
  ASSERT_TRUE(client->Wait(before, kLong).ok());
  ASSERT_TRUE(server_.Restart().ok());
  const JobRequest after = client->SubmitBackgroundJob("t", "");
  EXPECT_TRUE(client->Wait(after, kLong).ok()) << after.status();
}

// Trap 7: handles begin anew with the server, so a connection's are forgotten
// with it.
TEST_F(ClientGearmandTest, AHandleOfBeforeARestartNamesNoRequestAfterIt) {
  auto client = MakeClient();
  const JobRequest before = client->SubmitJob(Spec("t", "before"));
  ASSERT_TRUE(Accepted(*client, before).ok());
  ASSERT_TRUE(server_.Restart().ok());
  EXPECT_EQ(client->Wait(before, kLong).code(), absl::StatusCode::kUnavailable);
  const JobRequest after = client->SubmitJob(Spec("t", "after"));
  ASSERT_TRUE(Accepted(*client, after).ok());
  EXPECT_EQ(before.handle(), after.handle());
  PlayedWorker worker(server_, "t");
  worker.Send(kWorkComplete, {worker.Grab().handle, "done"});
  ASSERT_TRUE(client->Wait(after, kLong).ok());
  EXPECT_FALSE(before.result().has_value());
}

// Trap 44: a server that hangs.
TEST_F(ClientGearmandTest, AServerThatHangsEndsByTimeLimit) {
  ClientOptions options;
  options.reply_timeout = absl::Milliseconds(100);
  auto client = MakeClient(options);
  // A busy machine may take longer to answer.
  ASSERT_TRUE(support::WaitFor(
      [&client] { return client->Echo("up", "", kLong).ok(); }));
  server_.Signal(SIGSTOP);
  const absl::StatusOr<std::string> result = client->Run("t", "");
  server_.Signal(SIGCONT);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
}

// Trap 47.
TEST_F(ClientGearmandTest, DuringAGracefulStopOldConnectionsWork) {
  auto client = MakeClient();
  const JobRequest first = client->SubmitJob(Spec("t", "1"));
  ASSERT_TRUE(Accepted(*client, first).ok());
  PlayedWorker worker(server_, "t");
  const Assigned job = worker.Grab();
  server_.Signal(SIGUSR1);
  // New connections are refused from some moment on.
  for (;;) {
    absl::StatusOr<RawConnection> refused =
        RawConnection::Connect(server_.port());
    if (!refused.ok()) break;
  }
  const JobRequest second = client->SubmitJob(Spec("t", "2"));
  EXPECT_TRUE(Accepted(*client, second).ok());
  worker.Send(kWorkComplete, {job.handle, "r1"});
  EXPECT_TRUE(client->Wait(first, kLong).ok());
  worker.Send(kWorkComplete, {worker.Grab().handle, "r2"});
  EXPECT_TRUE(client->Wait(second, kLong).ok());
}

// Trap 57: after its cancellation the client hears more of a running job.
TEST_F(ClientGearmandTest, PacketsForACancelledRunningJobAreIgnored) {
  auto client = MakeClient();
  const JobRequest request = client->SubmitJob(Spec("t", ""));
  ASSERT_TRUE(Accepted(*client, request).ok());
  PlayedWorker worker(server_, "t");
  const Assigned job = worker.Grab();
  ASSERT_TRUE(server_.Admin("cancel job " + job.handle).ok());
  EXPECT_EQ(client->Wait(request, kLong).code(), absl::StatusCode::kAborted);
  worker.Send(kWorkData, {job.handle, "still"});
  worker.Send(kWorkComplete, {job.handle, "here"});
  worker.Barrier();
  EXPECT_TRUE(client->Echo("fine", "", kLong).ok());
  EXPECT_EQ(request.state(), JobState::kFailed);
}

TEST_F(ClientGearmandTest, ManyThreadsShareOneClient) {
  constexpr int kThreads = 64;
  constexpr int kJobs = 1000;
  auto client = MakeClient();
  std::atomic<bool> stop{false};
  // A worker that answers each job with its data, many at a time.
  std::thread worker([this, &stop] {
    absl::StatusOr<RawConnection> connection =
        RawConnection::Connect(server_.port());
    ASSERT_TRUE(connection.ok());
    ASSERT_TRUE(connection->Send(RequestPacket(kCanDo, {"echo"})).ok());
    std::string grabs;
    for (int i = 0; i < 64; ++i) grabs += RequestPacket(kGrabJobUniq);
    while (!stop) {
      ASSERT_TRUE(connection->Send(grabs).ok());
      std::string answers;
      for (int i = 0; i < 64; ++i) {
        absl::StatusOr<std::string> packet = connection->ReceivePacket();
        ASSERT_TRUE(packet.ok()) << packet.status();
        if (static_cast<uint32_t>((*packet)[7]) != kJobAssignUniq) continue;
        const std::vector<std::string> arguments =
            absl::StrSplit(packet->substr(12), absl::MaxSplits('\0', 3));
        answers += RequestPacket(kWorkComplete, {arguments[0], arguments[3]});
      }
      ASSERT_TRUE(connection->Send(answers).ok());
    }
  });
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&client, &right, t] {
      std::vector<JobRequest> requests;
      for (int i = 0; i < kJobs; ++i) {
        requests.push_back(client->SubmitJob("echo", absl::StrCat(t, "/", i)));
      }
      EXPECT_TRUE(client->WaitUntilJobsCompleted(requests, kLong * 3).ok());
      for (int i = 0; i < kJobs; ++i) {
        if (requests[i].result() == absl::StrCat(t, "/", i)) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  worker.join();
  EXPECT_EQ(right, kThreads * kJobs);
}

}  // namespace
}  // namespace gearman
