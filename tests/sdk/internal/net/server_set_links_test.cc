// Tests of the links of a ServerSet: events, times, writing, and their ends.
#include "gearman/tests/sdk/internal/net/server_set_fixture.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// --- events and writing ------------------------------------------------------

TEST_F(ServerSetTest, AnEventReachesTheLinkOfItsKeyAndTheServerHasAnswered) {
  Make();
  TestLink& link = Connect("a");
  Connect("b");
  const auto connection = Accept(0);
  link.server->OnFailure(absl::UnavailableError("earlier"));
  const uint64_t health = set_->health_version();
  connection->Send(wire::Command::kNoop, {});
  Turn();
  EXPECT_THAT(noops_, ElementsAre("inproc://a"));
  EXPECT_EQ(link.session->received, 1);
  EXPECT_EQ(link.server->failures, 0);
  EXPECT_NE(set_->health_version(), health);
  // A key of nobody is ignored.
  set_->OnReady(1000, now(), [](TestLink&, wire::ToWorker&) {
    ADD_FAILURE();
    return absl::OkStatus();
  });
}

TEST_F(ServerSetTest, BytesThatDoNotShowThatAServerServesLeaveItsFailures) {
  Make();
  TestLink& link = Connect("a");
  const auto connection = Accept();
  link.server->OnFailure(absl::UnavailableError("earlier"));
  link.session->serves = false;
  connection->Send(wire::Command::kNoop, {});
  Turn();
  EXPECT_EQ(link.server->failures, 1);
}

TEST_F(ServerSetTest, FlushSettlesAndWritesTouchedLinksOnly) {
  Make();
  TestLink& a = Connect("a");
  TestLink& b = Connect("b");
  const auto of_a = Accept(0);
  a.session->settled = b.session->settled = 0;
  flushed_.clear();
  a.session->Say("f");
  set_->Touch(a);
  set_->Touch(a);
  EXPECT_TRUE(set_->has_touched());
  EXPECT_GT(set_->output_bytes(), 0u);
  set_->Flush(now());
  EXPECT_FALSE(set_->has_touched());
  EXPECT_EQ(a.session->settled, 1);
  EXPECT_EQ(b.session->settled, 0);
  EXPECT_THAT(flushed_, ElementsAre("inproc://a"));
  EXPECT_EQ(set_->output_bytes(), 0u);
  EXPECT_EQ(of_a->Receive(), "CAN_DO f");
  EXPECT_EQ(a.server->metrics->sent_bytes.value(),
            a.connection.output().total_consumed());
}

// The count of bytes is right whether or not the stream takes them.
TEST_F(ServerSetTest, ARetiredLinkWithOutputThatDoesNotLeaveIsNotClosed) {
  Make();
  TestLink& link = Connect("a");
  const auto connection = Accept();
  // More than a pipe of the network holds.
  for (int i = 0; i < 3000; ++i) link.session->Say(std::string(500, 'f'));
  link.session->may_end = true;
  set_->Retire(link, "not needed");
  set_->Flush(now());
  ASSERT_THAT(set_->links(), SizeIs(1));
  EXPECT_GT(set_->output_bytes(), 0u);
  EXPECT_EQ(set_->output_bytes(), link.connection.output().size());
  int packets = 0;
  for (; packets < 3000 && !set_->links().empty(); Turn()) {
    packets += static_cast<int>(connection->ReceiveFor({}).size());
  }
  EXPECT_THAT(set_->links(), IsEmpty());
  EXPECT_EQ(set_->output_bytes(), 0u);
  for (const std::string& packet : connection->ReceiveFor({})) {
    if (packet != "closed") ++packets;
  }
  EXPECT_EQ(packets, 3000);
}

// --- time --------------------------------------------------------------------

TEST_F(ServerSetTest, OnlySessionsThatAreDueAreAsked) {
  Make();
  TestLink& a = Connect("a");
  TestLink& b = Connect("b");
  a.session->deadline = now() + absl::Seconds(2);
  b.session->deadline = now() + absl::Seconds(1);
  set_->Touch(a);
  set_->Touch(b);
  set_->Flush(now());
  EXPECT_EQ(set_->next_deadline(), b.session->deadline);
  simulation_.RunFor(absl::Seconds(1));
  set_->OnTime(now());
  EXPECT_EQ(a.session->timers, 0);
  EXPECT_EQ(b.session->timers, 1);
  set_->Flush(now());
  EXPECT_EQ(set_->next_deadline(), a.session->deadline);
}

TEST_F(ServerSetTest, WhatCameInTimeMovesTheDeadline) {
  Make();
  TestLink& link = Connect("a");
  link.session->deadline = now() + absl::Seconds(1);
  set_->Touch(link);
  set_->Flush(now());
  simulation_.RunFor(absl::Seconds(1));
  // An answer has come, and the session waits for another one.
  link.session->deadline = now() + absl::Seconds(1);
  set_->Touch(link);
  set_->OnTime(now());
  EXPECT_EQ(link.session->timers, 0);
  set_->Flush(now());
  EXPECT_EQ(set_->next_deadline(), now() + absl::Seconds(1));
}

TEST_F(ServerSetTest, ASessionThatIsOutOfTimeLosesItsLink) {
  Make();
  TestLink& link = Connect("a");
  link.session->deadline = now();
  link.session->on_time = absl::UnavailableError("no answer");
  set_->Touch(link);
  set_->Flush(now());
  Turn();
  const auto lost = set_->TakeLost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->reason, ReconnectReason::kUnresponsive);
  EXPECT_TRUE(lost->timed_out);
  EXPECT_EQ(lost->status.message(), "inproc://a: no answer");
  EXPECT_EQ(set_->next_deadline(), absl::InfiniteFuture());
}

TEST_F(ServerSetTest, AnOldLinkIsRetiredInItsTimeIfTheOwnerWishes) {
  for (const bool wish : {false, true}) {
    options_.retire_on_time = wish;
    Make();
    played_.clear();
    TestLink& link = Connect("a");
    const Set::Ptr server = link.server;
    EXPECT_EQ(set_->next_deadline(),
              wish ? link.end_of_life : absl::InfiniteFuture());
    simulation_.RunFor(options_.reconnect.connection_lifetime);
    Turn();
    EXPECT_EQ(link.session->retired, wish ? 1 : 0);
    EXPECT_EQ(server->link, wish ? nullptr : &link);
    EXPECT_EQ(retired_.size(), wish ? 1u : 0u);
    set_.reset();
  }
}

// --- the end -----------------------------------------------------------------

TEST_F(ServerSetTest, LostLinksComeOnceAndInTheirOrder) {
  Make();
  TestLink& a = Connect("a");
  TestLink& b = Connect("b");
  set_->Lose(a, absl::UnavailableError("first"), ReconnectReason::kClosed);
  set_->Lose(b, absl::UnavailableError("second"), ReconnectReason::kFailed);
  set_->Lose(a, absl::UnavailableError("third"), ReconnectReason::kFailed);
  a.session->settled = 0;
  set_->Touch(a);
  set_->Flush(now());
  EXPECT_EQ(a.session->settled, 0);
  const Set::Ptr server = a.server;
  const auto first = set_->TakeLost();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->status.message(), "first");
  const std::unique_ptr<TestLink> closed = set_->Close(*first, "; noted");
  EXPECT_EQ(closed->server, server);
  EXPECT_NE(closed->session, nullptr);
  EXPECT_EQ(log_.back(), "warning: lost inproc://a: first; noted");
  EXPECT_EQ(Reconnects(*server, ReconnectReason::kClosed), 1u);
  EXPECT_EQ(set_->connected(), 1u);
  const auto second = set_->TakeLost();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->link, &b);
  set_->Close(*second);
  EXPECT_FALSE(set_->TakeLost().has_value());
  EXPECT_EQ(set_->connected(), 0u);
}

TEST_F(ServerSetTest, APeersEndIsTheLinksLoss) {
  Make();
  TestLink& link = Connect("a");
  Accept()->Close();
  Turn();
  const auto lost = set_->TakeLost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->link, &link);
  EXPECT_EQ(lost->reason, ReconnectReason::kClosed);
}

TEST_F(ServerSetTest, ABreachOfTheProtocolNamesTheServer) {
  Make();
  Connect("a");
  on_event_ = absl::DataLossError("not asked for");
  Accept()->Send(wire::Command::kNoop, {});
  Turn();
  const auto lost = set_->TakeLost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->reason, ReconnectReason::kProtocolError);
  EXPECT_EQ(lost->status.message(), "inproc://a: not asked for");
}

TEST_F(ServerSetTest, AClosedLinkIsNeitherTouchedNorLost) {
  Make();
  TestLink& a = Connect("a");
  TestLink& b = Connect("b");
  a.session->Say("f");
  set_->Touch(a);
  set_->Touch(b);
  set_->Lose(a, absl::UnavailableError("late"), ReconnectReason::kFailed);
  b.session->settled = 0;
  set_->CloseQuietly(a, "not needed");
  EXPECT_EQ(set_->output_bytes(), 0u);
  EXPECT_FALSE(set_->TakeLost().has_value());
  int touched = 0;
  set_->ForEachTouched([&](TestLink& link) {
    EXPECT_EQ(&link, &b);
    ++touched;
  });
  EXPECT_EQ(touched, 1);
  set_->Flush(now());
  EXPECT_EQ(b.session->settled, 1);
  EXPECT_EQ(b.place, 0u);
  set_->CloseAll();
  EXPECT_THAT(set_->links(), IsEmpty());
  EXPECT_THAT(closing_, ElementsAre("inproc://a", "inproc://b"));
  // The set has ended the link itself, which is no loss.
  EXPECT_EQ(metrics_.ForServer("inproc://b")->up.value(), 0);
}

// --- what a turn costs -------------------------------------------------------

TEST_F(ServerSetTest, ATurnOfOneLinkLooksAtNoOther) {
  uint64_t looks[2] = {};
  for (const bool many : {false, true}) {
    Make();
    played_.clear();
    for (int i = 0; i < (many ? 1000 : 1); ++i) {
      TestLink& link = Connect(absl::StrCat(i));
      link.session->deadline = now() + absl::Hours(1);
      set_->Touch(link);
    }
    Turn();
    const auto connection = Accept(0);
    const uint64_t before = set_->looks();
    for (int i = 0; i < 100; ++i) {
      connection->Send(wire::Command::kNoop, {});
      Turn();
    }
    looks[many ? 1 : 0] = set_->looks() - before;
    set_.reset();
  }
  EXPECT_GE(looks[0], 200u);
  EXPECT_EQ(looks[1], looks[0]);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
