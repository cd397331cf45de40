// A foreground job whose connection is cut while it waits in the queue of a
// real gearmand. The repeated submission joins what is left of the job, and
// gearmand drops that without a word.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/integration/running_worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/transports/address.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class DroppedJobGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ok()); }

  // A client whose first connection is cut inside its first JOB_CREATED. The
  // next one is made when gearmand has seen that, and has marked the job.
  std::unique_ptr<Client> MakeClient(int max_attempts) {
    ClientOptions options;
    options.servers = {server_.address()};
    options.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        options.transports
            ->Register("tcp", std::make_shared<testing::FaultTransportFactory>(
                                  std::make_shared<TcpTransportFactory>(),
                                  [this](const Address&) { return Plan(); }))
            .ok());
    ExponentialBackoffRetryOptions retry;
    retry.max_attempts = max_attempts;
    retry.backoff.initial_delay = absl::Milliseconds(1);
    options.retry_policy =
        std::make_shared<ExponentialBackoffRetryPolicy>(retry);
    options.idempotent = true;
    options.heartbeat_interval = absl::Milliseconds(20);
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }
  testing::FaultPlan Plan() {
    testing::FaultPlan plan;
    const int connection = ++connections_;
    if (connection == 1) {
      plan.cut_after_read = 30;
    } else if (connection == 2) {
      // There may be a third one, when the job has gone: to a busy machine the
      // time of two heartbeats is short, and the connection looks idle.
      EXPECT_TRUE(support::WaitFor([this] { return IsMarked(); }));
    }
    return plan;
  }
  // The only job of the server has been left by its client.
  bool IsMarked() {
    const auto jobs = server_.Admin("show jobs");
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    // The handle, retries, "ignore", and whether it is a background job.
    return jobs.ok() && jobs->size() == 1 &&
           absl::StrContains(jobs->front(), "\t0\t1\t");
  }
  // Submits the job, and returns when its second attempt has joined the first.
  JobRequest Joined(Client& client, CallOptions options = {}) {
    options.timeout = kLong;
    JobRequest request = client.SubmitJob("t", "data", std::move(options));
    EXPECT_TRUE(support::WaitFor([&] {
      return request.state() == JobState::kCreated &&
             request.connection_attempts() == 2;
    }));
    EXPECT_TRUE(IsMarked());
    return request;
  }
  void StartWorker() {
    worker_ = std::make_unique<RunningWorker>(
        std::vector<std::string>{server_.address()});
    ASSERT_TRUE(
        (*worker_)
            ->Register(
                "t",
                [this](JobContext& context) -> absl::StatusOr<std::string> {
                  ++runs_;
                  return std::string(context.job().data());
                })
            .ok());
    worker_->Start();
  }

  support::GearmandProcess server_;
  std::atomic<int> connections_{0};
  std::atomic<int> runs_{0};
  std::unique_ptr<RunningWorker> worker_;
};

// Trap 18.
TEST_F(DroppedJobGearmandTest, IsSubmittedOnceMoreAndRuns) {
  auto client = MakeClient(/*max_attempts=*/3);
  const JobRequest request = Joined(*client);
  StartWorker();
  EXPECT_TRUE(client->Wait(request).ok()) << request.status();
  EXPECT_EQ(request.result(), "data");
  EXPECT_THAT(request.attempts(), SizeIs(2));
  EXPECT_EQ(runs_, 1);
}

TEST_F(DroppedJobGearmandTest, IsSubmittedOnceMoreWithTheCallersUnique) {
  auto client = MakeClient(/*max_attempts=*/3);
  CallOptions options;
  options.unique = "u";
  const JobRequest request = Joined(*client, options);
  // Shares the submission.
  const JobRequest other = client->SubmitJob("t", "data", options);
  ASSERT_TRUE(client->WaitUntilJobsAccepted({other}, kLong).ok());
  StartWorker();
  EXPECT_TRUE(client->WaitUntilJobsCompleted({request, other}, kLong).ok())
      << request.status() << other.status();
  EXPECT_EQ(request.result(), "data");
  EXPECT_EQ(other.result(), "data");
  // Each request has its own delay before its next attempt, so the second one
  // may come when the first one's job has ended.
  EXPECT_LE(runs_, 2);
}

// Trap 18.
TEST_F(DroppedJobGearmandTest, EndsWithAReasonAfterTheLastAttempt) {
  auto client = MakeClient(/*max_attempts=*/2);
  const JobRequest request = Joined(*client);
  StartWorker();
  const absl::Status status = client->Wait(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(server_.address()), HasSubstr("\"H:"),
                    HasSubstr("submit the job again")));
  EXPECT_EQ(runs_, 0);
}

}  // namespace
}  // namespace gearman
