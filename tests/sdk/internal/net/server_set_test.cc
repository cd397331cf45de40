// Tests of ServerSet with a small session, over in-process streams and on a
// virtual clock.
#include "gearman/sdk/internal/net/server_set.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/link.h"
#include "gearman/sdk/internal/net/server.h"
#include "gearman/sdk/internal/net/server_set_impl.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/refusing_transport.h"
#include "gearman/transports/address.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A session that notes its calls and does what the test has set.
class NotingSession {
 public:
  using Receiver = wire::ToWorker;

  explicit NotingSession(wire::OutputBuffer* output) : output_(output) {}

  void Say(absl::string_view function) {
    EXPECT_TRUE(wire::Encode(wire::CanDo{function}, *output_).ok());
  }

  bool OnReceived(absl::Time /*now*/) {
    ++received;
    return serves;
  }
  void OnProgress(absl::Time /*now*/) {}
  absl::Status OnTime(absl::Time /*now*/) {
    ++timers;
    deadline = absl::InfiniteFuture();
    return on_time;
  }
  absl::Time next_deadline() const { return deadline; }
  void OnConnected(absl::Time now) { connected_at = now; }
  void Settle(absl::Time /*now*/) { ++settled; }
  void Retire() { ++retired; }
  bool MayEnd(absl::Time /*now*/) { return may_end; }

  bool serves = true;
  bool may_end = false;
  absl::Status on_time;
  absl::Time deadline = absl::InfiniteFuture();
  absl::Time connected_at = absl::InfinitePast();
  int received = 0;
  int timers = 0;
  int settled = 0;
  int retired = 0;

 private:
  wire::OutputBuffer* const output_;
};

using Set = ServerSet<NotingSession>;
using TestLink = Link<NotingSession>;

class ServerSetTest : public ::testing::Test, public Set::Owner {
 protected:
  ServerSetTest()
      : network_(std::make_shared<InprocNetwork>()),
        refusing_(std::make_shared<testing::RefusingFactory>()),
        connecting_(std::make_shared<testing::RefusingFactory>(
            nullptr, absl::ZeroDuration(), /*later=*/true)),
        metrics_(MetricsOptions()) {
    options_.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        options_.transports
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network_))
            .ok());
    EXPECT_TRUE(options_.transports->Register("refusing", refusing_).ok());
    EXPECT_TRUE(options_.transports->Register("connecting", connecting_).ok());
    options_.connect_timeout = absl::Seconds(5);
    options_.metrics = &metrics_;
    options_.logger =
        Logger(LogLevel::kInfo, [this](LogLevel level, absl::string_view text) {
          log_.push_back(absl::StrCat(LogLevelName(level), ": ", text));
        });
  }

  void Make() {
    set_.emplace(options_, poller_.get(), &random_,
                 static_cast<Set::Owner*>(this));
  }
  // Adds inproc://NAME, played by the test, and connects to it.
  TestLink& Connect(const std::string& name) {
    played_.push_back(
        std::make_unique<testing::PlayedServer>(&simulation_, network_, name));
    const Set::Ptr server = set_->Add({"inproc", name});
    return ConnectAgain(server);
  }
  // Connects to a server that Connect has added.
  TestLink& ConnectAgain(const Set::Ptr& server) {
    EXPECT_TRUE(set_->Connect(server, now()).ok());
    Turn();
    EXPECT_TRUE(server->link->up());
    return *server->link;
  }
  std::unique_ptr<testing::PlayedConnection> Accept(size_t index = 0) {
    return played_[index]->Accept();
  }
  // A turn of the owner, without commands.
  void Turn() {
    std::vector<Poller::Key> ready;
    poller_->Wait(absl::InfinitePast(), &ready);
    for (const Poller::Key key : ready) {
      set_->OnReady(key, now(), [this](TestLink& link, wire::ToWorker& event) {
        if (std::holds_alternative<wire::Noop>(event)) {
          noops_.push_back(link.server->name);
        }
        return on_event_;
      });
    }
    set_->OnTime(now());
    set_->Flush(now());
  }
  absl::Time now() { return simulation_.now(); }
  static uint64_t Reconnects(const Server& server, ReconnectReason reason) {
    return server.metrics->reconnects[static_cast<size_t>(reason)].value();
  }

  std::unique_ptr<NotingSession> MakeSession(
      TestLink& /*link*/, wire::OutputBuffer* output) override {
    return std::make_unique<NotingSession>(output);
  }
  void OnFlushed(TestLink& link) override {
    flushed_.push_back(link.server->name);
  }
  void OnClosing(TestLink& link) override {
    closing_.push_back(link.server->name);
  }
  void OnRetired(TestLink& link) override {
    retired_.push_back(link.server->name);
  }

  testing::Simulation simulation_{1};
  const std::shared_ptr<Poller> poller_ = simulation_.MakePoller("set");
  const std::shared_ptr<InprocNetwork> network_;
  const std::shared_ptr<testing::RefusingFactory> refusing_;
  const std::shared_ptr<testing::RefusingFactory> connecting_;
  Metrics metrics_;
  std::mt19937_64 random_{1};
  ServerSetOptions options_;
  std::vector<std::string> log_;
  std::vector<std::string> noops_;
  std::vector<std::string> flushed_;
  std::vector<std::string> closing_;
  std::vector<std::string> retired_;
  absl::Status on_event_;
  std::vector<std::unique_ptr<testing::PlayedServer>> played_;
  std::optional<Set> set_;
};

// --- which servers there are -------------------------------------------------

TEST_F(ServerSetTest, ServersStandInTheOrderInWhichTheyWereAdded) {
  Make();
  const Set::Ptr a = set_->Add({"inproc", "a"});
  const Set::Ptr b = set_->Add({"inproc", "b"});
  const Set::Ptr c = set_->Add({"inproc", "c"});
  EXPECT_THAT(set_->servers(), ElementsAre(a, b, c));
  EXPECT_EQ(set_->Find("inproc://b"), b);
  EXPECT_EQ(set_->Find("inproc://d"), nullptr);
  const uint64_t version = set_->version();
  set_->Remove(b);
  EXPECT_NE(set_->version(), version);
  EXPECT_THAT(set_->servers(), ElementsAre(a, c));
  EXPECT_TRUE(b->removed);
  EXPECT_EQ(set_->Find("inproc://b"), b);
  // It is the server that it was, and comes last.
  EXPECT_EQ(set_->Add({"inproc", "b"}), b);
  EXPECT_FALSE(b->removed);
  EXPECT_THAT(set_->servers(), ElementsAre(a, c, b));
}

TEST_F(ServerSetTest, TakesSoManyServersAndNoMore) {
  options_.metrics = nullptr;
  Make();
  for (size_t i = 0; i < Set::kMaxServers; ++i) {
    ASSERT_NE(set_->Add({"inproc", absl::StrCat(i)}), nullptr);
  }
  EXPECT_EQ(set_->Add({"inproc", "one too many"}), nullptr);
  EXPECT_EQ(set_->Find("inproc://one too many"), nullptr);
  set_->Remove(set_->servers().back());
  EXPECT_NE(set_->Add({"inproc", "one more"}), nullptr);
}

TEST_F(ServerSetTest, ForgetsTheOldestRemovedServersThatNothingRefersTo) {
  options_.max_removed = 2;
  Make();
  const auto add = [this](absl::string_view name) {
    return set_->Add({"inproc", std::string(name)});
  };
  const Set::Ptr held = add("held");
  set_->Remove(held);
  for (const char* const name : {"a", "b", "c", "d"}) set_->Remove(add(name));
  EXPECT_EQ(set_->Find("inproc://a"), nullptr);
  EXPECT_EQ(set_->Find("inproc://b"), nullptr);
  EXPECT_NE(set_->Find("inproc://d"), nullptr);
  EXPECT_EQ(set_->Find("inproc://held"), held);
  // One that has come back is not forgotten.
  add("d");
  for (int i = 0; i < 10; ++i) set_->Remove(add(absl::StrCat(i)));
  EXPECT_NE(set_->Find("inproc://d"), nullptr);
  EXPECT_EQ(set_->Find("inproc://held"), held);
}

// However long a server is referred to, the others are forgotten meanwhile.
TEST_F(ServerSetTest, OneServerInUseKeepsNoOthersInMemory) {
  options_.max_removed = 0;
  options_.metrics = nullptr;
  Make();
  const Set::Ptr held = set_->Add({"inproc", "held"});
  set_->Remove(held);
  for (int i = 0; i < 1000; ++i) {
    set_->Remove(set_->Add({"inproc", absl::StrCat(i)}));
  }
  int known = 0;
  for (int i = 0; i < 1000; ++i) {
    if (set_->Find(absl::StrCat("inproc://", i)) != nullptr) ++known;
  }
  EXPECT_LE(known, 2);
  EXPECT_EQ(set_->Find("inproc://held"), held);
}

TEST_F(ServerSetTest, ARemovedServersLinkEndsWhenItMayAndTheNextIsANewOne) {
  Make();
  TestLink& old = Connect("a");
  const Set::Ptr server = old.server;
  const auto connection = Accept();
  set_->Remove(server);
  Turn();
  EXPECT_EQ(old.session->retired, 1);
  ASSERT_THAT(set_->links(), SizeIs(1));
  // Questions about its jobs may go there.
  EXPECT_EQ(server->link, &old);
  set_->Add({"inproc", "a"});
  EXPECT_EQ(server->link, nullptr);
  TestLink& next = ConnectAgain(server);
  EXPECT_NE(&next, &old);
  EXPECT_THAT(set_->links(), SizeIs(2));
  EXPECT_EQ(set_->connected(), 2u);
  old.session->may_end = true;
  set_->Touch(old);
  Turn();
  ASSERT_THAT(set_->links(), SizeIs(1));
  EXPECT_EQ(set_->links()[0].get(), &next);
  EXPECT_EQ(server->link, &next);
  EXPECT_EQ(connection->Receive(), "closed");
  EXPECT_EQ(log_.back(),
            "info: closed the connection to inproc://a: the server was "
            "removed, and nothing is left to do");
}

// --- connecting --------------------------------------------------------------

TEST_F(ServerSetTest, ARefusedConnectionLeavesNoLink) {
  Make();
  for (const char* const scheme : {"refusing", "inproc", "unknown"}) {
    const Set::Ptr server = set_->Add({scheme, "none"});
    const absl::Status status = set_->Connect(server, now());
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(server->link, nullptr);
    EXPECT_THAT(set_->links(), IsEmpty());
    EXPECT_FALSE(set_->has_lost());
    EXPECT_EQ(Reconnects(*server, ReconnectReason::kConnectFailed), 1u)
        << scheme;
  }
  Turn();
  EXPECT_EQ(set_->next_deadline(), absl::InfiniteFuture());
}

TEST_F(ServerSetTest, AConnectionThatIsRefusedLaterIsLost) {
  Make();
  const Set::Ptr server = set_->Add({"connecting", "a"});
  ASSERT_TRUE(set_->Connect(server, now()).ok());
  set_->Flush(now());
  EXPECT_FALSE(server->link->up());
  EXPECT_EQ(set_->connected(), 0u);
  Turn();
  const auto lost = set_->TakeLost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->link, server->link);
  EXPECT_EQ(lost->reason, ReconnectReason::kConnectFailed);
  EXPECT_FALSE(lost->timed_out);
  set_->Close(*lost);
  EXPECT_EQ(server->link, nullptr);
  EXPECT_EQ(Reconnects(*server, ReconnectReason::kConnectFailed), 1u);
}

TEST_F(ServerSetTest, AConnectionThatIsNotMadeInTimeIsLost) {
  Make();
  const Set::Ptr server = set_->Add({"connecting", "a"});
  ASSERT_TRUE(set_->Connect(server, now()).ok());
  set_->Flush(now());
  EXPECT_EQ(set_->next_deadline(), now() + absl::Seconds(5));
  simulation_.RunFor(absl::Seconds(5));
  set_->OnTime(now());
  const auto lost = set_->TakeLost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_TRUE(lost->timed_out);
  EXPECT_THAT(std::string(lost->status.message()),
              HasSubstr("not connected within 5s (connect_timeout)"));
  set_->Close(*lost);
  EXPECT_EQ(set_->next_deadline(), absl::InfiniteFuture());
}

// Output that waits there was never asked for.
TEST_F(ServerSetTest, ARetiredLinkThatIsNotConnectedEndsWithItsOutput) {
  Make();
  const Set::Ptr server = set_->Add({"connecting", "a"});
  ASSERT_TRUE(set_->Connect(server, now()).ok());
  server->link->session->Say("f");
  server->link->session->may_end = true;
  set_->Flush(now());
  EXPECT_GT(set_->output_bytes(), 0u);
  set_->Retire(*server->link, "not needed");
  set_->Flush(now());
  EXPECT_THAT(set_->links(), IsEmpty());
  EXPECT_EQ(set_->output_bytes(), 0u);
  EXPECT_THAT(closing_, ElementsAre("connecting://a"));
}

TEST_F(ServerSetTest, RetriesComeInTheOrderOfTheirTimes) {
  Make();
  const Set::Ptr a = set_->Add({"inproc", "a"});
  const Set::Ptr b = set_->Add({"inproc", "b"});
  const Set::Ptr c = set_->Add({"inproc", "c"});
  a->retry_at = now() + absl::Seconds(2);
  b->retry_at = now() + absl::Seconds(1);
  c->retry_at = now() + absl::Seconds(1);
  for (const Set::Ptr& server : {a, b, c}) set_->AwaitRetry(*server);
  EXPECT_EQ(set_->next_deadline(), now() + absl::Seconds(1));
  EXPECT_EQ(set_->PopRetry(now()), nullptr);
  // A removed server is not connected to again.
  set_->Remove(c);
  simulation_.RunFor(absl::Seconds(1));
  EXPECT_EQ(set_->PopRetry(now()), b);
  EXPECT_EQ(set_->PopRetry(now()), nullptr);
  EXPECT_EQ(set_->next_deadline(), now() + absl::Seconds(1));
  // A server has one time.
  a->retry_at = absl::InfiniteFuture();
  set_->AwaitRetry(*a);
  EXPECT_EQ(set_->next_deadline(), absl::InfiniteFuture());
}

// The order does not depend on where the servers lie in memory.
TEST_F(ServerSetTest, ServersOfOneTimeComeInTheOrderInWhichTheyWereAdded) {
  Make();
  std::vector<Set::Ptr> servers;
  for (int i = 0; i < 100; ++i) {
    servers.push_back(set_->Add({"inproc", absl::StrCat(i)}));
  }
  // They come back in another order.
  std::shuffle(servers.begin(), servers.end(), random_);
  for (const Set::Ptr& server : servers) set_->Remove(server);
  for (const Set::Ptr& server : servers) {
    ASSERT_EQ(set_->Add(server->address), server);
    set_->AwaitRetry(*server);
  }
  for (const Set::Ptr& server : servers) {
    EXPECT_EQ(set_->PopRetry(now()), server);
  }
  EXPECT_EQ(set_->PopRetry(now()), nullptr);
}

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
  // Its own end is no loss.
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
