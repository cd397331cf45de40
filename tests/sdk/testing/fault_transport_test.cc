// Tests of a client in a bad network, for every place where it can be bad.
#include "gearman/sdk/testing/fault_transport.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::HasSubstr;

// A payload of so many bytes passes whole.
constexpr size_t kLarge = 20000;

class FaultTransportTest : public ::testing::Test {
 protected:
  FaultTransportTest() {
    server_ = &stack_.StartServer("jobs");
    stack_.plan = [this](const Address&) {
      ++connections_;
      return connections_ == 1 ? first_ : FaultPlan();
    };
  }
  void StartWorker() {
    ASSERT_TRUE(
        stack_.StartWorker("worker", {"inproc://jobs"})
            .Register(
                "count",
                [this](JobContext& context) -> absl::StatusOr<std::string> {
                  ++runs_;
                  const absl::string_view data = context.job().data();
                  return std::string(data.data(), data.size());
                })
            .ok());
  }
  // One job over a connection with the faults of first_, and more over sound
  // ones if it is repeated.
  absl::StatusOr<std::string> Run(CallOptions options = {}) {
    ClientOptions client = stack_.ClientDefaults("client", {"faulty://jobs"});
    // Without delays, the times are those of the faults.
    client.retry_policy = std::make_shared<ImmediateRetryPolicy>();
    client_ = stack_.MakeClient(std::move(client));
    options.timeout = absl::Minutes(5);
    if (!options.max_connection_attempts.has_value()) {
      options.max_connection_attempts = 3;
    }
    return client_->Run("count", "payload", options);
  }

  SimulatedStack stack_{1};
  JobServer* server_;
  FaultPlan first_;
  int connections_ = 0;
  int runs_ = 0;
  std::unique_ptr<Client> client_;
};

TEST_F(FaultTransportTest, ChangesNothingWithoutAFault) {
  StartWorker();
  const absl::StatusOr<std::string> result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "payload");
  EXPECT_EQ(connections_, 1);
}

// A stream without room for bytes.
class FullTransport final : public Transport {
 public:
  IoResult Connect() override { return IoResult::Done(0); }
  IoResult Read(absl::Span<char>) override { return IoResult::WouldBlock(); }
  IoResult Write(absl::Span<const absl::string_view>) override {
    return IoResult::WouldBlock();
  }
  Interest interest(bool) const override { return Interest(); }
  void Close() override {}
  std::string Describe() const override { return "full"; }
};

TEST_F(FaultTransportTest, AFullStreamIsNotReadyForMore) {
  FaultPlan plan;
  plan.max_piece = 10;
  FaultTransport transport(std::make_unique<FullTransport>(), plan,
                           stack_.simulation.clock());
  ASSERT_TRUE(transport.Connect().done());
  EXPECT_TRUE(transport.interest(/*want_write=*/true).ready_now);
  const absl::string_view piece = "piece";
  ASSERT_TRUE(transport.Write({&piece, 1}).would_block());
  EXPECT_FALSE(transport.interest(/*want_write=*/true).ready_now);
}

TEST_F(FaultTransportTest, BytesOneByOneMakeTheSameJob) {
  StartWorker();
  first_.max_piece = 1;
  const absl::StatusOr<std::string> result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "payload");
}

TEST_F(FaultTransportTest, LargePayloadsPassWhole) {
  const char* seen = nullptr;
  const char* made = nullptr;
  ASSERT_TRUE(stack_.StartWorker("worker", {"inproc://jobs"})
                  .Register("echo",
                            [&](JobContext& context) {
                              seen = context.job().data().data();
                              std::string result(kLarge, 'r');
                              made = result.data();
                              return result;
                            })
                  .ok());
  client_ = stack_.MakeClient("client", {"faulty://jobs"});
  std::string data(kLarge, 'd');
  const char* const bytes = data.data();
  const JobRequest request = client_->SubmitJob("echo", std::move(data));
  ASSERT_TRUE(client_->Wait(request).ok()) << request.status();
  EXPECT_EQ(seen, bytes);
  EXPECT_EQ(request.result_view().data(), made);
}

// Faults in payloads that would pass whole.
class LargePayloadTest : public FaultTransportTest {
 protected:
  // Runs a job with large data and result, which may be repeated.
  absl::StatusOr<std::string> RunLarge() {
    StartWorker();
    client_ = stack_.MakeClient("client", {"faulty://jobs"});
    CallOptions options;
    options.timeout = absl::Minutes(5);
    options.max_connection_attempts = 3;
    options.idempotent = true;
    return client_->Run("count", std::string(kLarge, 'd'), options);
  }
};

TEST_F(LargePayloadTest, IsRepeatedWhereTheConnectionIsCutInIt) {
  first_.cut_after_written = kLarge / 2;
  EXPECT_EQ(*RunLarge(), std::string(kLarge, 'd'));
  EXPECT_EQ(connections_, 2);
  EXPECT_EQ(runs_, 1);
}

TEST_F(LargePayloadTest, IsRepeatedWhereTheConnectionIsCutInItsResult) {
  first_.cut_after_read = kLarge / 2;
  EXPECT_EQ(*RunLarge(), std::string(kLarge, 'd'));
  EXPECT_EQ(connections_, 2);
  EXPECT_EQ(runs_, 2);
}

TEST_F(LargePayloadTest, IsRepeatedWhereANetworkSwallowsItsEnd) {
  first_.black_hole_after_written = kLarge / 2;
  EXPECT_EQ(*RunLarge(), std::string(kLarge, 'd'));
  EXPECT_EQ(connections_, 2);
  EXPECT_EQ(runs_, 1);
}

TEST_F(LargePayloadTest, IsChangedInOneByteForThePeerAlone) {
  first_.corrupt_written_at = kLarge / 2;
  std::string result = *RunLarge();
  ASSERT_EQ(result.size(), kLarge);
  EXPECT_EQ(std::count(result.begin(), result.end(), 'd'),
            static_cast<std::ptrdiff_t>(kLarge - 1));
  EXPECT_EQ(std::count(result.begin(), result.end(), 'd' ^ 0x10), 1);
}

TEST_F(LargePayloadTest, IsChangedInOneByteOfItsResult) {
  first_.corrupt_read_at = kLarge / 2;
  std::string result = *RunLarge();
  EXPECT_EQ(std::count(result.begin(), result.end(), 'd' ^ 0x10), 1);
}

TEST_F(LargePayloadTest, ComesAfterTheDelayOfItsConnection) {
  first_.read_delay = absl::Milliseconds(100);
  const absl::Time begin = stack_.simulation.now();
  EXPECT_EQ(*RunLarge(), std::string(kLarge, 'd'));
  EXPECT_GE(stack_.simulation.now() - begin, absl::Milliseconds(100));
}

TEST_F(FaultTransportTest, ARefusedConnectionIsTriedAgain) {
  StartWorker();
  first_.refuse = true;
  const absl::StatusOr<std::string> result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(connections_, 2);
  EXPECT_EQ(runs_, 1);
}

TEST_F(FaultTransportTest, DelaysAreTheClocks) {
  StartWorker();
  first_.connect_delay = absl::Seconds(3);
  first_.read_delay = absl::Milliseconds(100);
  const absl::Time begin = stack_.simulation.now();
  const absl::StatusOr<std::string> result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  const absl::Duration took = stack_.simulation.now() - begin;
  EXPECT_GE(took, absl::Milliseconds(3100));
  EXPECT_LT(took, absl::Seconds(4));
}

TEST_F(FaultTransportTest, AConnectionThatNeverComesAboutEndsByItsTimeLimit) {
  StartWorker();
  first_.connect_delay = absl::Hours(1);
  const absl::Time begin = stack_.simulation.now();
  const absl::StatusOr<std::string> result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(stack_.simulation.now() - begin, ClientOptions().connect_timeout);
}

TEST_F(FaultTransportTest, AServerThatFallsSilentIsTakenForDead) {
  StartWorker();
  first_.black_hole_after_written = 0;
  const absl::StatusOr<std::string> result = Run();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable)
      << result.status();
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("outcome unknown"));
  EXPECT_EQ(runs_, 0);
}

// Whatever byte the connection is cut after, in whichever direction: a job that
// is not marked idempotent is never in the server twice, and the client never
// says that it surely isn't there when it is.
TEST(SubmissionCutAnywhere, IsNeverMadeTwice) {
  // OPTION_REQ "exceptions" and SUBMIT_JOB_BG with a unique of 32 digits.
  constexpr uint64_t kBytes = (12 + 10) + (12 + 6 + 33 + 7);
  int unknown = 0;
  int accepted = 0;
  for (uint64_t cut = 0; cut <= kBytes + 1; ++cut) {
    for (const bool reading : {false, true}) {
      SCOPED_TRACE(absl::StrCat("cut after ", cut, " bytes ",
                                reading ? "read" : "written"));
      SimulatedStack stack(cut);
      JobServer& server = stack.StartServer("jobs");
      int connections = 0;
      stack.plan = [&](const Address&) {
        FaultPlan plan;
        if (++connections > 1) return plan;
        (reading ? plan.cut_after_read : plan.cut_after_written) = cut;
        return plan;
      };
      const auto client = stack.MakeClient("client", {"faulty://jobs"});
      CallOptions options;
      options.timeout = absl::Minutes(5);
      options.max_connection_attempts = 3;
      const JobRequest request =
          client->SubmitBackgroundJob("count", "payload", options);
      client->WaitUntilJobsAccepted({request}).IgnoreError();
      stack.simulation.RunFor(absl::Seconds(1));
      EXPECT_LE(server.jobs(), 1u);
      if (request.state() == JobState::kCreated) {
        EXPECT_EQ(server.jobs(), 1u);
        ++accepted;
      } else {
        EXPECT_EQ(request.state(), JobState::kUnknown);
        EXPECT_THAT(std::string(request.status().message()),
                    HasSubstr("outcome unknown"));
        ++unknown;
      }
      EXPECT_EQ(stack.simulation.failure(), "");
    }
  }
  // Both happen: what surely never left is repeated.
  EXPECT_GT(accepted, 20);
  EXPECT_GT(unknown, 20);
}

TEST(SubmissionCutAnywhere, IsJoinedByItsUniqueOnTheSameServer) {
  for (uint64_t cut = 0; cut <= 60; ++cut) {
    SCOPED_TRACE(absl::StrCat("cut after ", cut, " bytes"));
    SimulatedStack stack(cut);
    JobServer& server = stack.StartServer("jobs");
    int connections = 0;
    stack.plan = [&](const Address&) {
      FaultPlan plan;
      if (++connections == 1) plan.cut_after_written = cut;
      return plan;
    };
    ClientOptions client_options =
        stack.ClientDefaults("client", {"faulty://jobs"});
    client_options.idempotency_policy =
        std::make_shared<StandardIdempotencyPolicy>();
    const auto client = stack.MakeClient(std::move(client_options));
    CallOptions options;
    options.timeout = absl::Minutes(5);
    options.max_connection_attempts = 3;
    options.unique = "order-17";
    const JobRequest request =
        client->SubmitBackgroundJob("count", "payload", options);
    client->WaitUntilJobsAccepted({request}).IgnoreError();
    EXPECT_EQ(request.state(), JobState::kCreated) << request.status();
    EXPECT_EQ(server.jobs(), 1u);
  }
}

}  // namespace
}  // namespace testing
}  // namespace gearman
