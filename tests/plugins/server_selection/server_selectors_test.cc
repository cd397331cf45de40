#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/server_selection/ordered_selector.h"
#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/plugins/server_selection/round_robin_selector.h"
#include "gearman/plugins/server_selection/server_preference.h"
#include "gearman/plugins/server_selection/server_selection_plugins.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/plugins/server_selection/unique_hash_selector.h"
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

TEST(OrderedServerSelector, TakesTheFirstThatCanBeReached) {
  std::vector<ServerCandidate> servers = Servers(3);
  OrderedServerSelector selector;
  EXPECT_THAT(Choose(&selector, servers, 10), ElementsAre(10, 0, 0));
  servers[0].failing = true;
  EXPECT_THAT(Choose(&selector, servers, 10), ElementsAre(0, 10, 0));
  servers[1].failing = true;
  EXPECT_THAT(Choose(&selector, servers, 10), ElementsAre(0, 0, 10));
  servers[2].failing = true;
  EXPECT_THAT(Choose(&selector, servers, 10), ElementsAre(10, 0, 0));
}

// The server of each of so many jobs, by its address.
std::vector<std::string> ServersOfJobs(
    const std::vector<ServerCandidate>& candidates, int jobs) {
  std::mt19937_64 random(42);  // NOLINT: the same choices in every run
  UniqueHashServerSelector selector;
  std::vector<std::string> servers;
  for (int i = 0; i < jobs; ++i) {
    const std::string unique = absl::StrCat("order-", i);
    SelectionQuery query;
    query.task = "resize";
    query.unique = unique;
    servers.emplace_back(
        candidates.at(selector.Select(query, candidates, random)).address);
  }
  return servers;
}

std::vector<ServerCandidate> NamedServers() {
  std::vector<ServerCandidate> servers = Servers(4);
  servers[0].address = "tcp://jobs-1:4730";
  servers[1].address = "tcp://jobs-2:4730";
  servers[2].address = "tcp://jobs-3:4730";
  servers[3].address = "tcp://jobs-4:4730";
  return servers;
}

TEST(UniqueHashServerSelector, GivesEachServerAboutAsManyJobs) {
  const std::vector<std::string> jobs = ServersOfJobs(NamedServers(), 4000);
  for (const ServerCandidate& server : NamedServers()) {
    const auto share = std::count(jobs.begin(), jobs.end(), server.address);
    EXPECT_GT(share, 850) << server.address;
    EXPECT_LT(share, 1150) << server.address;
  }
}

TEST(UniqueHashServerSelector, ChoosesTheSameInWhateverOrderServersAreGiven) {
  std::vector<ServerCandidate> reversed = NamedServers();
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(ServersOfJobs(NamedServers(), 100), ServersOfJobs(reversed, 100));
}

// The choice is part of the contract between clients of different versions.
TEST(UniqueHashServerSelector, ChoosesAsItAlwaysDid) {
  EXPECT_THAT(ServersOfJobs(NamedServers(), 6),
              ElementsAre("tcp://jobs-2:4730", "tcp://jobs-4:4730",
                          "tcp://jobs-1:4730", "tcp://jobs-1:4730",
                          "tcp://jobs-4:4730", "tcp://jobs-4:4730"));
}

TEST(UniqueHashServerSelector, MovesOnlyTheJobsOfADeadServer) {
  std::vector<ServerCandidate> servers = NamedServers();
  const std::vector<std::string> before = ServersOfJobs(servers, 4000);
  servers[2].failing = true;
  const std::vector<std::string> after = ServersOfJobs(servers, 4000);
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == servers[2].address) {
      EXPECT_NE(after[i], servers[2].address);
    } else {
      EXPECT_EQ(after[i], before[i]);
    }
  }
}

TEST(UniqueHashServerSelector, SpreadsJobsWithoutAUnique) {
  UniqueHashServerSelector selector;
  EXPECT_THAT(Choose(&selector, NamedServers(), 400), Each(Gt(60)));
}

TEST(ServerSelectionPlugins, BearTheNamesOfTheirSelectors) {
  Registry<ServerSelector> registry("server selector");
  ASSERT_TRUE(RegisterServerSelectionPlugins(&registry).ok());
  ASSERT_THAT(registry.names(),
              ElementsAre("ordered", "random", "round_robin", "unique_hash"));
  for (const std::string& name : registry.names()) {
    auto selector = registry.CreateByName(name);
    ASSERT_TRUE(selector.ok()) << selector.status();
    EXPECT_EQ((*selector)->name(), name);
  }
}

}  // namespace
}  // namespace gearman
