// ServerChoice picks the server for an attempt of a request.
#include "gearman/sdk/internal/client/server_choice.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/internal/client/client_servers.h"
#include "gearman/sdk/internal/net/server_set.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/internal/request/tried_servers.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

class ServerChoiceTest : public ::testing::Test {
 protected:
  ServerChoiceTest() {
    ServerSetOptions options;
    options.connect_timeout = absl::Seconds(5);
    options.transports = std::make_shared<TransportRegistry>();
    servers_.emplace(std::vector<Address>(), std::move(options),
                     ClientLinkSession::Options(), poller_.get(), &random_);
    choice_.emplace(&*servers_, std::make_shared<RandomServerSelector>(),
                    Logger(), &random_);
  }
  ClientServerPtr Add(const std::string& name) {
    return servers_->Add({"inproc", name});
  }
  ClientServerPtr Choose() { return choice_->Choose({}, &tried_, now()); }
  absl::Time now() { return simulation_.now(); }

  testing::Simulation simulation_{1};
  std::shared_ptr<Poller> poller_ = simulation_.MakePoller("client");
  std::mt19937_64 random_{1};
  std::optional<ClientServers> servers_;
  std::optional<ServerChoice> choice_;
  TriedServers tried_;
};

TEST_F(ServerChoiceTest, ARequestGoesToAServerThatHasNotRefusedIt) {
  const ClientServerPtr a = Add("a");
  const ClientServerPtr b = Add("b");
  const ClientServerPtr c = Add("c");
  tried_.Add("inproc://a", FailureReason::kRefused);
  tried_.Add("inproc://c", FailureReason::kConnect);
  EXPECT_EQ(Choose(), b);
  tried_.Add("inproc://b", FailureReason::kStoreFailed);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Choose(), c);
  // Every server has refused the request: the caller decides whether that is
  // the end.
  tried_.Add("inproc://c", FailureReason::kRefused);
  EXPECT_THAT(Choose(), ::testing::AnyOf(a, b, c));
}

// Counts the candidates that it is shown.
class CountingRandomSelector final : public RandomServerSelector {
 public:
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates,
                absl::BitGenRef random) override {
    most_shown = std::max(most_shown, candidates.size());
    return RandomServerSelector::Select(query, candidates, random);
  }
  size_t most_shown = 0;
};

class FirstAttemptTest : public ServerChoiceTest {
 protected:
  FirstAttemptTest() {
    choice_.emplace(&*servers_, selector_, Logger(), &random_);
  }
  // The server of a request that has failed nowhere.
  ClientServerPtr ChooseFirst() {
    return choice_->Choose({}, /*tried=*/nullptr, now());
  }
  // No transport has its scheme, so its breaker opens.
  void Break(const std::string& name) {
    EXPECT_FALSE(servers_->Open(servers_->Find(name), now()).ok());
  }

  const std::shared_ptr<CountingRandomSelector> selector_ =
      std::make_shared<CountingRandomSelector>();
};

TEST_F(FirstAttemptTest, SeesFewOfManyServersAndReachesEach) {
  constexpr int kServers = 1000;
  for (int i = 0; i < kServers; ++i) Add(absl::StrCat(i));
  std::map<std::string, int> chosen;
  for (int i = 0; i < 20 * kServers; ++i) ++chosen[ChooseFirst()->name];
  EXPECT_LE(selector_->most_shown, 4u);
  EXPECT_EQ(chosen.size(), static_cast<size_t>(kServers));
  // 20 on the average: 60 is nine standard deviations more.
  for (const auto& [name, times] : chosen) EXPECT_LT(times, 60) << name;
}

TEST_F(FirstAttemptTest, GoesToTheOnlyServerThatDoesNotFail) {
  for (int i = 0; i < 100; ++i) Add(absl::StrCat(i));
  for (int i = 0; i < 100; ++i) {
    if (i != 42) Break(absl::StrCat("inproc://", i));
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ChooseFirst()->name, "inproc://42");
}

TEST_F(FirstAttemptTest, SeesAllOfFewServers) {
  for (int i = 0; i < 64; ++i) Add(absl::StrCat(i));
  ChooseFirst();
  EXPECT_EQ(selector_->most_shown, 64u);
}

// A request that has failed so often that it has a plan of what is left.
class ServerPlanTest : public ServerChoiceTest {
 protected:
  static std::string Name(int i) { return absl::StrCat("inproc://", i); }
  void AddServers(int count) {
    for (int i = 0; i < count; ++i) Add(absl::StrCat(i));
  }
  // Chooses until `failures` attempts have failed of this.
  void Fail(int failures, FailureReason reason) {
    for (int i = 0; i < failures; ++i) tried_.Add(Choose()->name, reason);
  }
};

TEST_F(ServerPlanTest, AServerThatIsRemovedIsChosenNoMore) {
  AddServers(200);
  Fail(30, FailureReason::kConnect);
  for (int i = 0; i < 200; ++i) {
    const ClientServerPtr server = servers_->Find(Name(i));
    if (i % 2 == 0) servers_->Remove(server);
  }
  for (int i = 0; i < 300; ++i) {
    const ClientServerPtr server = Choose();
    EXPECT_FALSE(server->removed);
    tried_.Add(server->name, FailureReason::kConnect);
  }
}

TEST_F(ServerPlanTest, AServerThatIsAddedIsChosenBeforeASecondRound) {
  AddServers(100);
  Fail(100, FailureReason::kConnect);
  const ClientServerPtr added = Add("added");
  EXPECT_EQ(Choose(), added);
}

TEST_F(ServerPlanTest, WhatHasRefusedComesLast) {
  AddServers(100);
  Fail(99, FailureReason::kRefused);
  std::string last;
  for (int i = 0; i < 100; ++i) {
    if (tried_.PastOf(Name(i)) == TriedServers::Past::kUntried) last = Name(i);
  }
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(Choose()->name, last);
    tried_.Add(last, FailureReason::kConnect);
  }
}

// Another request has found out meanwhile which servers can't be reached.
TEST_F(ServerPlanTest, WhatCantBeReachedComesAfterWhatCan) {
  AddServers(100);
  Fail(20, FailureReason::kConnect);
  std::set<std::string> broken;
  for (int i = 0; i < 100; ++i) {
    if (tried_.PastOf(Name(i)) != TriedServers::Past::kUntried) continue;
    if (i % 3 == 0) continue;
    broken.insert(Name(i));
    const ClientServerPtr server = servers_->Find(Name(i));
    // No transport has its scheme.
    EXPECT_FALSE(servers_->Open(server, now()).ok());
  }
  const int others = 80 - static_cast<int>(broken.size());
  for (int i = 0; i < 80; ++i) {
    const std::string name = Choose()->name;
    EXPECT_EQ(broken.count(name), i < others ? 0u : 1u) << i;
    EXPECT_EQ(tried_.PastOf(name), TriedServers::Past::kUntried);
    tried_.Add(name, FailureReason::kConnect);
  }
}

}  // namespace
}  // namespace internal
}  // namespace gearman
