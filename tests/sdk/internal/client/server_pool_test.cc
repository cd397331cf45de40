// The links of a client's servers as servers come and go. What passes over them
// is tests/sdk/client_servers_test.cc's.
#include "gearman/sdk/internal/client/server_pool.h"

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/sdk/internal/client/tried_servers.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

Address Named(const std::string& name) { return {"inproc", name}; }

class ServerPoolTest : public ::testing::Test {
 protected:
  ServerPool Pool(const std::string& first) {
    ServerPool::Options options;
    options.connect_timeout = absl::Seconds(5);
    options.reply_timeout = absl::Seconds(30);
    options.transports = std::make_shared<TransportRegistry>();
    options.selector = std::make_shared<RandomServerSelector>();
    return ServerPool({Named(first)}, std::move(options), poller_.get(),
                      &random_);
  }
  absl::Time now() { return simulation_.now(); }

  testing::Simulation simulation_{1};
  std::shared_ptr<Poller> poller_ = simulation_.MakePoller("client");
  std::mt19937_64 random_{1};
};

TEST_F(ServerPoolTest, ARequestGoesToAServerThatHasNotRefusedIt) {
  ServerPool pool = Pool("a");
  const int a = pool.servers().front();
  const int b = pool.Add(Named("b"));
  const int c = pool.Add(Named("c"));
  TriedServers tried;
  const auto choose = [&] { return pool.Choose({}, &tried, now()); };
  tried.Add("inproc://a", FailureReason::kRefused);
  tried.Add("inproc://c", FailureReason::kConnect);
  EXPECT_EQ(choose(), b);
  tried.Add("inproc://b", FailureReason::kStoreFailed);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(choose(), c);
  // Each of them has refused it: the caller decides whether that is the end.
  tried.Add("inproc://c", FailureReason::kRefused);
  EXPECT_THAT(choose(), ::testing::AnyOf(a, b, c));
}

// Adds a server, and removes the one before.
int Follow(ServerPool& pool, const std::string& name, int before) {
  const int server = pool.Add(Named(name));
  pool.Remove(before);
  std::vector<LostLink> lost;
  pool.Flush(absl::UnixEpoch(), &lost);
  return server;
}

TEST_F(ServerPoolTest, ServersThatComeAndGoShareFewLinks) {
  ServerPool pool = Pool("0");
  int server = pool.servers().front();
  std::set<int> numbers = {server};
  for (int i = 1; i <= 1000; ++i) {
    server = Follow(pool, absl::StrCat(i), server);
    numbers.insert(server);
  }
  EXPECT_LE(pool.link_count(), 2u);
  // Nobody takes one for another.
  EXPECT_EQ(numbers.size(), 1001u);
  EXPECT_EQ(pool.link(server).name, "inproc://1000");
  EXPECT_EQ(pool.Find("inproc://1000"), server);
  EXPECT_EQ(pool.Find("inproc://999"), -1);
}

TEST_F(ServerPoolTest, AServerThatReturnsGetsItsNumberBack) {
  ServerPool pool = Pool("a");
  const int a = pool.servers().front();
  const int b = Follow(pool, "b", a);
  EXPECT_EQ(Follow(pool, "a", b), a);
}

TEST_F(ServerPoolTest, TheAddressesOfTheLastThatHaveLeftAreKnown) {
  ServerPool pool = Pool("0");
  const int first = pool.servers().front();
  const int second = Follow(pool, "1", first);
  int server = second;
  for (size_t i = 2; i <= ServerPool::kMaxFormer + 1; ++i) {
    server = Follow(pool, absl::StrCat(i), server);
  }
  EXPECT_EQ(pool.Name(first), "inproc://0");
  Follow(pool, "last", server);
  EXPECT_EQ(pool.Name(first), "");
  EXPECT_EQ(pool.Name(second), "inproc://1");
}

TEST_F(ServerPoolTest, WhatMustGoToAServerThatHasLeftFindsIt) {
  ServerPool pool = Pool("a");
  const int a = pool.servers().front();
  int server = a;
  for (int i = 0; i < 10; ++i) server = Follow(pool, absl::StrCat(i), server);
  ASSERT_FALSE(pool.has_link(a));
  // Nowhere else, though it is none of the servers.
  const int again = pool.Renewed(a, now());
  EXPECT_EQ(pool.link(again).name, "inproc://a");
  EXPECT_EQ(pool.Find("inproc://a"), -1);
  // It has been added meanwhile.
  const int added = pool.Add(Named("a"));
  EXPECT_EQ(pool.Renewed(a, now()), added);
}

TEST_F(ServerPoolTest, ALinkIsRetiredBeforeItsNumbersComeRound) {
  ServerPool pool = Pool("0");
  int server = pool.servers().front();
  std::set<int> numbers = {server};
  for (int i = 1; i <= 70000; ++i) {
    server = Follow(pool, absl::StrCat(i), server);
    ASSERT_TRUE(numbers.insert(server).second) << i;
    ASSERT_GE(server, 0);
  }
  EXPECT_LE(pool.link_count(), 5u);
}

// A request that has failed so often that it has a plan of what is left.
class ServerPlanTest : public ServerPoolTest {
 protected:
  static std::string Name(int i) { return absl::StrCat("inproc://", i); }
  // Adds servers until there are so many, of which "0" is the first.
  static void Grow(ServerPool& pool, int servers) {
    for (int i = 1; i < servers; ++i) pool.Add(Named(absl::StrCat(i)));
  }
  // Chooses until `failures` attempts have failed of this.
  void Fail(ServerPool& pool, int failures, FailureReason reason) {
    for (int i = 0; i < failures; ++i) {
      tried_.Add(pool.link(pool.Choose({}, &tried_, now())).name, reason);
    }
  }

  TriedServers tried_;
};

TEST_F(ServerPlanTest, AServerThatIsRemovedIsChosenNoMore) {
  ServerPool pool = Pool("0");
  Grow(pool, 200);
  Fail(pool, 30, FailureReason::kConnect);
  for (int i = 0; i < 200; ++i) {
    const int server = pool.Find(Name(i));
    if (i % 2 == 0) pool.Remove(server);
  }
  for (int i = 0; i < 300; ++i) {
    const int server = pool.Choose({}, &tried_, now());
    EXPECT_FALSE(pool.link(server).removed);
    tried_.Add(pool.link(server).name, FailureReason::kConnect);
  }
}

TEST_F(ServerPlanTest, AServerThatIsAddedIsChosenBeforeASecondRound) {
  ServerPool pool = Pool("0");
  Grow(pool, 100);
  Fail(pool, 100, FailureReason::kConnect);
  const int added = pool.Add(Named("added"));
  EXPECT_EQ(pool.Choose({}, &tried_, now()), added);
}

TEST_F(ServerPlanTest, WhatHasRefusedComesLast) {
  ServerPool pool = Pool("0");
  Grow(pool, 100);
  Fail(pool, 99, FailureReason::kRefused);
  std::string last;
  for (int i = 0; i < 100; ++i) {
    if (tried_.PastOf(Name(i)) == TriedServers::Past::kUntried) last = Name(i);
  }
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(pool.link(pool.Choose({}, &tried_, now())).name, last);
    tried_.Add(last, FailureReason::kConnect);
  }
}

// It was found out by another request meanwhile.
TEST_F(ServerPlanTest, WhatCantBeReachedComesAfterWhatCan) {
  ServerPool pool = Pool("0");
  Grow(pool, 100);
  Fail(pool, 20, FailureReason::kConnect);
  std::set<std::string> broken;
  for (int i = 0; i < 100; ++i) {
    if (tried_.PastOf(Name(i)) != TriedServers::Past::kUntried) continue;
    if (i % 3 == 0) continue;
    broken.insert(Name(i));
    const int server = pool.Find(Name(i));
    // No transport has its scheme.
    EXPECT_FALSE(pool.Open(server, now()).ok());
  }
  const int others = 80 - static_cast<int>(broken.size());
  for (int i = 0; i < 80; ++i) {
    const std::string name = pool.link(pool.Choose({}, &tried_, now())).name;
    EXPECT_EQ(broken.count(name), i < others ? 0u : 1u) << i;
    EXPECT_EQ(tried_.PastOf(name), TriedServers::Past::kUntried);
    tried_.Add(name, FailureReason::kConnect);
  }
}

}  // namespace
}  // namespace internal
}  // namespace gearman
