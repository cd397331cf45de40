// The statuses that a client gives to its user: the facts in them, and what is
// printed. The server is played by hand.
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/status.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

constexpr char kTask[] = "reverse";
constexpr char kHandle[] = "H:host:17";

class ClientStatusTest : public ClientTest {
 protected:
  ClientOptions OneAttempt() {
    ClientOptions options = Options();
    options.max_connection_attempts = 1;
    return options;
  }
  // Submits a job and plays its server until the job is accepted.
  JobRequest Accepted(CallOptions call = {}) {
    call.unique = "the-unique";
    const JobRequest request =
        client_->SubmitJob(kTask, "hello", std::move(call));
    server_ = std::make_unique<PlayedServer>(&listener_);
    server_->ReceiveBody(kSubmitJob);
    server_->Send(kJobCreated, {kHandle});
    return request;
  }
  // Each fact is once in the text that a program prints of the status.
  void ExpectOnce(const absl::Status& status,
                  std::initializer_list<absl::string_view> facts) {
    std::ostringstream out;
    out << status;
    const std::string text = out.str();
    for (const absl::string_view fact : facts) {
      int count = 0;
      for (size_t at = text.find(std::string(fact)); at != std::string::npos;
           at = text.find(std::string(fact), at + fact.size())) {
        ++count;
      }
      EXPECT_EQ(count, 1) << fact << " in " << text;
    }
  }
  void ExpectFacts(const StatusFacts& facts) {
    EXPECT_EQ(facts.operation, "submit");
    EXPECT_EQ(facts.task, kTask);
    EXPECT_EQ(facts.server, listener_.address());
    EXPECT_EQ(facts.handle, kHandle);
    EXPECT_EQ(facts.attempt, 1);
    EXPECT_EQ(facts.max_attempts, 1);
  }

  std::unique_ptr<Client> client_ = MakeClient(OneAttempt());
  std::unique_ptr<PlayedServer> server_;
};

TEST_F(ClientStatusTest, AFailureIsNoException) {
  const JobRequest request = Accepted();
  server_->Send(kWorkFail, {kHandle});
  const absl::Status status = client_->Result(request, kLong).status();
  const StatusFacts facts = GetStatusFacts(status);
  ExpectFacts(facts);
  EXPECT_TRUE(facts.failed);
  EXPECT_FALSE(facts.exception.has_value());
  ExpectOnce(status, {kTask, listener_.address(), kHandle, "the-unique",
                      "attempt 1 of 1", "bytes sent", "failed"});
}

TEST_F(ClientStatusTest, AnExceptionHasItsBytes) {
  const JobRequest request = Accepted();
  const std::string exception("Traceback:\n  division by zero\n\0\xff\n", 33);
  server_->Send(kWorkException, {kHandle, exception});
  const absl::Status status = client_->Result(request, kLong).status();
  const StatusFacts facts = GetStatusFacts(status);
  ExpectFacts(facts);
  EXPECT_TRUE(facts.failed);
  EXPECT_EQ(facts.exception, exception);
  ExpectOnce(status,
             {kTask, listener_.address(), kHandle, "the-unique",
              "attempt 1 of 1", "bytes sent", "Traceback", "division by zero"});
}

TEST_F(ClientStatusTest, AFailureWithATextIsAnException) {
  const JobRequest request = Accepted();
  server_->Send(kWorkWarning, {kHandle, "gearman exception: no such file"});
  server_->Send(kWorkFail, {kHandle});
  const absl::Status status = client_->Result(request, kLong).status();
  const StatusFacts facts = GetStatusFacts(status);
  ExpectFacts(facts);
  EXPECT_TRUE(facts.failed);
  EXPECT_EQ(facts.exception, "no such file");
  ExpectOnce(status, {kTask, listener_.address(), kHandle, "no such file"});
}

TEST_F(ClientStatusTest, RunTellsTheFactsToo) {
  const JobRequest request = Accepted();
  server_->Send(kWorkException, {kHandle, "first"});
  ASSERT_FALSE(client_->Result(request, kLong).ok());
  CallOptions timeout;
  timeout.timeout = absl::Milliseconds(20);
  const absl::Status status = client_->Run(kTask, "", timeout).status();
  const StatusFacts facts = GetStatusFacts(status);
  EXPECT_EQ(facts.task, kTask);
  EXPECT_EQ(facts.server, listener_.address());
  EXPECT_FALSE(facts.failed);
  ExpectOnce(status, {kTask, listener_.address(), "attempt 1 of 1"});
}

TEST_F(ClientStatusTest, AServerThatIsNotThere) {
  support::RawListener dead;
  const std::string address = dead.address();
  dead.Close();
  ClientOptions options = OneAttempt();
  options.servers = {address};
  auto client = MakeClient(options);
  const absl::Status status = client->Run(kTask, "hello").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  const StatusFacts facts = GetStatusFacts(status);
  EXPECT_EQ(facts.server, address);
  EXPECT_EQ(facts.bytes_sent, false);
  EXPECT_FALSE(facts.failed);
  ExpectOnce(status,
             {kTask, address, "attempt 1 of 1", "no byte sent", "refused"});
}

TEST_F(ClientStatusTest, AServerThatIsNotThereInAnyAttempt) {
  support::RawListener dead;
  const std::string address = dead.address();
  dead.Close();
  ClientOptions options = Options();
  options.servers = {address};
  options.max_connection_attempts = 3;
  auto client = MakeClient(options);
  const absl::Status status = client->Run(kTask, "hello").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  const StatusFacts facts = GetStatusFacts(status);
  EXPECT_EQ(facts.server, address);
  EXPECT_EQ(facts.attempt, 3);
  EXPECT_EQ(facts.bytes_sent, false);
  ExpectOnce(status, {kTask, address, "attempt 3 of 3", "no byte sent",
                      "refused", "each time"});
}

TEST_F(ClientStatusTest, TwoServersThatAreNotThere) {
  support::RawListener dead[2];
  ClientOptions options = Options();
  options.servers.clear();
  for (support::RawListener& listener : dead) {
    options.servers.push_back(listener.address());
    listener.Close();
  }
  options.max_connection_attempts = 2;
  options.retry_policy = std::make_shared<ImmediateRetryPolicy>();
  auto client = MakeClient(options);
  const absl::Status status = client->Run(kTask, "hello").status();
  EXPECT_EQ(GetStatusFacts(status).server, "");
  ExpectOnce(status,
             {options.servers[0], options.servers[1], "attempt 2 of 2"});
}

TEST_F(ClientStatusTest, AServerThatRefuses) {
  const JobRequest request = client_->SubmitJob(kTask, "hello");
  server_ = std::make_unique<PlayedServer>(&listener_);
  server_->ReceiveBody(kSubmitJob);
  server_->Send(kError, {"QUEUE_ERROR", "Job queue is full"});
  const absl::Status status = client_->Result(request, kLong).status();
  const StatusFacts facts = GetStatusFacts(status);
  EXPECT_EQ(facts.server, listener_.address());
  EXPECT_EQ(facts.handle, "");
  EXPECT_FALSE(facts.failed);
  ExpectOnce(status, {kTask, listener_.address(), "attempt 1 of 1",
                      "QUEUE_ERROR", "Job queue is full"});
}

TEST_F(ClientStatusTest, AServerThatIsLost) {
  const JobRequest request = Accepted();
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  server_->Close();
  const absl::Status status = client_->Result(request, kLong).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  const StatusFacts facts = GetStatusFacts(status);
  ExpectFacts(facts);
  EXPECT_EQ(facts.bytes_sent, true);
  EXPECT_FALSE(facts.failed);
  ExpectOnce(status, {kTask, listener_.address(), kHandle, "attempt 1 of 1",
                      "outcome unknown"});
}

TEST_F(ClientStatusTest, ARequestThatIsLate) {
  CallOptions call;
  call.timeout = absl::Milliseconds(20);
  const JobRequest request = client_->SubmitJob(kTask, "hello", call);
  const absl::Status status = client_->Result(request, kLong).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(GetStatusFacts(status).server, listener_.address());
  ExpectOnce(status, {kTask, listener_.address(), "attempt 1 of 1"});
}

TEST_F(ClientStatusTest, AWaitThatIsLate) {
  const JobRequest request = Accepted();
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  const absl::Status status =
      client_->Result(request, absl::Milliseconds(1)).status();
  ExpectOnce(status, {kTask, listener_.address(), kHandle, "the-unique"});
  const absl::Status wait = client_->Wait(request, absl::Milliseconds(1));
  ExpectOnce(wait, {kTask, listener_.address(), kHandle, "the-unique"});
}

TEST_F(ClientStatusTest, ARequestThatIsCancelled) {
  const JobRequest request = Accepted();
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  request.Cancel();
  const absl::Status status = request.status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  const StatusFacts facts = GetStatusFacts(status);
  EXPECT_EQ(facts.handle, kHandle);
  EXPECT_EQ(facts.server, listener_.address());
  ExpectOnce(status, {kTask, listener_.address(), kHandle, "the-unique"});
}

TEST_F(ClientStatusTest, AClientThatHasEnded) {
  const JobRequest request = Accepted();
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  client_ = nullptr;
  const absl::Status status = request.status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(GetStatusFacts(status).handle, kHandle);
  ExpectOnce(status, {kTask, listener_.address(), kHandle, "attempt 1 of 1"});
}

TEST_F(ClientStatusTest, AQuestionWithoutAnAnswer) {
  const JobRequest request = Accepted();
  ASSERT_TRUE(client_->WaitUntilJobsAccepted({&request, 1}, kLong).ok());
  const absl::Status status =
      client_->GetJobStatus(request, absl::Milliseconds(1)).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  ExpectOnce(status, {listener_.address(), kHandle});
}

}  // namespace
}  // namespace gearman
