#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/random.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/plugins/server_selection/round_robin_selector.h"
#include "gearman/plugins/server_selection/server_preference.h"
#include "gearman/plugins/server_selection/server_selection_plugins.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;

std::vector<ServerCandidate> Servers(size_t count) {
  return std::vector<ServerCandidate>(count);
}

// How often each candidate is chosen.
std::vector<int> Choose(ServerSelector* selector,
                        const std::vector<ServerCandidate>& candidates,
                        int times) {
  std::mt19937_64 random(42);  // NOLINT: the same choices in every run
  std::vector<int> chosen(candidates.size());
  for (int i = 0; i < times; ++i) {
    ++chosen.at(selector->Select(SelectionQuery(), candidates, random));
  }
  return chosen;
}

TEST(PreferredServers, AreAllWhenAllAreGood) {
  EXPECT_THAT(PreferredServers(Servers(3)), ElementsAre(0, 1, 2));
}

TEST(PreferredServers, LeaveOutAvoidedThenFailingThenTriedOnes) {
  std::vector<ServerCandidate> servers = Servers(4);
  servers[0].tried = true;
  servers[1].failing = true;
  servers[2].avoided = true;
  EXPECT_THAT(PreferredServers(servers), ElementsAre(3));
  servers.pop_back();
  EXPECT_THAT(PreferredServers(servers), ElementsAre(2));
  servers.pop_back();
  EXPECT_THAT(PreferredServers(servers), ElementsAre(1));
  servers.pop_back();
  EXPECT_THAT(PreferredServers(servers), ElementsAre(0));
}

TEST(RandomServerSelector, ChoosesEachServerAboutAsOften) {
  RandomServerSelector selector;
  EXPECT_THAT(Choose(&selector, Servers(4), 4000), Each(Gt(800)));
}

TEST(RandomServerSelector, ChoosesOnlyAmongThePreferred) {
  std::vector<ServerCandidate> servers = Servers(3);
  servers[1].failing = true;
  RandomServerSelector selector;
  const std::vector<int> chosen = Choose(&selector, servers, 200);
  EXPECT_EQ(chosen[1], 0);
  EXPECT_GT(chosen[0], 50);
  EXPECT_GT(chosen[2], 50);
}

TEST(RandomServerSelector, ChoosesTheOnlyOneThereIs) {
  std::vector<ServerCandidate> servers = Servers(1);
  servers[0].tried = servers[0].failing = true;
  RandomServerSelector selector;
  EXPECT_THAT(Choose(&selector, servers, 3), ElementsAre(3));
}

TEST(RoundRobinServerSelector, TakesOneAfterTheOther) {
  RoundRobinServerSelector selector;
  const std::vector<ServerCandidate> servers = Servers(3);
  absl::BitGen random;
  std::vector<size_t> order;
  for (int i = 0; i < 4; ++i) {
    order.push_back(selector.Select(SelectionQuery(), servers, random));
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 0));
}

TEST(RoundRobinServerSelector, SpreadsTheShareOfADeadServer) {
  std::vector<ServerCandidate> servers = Servers(4);
  servers[1].failing = true;
  RoundRobinServerSelector selector;
  EXPECT_THAT(Choose(&selector, servers, 300), ElementsAre(100, 0, 100, 100));
}

TEST(RoundRobinServerSelector, StaysEvenWithManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kChoices = 1000;
  RoundRobinServerSelector selector;
  std::vector<std::vector<int>> chosen(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&selector, &chosen, t] {
      chosen[t] = Choose(&selector, Servers(2), kChoices);
    });
  }
  for (std::thread& thread : threads) thread.join();
  int first = 0;
  for (const std::vector<int>& part : chosen) first += part[0];
  EXPECT_EQ(first, kThreads * kChoices / 2);
}

TEST(ServerSelectionPlugins, BearTheNamesOfTheirSelectors) {
  Registry<ServerSelector> registry("server selector");
  ASSERT_TRUE(RegisterServerSelectionPlugins(&registry).ok());
  ASSERT_THAT(registry.names(), ElementsAre("random", "round_robin"));
  for (const std::string& name : registry.names()) {
    auto selector = registry.CreateByName(name);
    ASSERT_TRUE(selector.ok()) << selector.status();
    EXPECT_EQ((*selector)->name(), name);
  }
}

}  // namespace
}  // namespace gearman
