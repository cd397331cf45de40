// The engine is driven by one thread with no lock, against a server that says
// what its script says, on a virtual clock.
#include "gearman/sdk/internal/client/client_engine.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/client/default_plugins.h"
#include "gearman/sdk/internal/request/call_options.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/query.h"
#include "gearman/sdk/testing/scripted_transport.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using support::RequestPacket;
using support::ResponsePacket;
using ::testing::HasSubstr;
using testing::ScriptedTransportFactory;
using ::testing::SizeIs;
using testing::TransportScript;

class ClientEngineTest : public ::testing::Test {
 protected:
  ClientEngineTest() {
    options_.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        options_.transports
            ->Register("script",
                       std::make_shared<ScriptedTransportFactory>(script_))
            .ok());
    options_.exceptions = false;
    options_.retry_policy = DefaultRetryPolicy();
    options_.server_selector = DefaultServerSelector();
    engine_ = std::make_unique<ClientEngine>(
        options_, std::vector<Address>{{"script", "peer"}}, poller_.get(),
        /*metrics=*/nullptr, /*spares=*/nullptr);
  }

  absl::Time now() { return poller_->clock()->Now(); }
  std::shared_ptr<JobRequestState> Submit(CallOptions options = {}) {
    auto request = std::make_shared<JobRequestState>();
    request->task = "reverse";
    request->data = "abc";
    if (!options.unique.has_value()) options.unique = "u";
    SetOptions(std::move(options), request.get());
    EXPECT_TRUE(
        engine_->Prepare(request.get(), /*wants_result=*/false, now()).ok());
    engine_->Submit(request, now());
    return request;
  }
  // Drives the engine until nothing is ready any more, but not longer than
  // `limit`.
  void Drive(absl::Duration limit = absl::ZeroDuration()) {
    const absl::Time end = now() + limit;
    std::vector<Poller::Key> ready;
    do {
      engine_->Settle(now());
      poller_->Wait(std::min(engine_->next_deadline(), end), &ready);
      for (const Poller::Key key : ready) engine_->OnReady(key, now());
      engine_->ReadBeforeLate(now());
      engine_->OnTime(now());
    } while (!ready.empty() || now() < end);
    engine_->Settle(now());
  }

  testing::Simulation simulation_{1};
  const std::shared_ptr<Poller> poller_ = simulation_.MakePoller("client");
  const std::shared_ptr<TransportScript> script_ =
      std::make_shared<TransportScript>();
  // A server that has failed shows first that it answers.
  const std::string sign_of_life_ =
      RequestPacket(16, {"gearman_sdk heartbeat"});
  const std::string answer_ = ResponsePacket(17, {"gearman_sdk heartbeat"});
  ClientOptions options_;
  std::unique_ptr<ClientEngine> engine_;
};

TEST_F(ClientEngineTest, ASubmissionGoesOutAndItsResultComesIn) {
  script_->Expect(RequestPacket(7, {"reverse", "u", "abc"}))
      .Give(ResponsePacket(8, {"H:1"}))
      .Give(ResponsePacket(13, {"H:1", "cba"}));
  const auto request = Submit();
  EXPECT_EQ(engine_->in_flight(), 1u);
  EXPECT_FALSE(request->finished.load());
  Drive();
  EXPECT_TRUE(script_->Finished()) << script_->Trouble();
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->result, "cba");
  EXPECT_EQ(engine_->in_flight(), 0u);
  EXPECT_FALSE(engine_->has_notices());
}

TEST_F(ClientEngineTest, ACallbackIsANoticeThatTheCallerTakes) {
  script_->Expect(RequestPacket(7, {"reverse", "u", "abc"}))
      .Give(ResponsePacket(8, {"H:1"}))
      .Give(ResponsePacket(13, {"H:1", "cba"}));
  CallOptions options;
  options.callbacks.on_complete = [](const JobRequest&) {
    ADD_FAILURE() << "the engine calls no callback";
  };
  const auto request = Submit(std::move(options));
  Drive();
  const std::vector<Notice> notices = engine_->TakeNotices();
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].kind, Notice::Kind::kComplete);
  EXPECT_EQ(notices[0].request, request);
}

TEST_F(ClientEngineTest, ARequestIsLateAtItsDeadline) {
  script_->Expect(RequestPacket(7, {"reverse", "u", "abc"}));
  CallOptions options;
  options.timeout = absl::Seconds(7);
  const absl::Time begin = now();
  const auto request = Submit(std::move(options));
  Drive();
  EXPECT_EQ(engine_->next_deadline(), begin + absl::Seconds(7));
  Drive(absl::Seconds(7));
  EXPECT_TRUE(absl::IsDeadlineExceeded(request->status)) << request->status;
  EXPECT_EQ(engine_->in_flight(), 0u);
}

TEST_F(ClientEngineTest, ALostRequestIsSubmittedAgain) {
  script_->Expect(RequestPacket(7, {"reverse", "u", "abc"}))
      .End()
      .Expect(sign_of_life_)
      .Give(answer_)
      .Expect(RequestPacket(7, {"reverse", "u", "abc"}))
      .Give(ResponsePacket(8, {"H:2"}))
      .Give(ResponsePacket(13, {"H:2", "cba"}));
  CallOptions options;
  options.idempotent = true;
  options.max_connection_attempts = 2;
  const auto request = Submit(std::move(options));
  Drive(absl::Minutes(1));
  EXPECT_TRUE(script_->Finished()) << script_->Trouble();
  EXPECT_EQ(request->result, "cba") << request->status;
  EXPECT_EQ(request->attempts, 2);
}

TEST_F(ClientEngineTest, ALostQuestionIsAskedOnceMoreOnTheSamePath) {
  script_->Expect(RequestPacket(16, {"ping"}))
      .End()
      .Expect(sign_of_life_)
      .Give(answer_)
      .Expect(RequestPacket(16, {"ping"}))
      .Give(ResponsePacket(17, {"ping"}));
  Query query(Operation::Kind::kEcho);
  query.data = "ping";
  query.server = engine_->ChooseServer(now());
  engine_->Ask(&query, now());
  Drive(absl::Minutes(1));
  EXPECT_TRUE(script_->Finished()) << script_->Trouble();
  EXPECT_TRUE(query.finished);
  EXPECT_TRUE(query.status.ok()) << query.status;
  EXPECT_EQ(query.echo, "ping");
}

TEST_F(ClientEngineTest, AQuestionWhoseConnectionIsLostCanBeGivenUp) {
  script_->Expect(RequestPacket(16, {"ping"})).End();
  Query query(Operation::Kind::kEcho);
  query.data = "ping";
  query.server = engine_->ChooseServer(now());
  engine_->Ask(&query, now());
  engine_->Settle(now());
  std::vector<Poller::Key> ready;
  poller_->Wait(now(), &ready);
  // The loss is known, and nothing has been done about it.
  for (const Poller::Key key : ready) engine_->OnReady(key, now());
  engine_->Abandon(&query, absl::CancelledError("nobody waits"));
  Drive();
  EXPECT_TRUE(absl::IsCancelled(query.status)) << query.status;
  EXPECT_TRUE(script_->Finished()) << script_->Trouble();
}

TEST_F(ClientEngineTest, ARefusedRequestEndsWithWhatIsWrongWithIt) {
  auto request = std::make_shared<JobRequestState>();
  request->task = "reverse";
  CallOptions options;
  options.timeout = absl::Seconds(-1);
  SetOptions(std::move(options), request.get());
  absl::Status status =
      engine_->Prepare(request.get(), /*wants_result=*/false, now());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  engine_->Refuse(request, std::move(status), /*silently=*/false, now());
  EXPECT_TRUE(request->finished.load());
  EXPECT_THAT(std::string(request->status.message()),
              HasSubstr("CallOptions::timeout"));
}

TEST_F(ClientEngineTest, StopEndsWhatIsInFlight) {
  script_->Expect(RequestPacket(7, {"reverse", "u", "abc"}));
  const auto request = Submit();
  Drive();
  engine_->Stop(absl::CancelledError("the client was destroyed"), now());
  EXPECT_TRUE(absl::IsCancelled(request->status)) << request->status;
  EXPECT_EQ(engine_->next_deadline(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
