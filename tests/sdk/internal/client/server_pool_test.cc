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
#include "gearman/plugins/server_selection/random_selector.h"
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

AttemptRecord Failed(const std::string& name, FailureReason reason) {
  AttemptRecord record;
  record.server = absl::StrCat("inproc://", name);
  record.reason = reason;
  return record;
}

TEST_F(ServerPoolTest, ARequestGoesToAServerThatHasNotRefusedIt) {
  ServerPool pool = Pool("a");
  const int a = pool.servers().front();
  const int b = pool.Add(Named("b"));
  const int c = pool.Add(Named("c"));
  std::vector<AttemptRecord> tried;
  const auto choose = [&] { return pool.Choose({}, tried, now()); };
  tried.push_back(Failed("a", FailureReason::kRefused));
  tried.push_back(Failed("c", FailureReason::kConnect));
  EXPECT_EQ(choose(), b);
  tried.push_back(Failed("b", FailureReason::kStoreFailed));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(choose(), c);
  // Each of them has refused it: the caller decides whether that is the end.
  tried.push_back(Failed("c", FailureReason::kRefused));
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

}  // namespace
}  // namespace internal
}  // namespace gearman
