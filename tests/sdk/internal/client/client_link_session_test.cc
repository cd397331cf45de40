// The two times of a client's connection: until the server is taken for dead,
// and until it is asked for a sign of life.
#include "gearman/sdk/internal/client/client_link_session.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/connection.h"
#include "gearman/sdk/internal/net/server.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/internal/request/query.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/tests/sdk/internal/client/recorded_effects.h"
#include "gearman/tests/sdk/testing/refusing_transport.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kReply = absl::Seconds(30);
constexpr absl::Duration kHeartbeat = absl::Seconds(20);

class ClientLinkSessionTest : public ::testing::Test {
 protected:
  ClientLinkSessionTest() {
    options_.sink = &effects_;
    options_.exceptions = false;
    options_.reply_timeout = kReply;
    options_.heartbeat_interval = kHeartbeat;
    session_ = std::make_unique<ClientLinkSession>(&options_, &output_, &link_,
                                                   /*on_unused=*/nullptr);
    session_->OnConnected(now_);
    request_->self = request_;
    request_->task = "reverse";
    request_->unique.Assign("u");
  }
  ~ClientLinkSessionTest() override { request_->self = nullptr; }

  void Submit() {
    ASSERT_TRUE(session_->Submit(request_.get()).ok());
    session_->Settle(now_);
  }
  // The server sends this after so much time.
  template <typename Message>
  void Receive(Message message, absl::Duration after) {
    now_ += after;
    wire::ToClient event = std::move(message);
    ASSERT_TRUE(session_->OnEvent(event).ok());
    EXPECT_TRUE(session_->OnReceived(now_));
  }
  // The time until something is due.
  absl::Duration Left() const { return session_->next_deadline() - now_; }

  ClientLinkSession::Options options_;
  ServerMetrics metrics_{"inproc://jobs"};
  absl::Time now_ = absl::UnixEpoch();
  testing::Simulation simulation_{1};
  const std::shared_ptr<Poller> poller_ = simulation_.MakePoller("client");
  wire::OutputBuffer output_;
  ClientLink link_{ClientServerPtr::Make(Address{"inproc", "jobs"}, &metrics_),
                   std::make_unique<testing::RefusingTransport>(false),
                   poller_.get(),
                   /*key=*/1,
                   wire::DecoderOptions(),
                   ConnectionOptions()};
  RecordedEffects effects_;
  std::unique_ptr<ClientLinkSession> session_;
  const std::shared_ptr<JobRequestState> request_ =
      std::make_shared<JobRequestState>();
};

TEST_F(ClientLinkSessionTest, NothingIsDueWhileNobodyWaits) {
  session_->Settle(now_);
  EXPECT_EQ(session_->next_deadline(), absl::InfiniteFuture());
  EXPECT_TRUE(session_->MayEnd(now_));
  EXPECT_FALSE(session_->stale(now_ + kHeartbeat - absl::Seconds(1)));
  EXPECT_TRUE(session_->stale(now_ + kHeartbeat));
}

TEST_F(ClientLinkSessionTest, AServerThatDoesNotReplyIsTakenForDead) {
  Submit();
  EXPECT_EQ(Left(), kReply);
  EXPECT_FALSE(session_->MayEnd(now_));
  EXPECT_FALSE(session_->stale(now_ + kHeartbeat));
  now_ += kReply;
  const absl::Status status = session_->OnTime(now_);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no answer within 30s (reply_timeout)"));
}

TEST_F(ClientLinkSessionTest, APartOfAPacketGivesTheReplyMoreTime) {
  Submit();
  now_ += absl::Seconds(29);
  session_->OnProgress(now_);
  EXPECT_EQ(Left(), kReply);
}

TEST_F(ClientLinkSessionTest, EachReplyGivesTheNextOneItsTime) {
  Submit();
  Query query(Operation::Kind::kEcho);
  ASSERT_TRUE(session_->Ask(&query).ok());
  session_->Settle(now_);
  Receive(wire::JobCreated{"H:1"}, absl::Seconds(29));
  EXPECT_EQ(Left(), kReply);
  session_->Detach(&query);
  session_->Detach(request_.get());
}

TEST_F(ClientLinkSessionTest, AServerThatHasAJobIsAskedForASignOfLife) {
  Submit();
  Receive(wire::JobCreated{"H:1"}, absl::Seconds(1));
  EXPECT_EQ(Left(), kHeartbeat);
  output_.Clear();
  now_ += kHeartbeat;
  ASSERT_TRUE(session_->OnTime(now_).ok());
  EXPECT_GT(output_.size(), 0u);
  session_->Settle(now_);
  EXPECT_EQ(Left(), kReply);
  // The answer is a sign of life, and its time is measured.
  Receive(wire::EchoResponse{Payload("gearman_sdk heartbeat")},
          absl::Seconds(2));
  EXPECT_EQ(Left(), kHeartbeat);
  EXPECT_EQ(metrics_.heartbeat_rtt.count(), 1u);
  session_->Detach(request_.get());
}

TEST_F(ClientLinkSessionTest, AQuestionTakesThePlaceOfAHeartbeat) {
  Submit();
  Receive(wire::JobCreated{"H:1"}, absl::Seconds(1));
  now_ += kHeartbeat;
  session_->AskAfterJob("H:1");
  const size_t asked = output_.size();
  ASSERT_TRUE(session_->OnTime(now_).ok());
  EXPECT_EQ(output_.size(), asked);
  EXPECT_EQ(Left(), kReply);
  session_->Detach(request_.get());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
