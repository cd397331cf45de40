#include "gearman/sdk/health.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

ServerHealth Server(const std::string& address, ServerState state) {
  ServerHealth server;
  server.server = address;
  server.state = state;
  return server;
}

HealthState StateOf(const std::vector<ServerState>& states) {
  std::vector<ServerHealth> servers;
  for (const ServerState state : states) {
    servers.push_back(Server("tcp://jobs:4730", state));
  }
  return MakeHealth(std::move(servers)).state;
}

TEST(HealthTest, IsReadyWhenEveryServerCanBeUsed) {
  EXPECT_EQ(StateOf({ServerState::kUp}), HealthState::kReady);
  EXPECT_EQ(StateOf({ServerState::kIdle, ServerState::kUp}),
            HealthState::kReady);
}

TEST(HealthTest, IsDegradedWhenSomeCanBeUsed) {
  EXPECT_EQ(StateOf({ServerState::kUp, ServerState::kFailing}),
            HealthState::kDegraded);
  EXPECT_EQ(StateOf({ServerState::kConnecting, ServerState::kIdle}),
            HealthState::kDegraded);
}

TEST(HealthTest, IsDownWhenNoneCanBeUsed) {
  EXPECT_EQ(StateOf({ServerState::kFailing}), HealthState::kDown);
  EXPECT_EQ(StateOf({ServerState::kConnecting, ServerState::kFailing}),
            HealthState::kDown);
}

// A worker whose last server was removed takes no job.
TEST(HealthTest, IsDownWithoutServers) {
  EXPECT_EQ(StateOf({}), HealthState::kDown);
  EXPECT_EQ(ToString(MakeHealth({})), "down: 0 of 0 servers can be used\n");
}

TEST(HealthTest, IsShownWithALineForEachServer) {
  ServerHealth up = Server("tcp://a:4730", ServerState::kUp);
  up.round_trip_time = absl::Microseconds(1200);
  up.refused_tasks = {"resize", "two\nlines"};
  ServerHealth failing = Server("tcp://b:4730", ServerState::kFailing);
  failing.failures = 3;
  failing.last_error = absl::UnavailableError("connection refused");
  failing.next_attempt = absl::UnixEpoch() + absl::Nanoseconds(5916664977);
  EXPECT_EQ(
      ToString(MakeHealth({up, failing})),
      "degraded: 1 of 2 servers can be used\n"
      "tcp://a:4730 up, answered in 1.2ms; refuses resize, two\\x0alines\n"
      "tcp://b:4730 failing (3 times): connection refused; left alone "
      "until " +
          absl::FormatTime("%Y-%m-%dT%H:%M:05.916%Ez\n", absl::UnixEpoch(),
                           absl::LocalTimeZone()));
}

}  // namespace
}  // namespace gearman
