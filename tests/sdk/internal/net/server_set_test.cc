// Tests of the servers of a ServerSet, and of how it connects to them.
#include "gearman/sdk/internal/net/server_set.h"

#include "gearman/tests/sdk/internal/net/server_set_fixture.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
  // The server is the one that it was, and comes last.
  EXPECT_EQ(set_->Add({"inproc", "b"}), b);
  EXPECT_FALSE(b->removed);
  EXPECT_THAT(set_->servers(), ElementsAre(a, c, b));
}

TEST_F(ServerSetTest, TakesSoManyServersAndNoMore) {
  options_.metrics = nullptr;
  Make();
  for (size_t i = 0; i < kMaxServers; ++i) {
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
  // A server that has come back is not forgotten.
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
  // The servers come back in another order.
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

}  // namespace
}  // namespace internal
}  // namespace gearman
