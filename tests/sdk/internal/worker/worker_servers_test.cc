// The links of a worker's servers as servers come and go. What passes over them
// is tests/sdk/worker_servers_test.cc's.
#include "gearman/sdk/internal/worker/worker_servers.h"

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

TEST(WorkerServersLinksTest, ServersThatComeAndGoShareFewLinks) {
  testing::Simulation simulation(1);
  const std::shared_ptr<Poller> poller = simulation.MakePoller("worker");
  std::mt19937_64 random(1);
  WorkerServers::Options options;
  options.transports = std::make_shared<TransportRegistry>();
  WorkerServers servers({{"inproc", "0"}}, std::move(options), poller.get(),
                        &random);
  for (int i = 1; i <= 1000; ++i) {
    servers.SetServers(std::vector<Address>{{"inproc", "always"},
                                            {"inproc", absl::StrCat(i)}});
  }
  EXPECT_LE(servers.size(), 3);
  const std::vector<ServerHealth> health = servers.health();
  ASSERT_EQ(health.size(), 2u);
  // In the order in which they came.
  EXPECT_EQ(health[0].server, "inproc://always");
  EXPECT_EQ(health[1].server, "inproc://1000");
}

}  // namespace
}  // namespace internal
}  // namespace gearman
