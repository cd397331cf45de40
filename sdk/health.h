// Health: which servers a client or worker can use, and why not. Plain values.
#ifndef GEARMAN_SDK_HEALTH_H_
#define GEARMAN_SDK_HEALTH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {

enum class ServerState : unsigned char {
  kIdle,        // no connection, and nothing known against it
  kConnecting,  // a first connection is being made
  kUp,          // connected
  kFailing,     // can't be reached, or does not answer: see last_error
};

struct ServerHealth {
  std::string server;  // its address, in canonical form
  ServerState state = ServerState::kIdle;
  // Why it fails; OK unless `state` is kFailing.
  absl::Status last_error;
  // Failures since it last answered.
  int failures = 0;
  // Of a failing one: before then it is left alone while others are left.
  absl::Time next_attempt = absl::InfinitePast();
  // For a worker: the tasks that the server refused to register, for example
  // because it knows too many. The worker offers them again from time to time.
  std::vector<std::string> refused_tasks;
  // Of an answer that was just asked for (Client::CheckHealth); else infinite.
  absl::Duration round_trip_time = absl::InfiniteDuration();
};

enum class HealthState : unsigned char {
  kReady,     // every server is idle or up
  kDegraded,  // some are
  kDown,      // none is
};

struct Health {
  HealthState state = HealthState::kDown;
  std::vector<ServerHealth> servers;
};

// "idle", "connecting", "up", "failing"; "ready", "degraded", "down".
absl::string_view ServerStateName(ServerState state);
absl::string_view HealthStateName(HealthState state);

// The health of these servers together.
Health MakeHealth(std::vector<ServerHealth> servers);

// One line for each server, for people and logs:
//   degraded: 1 of 2 servers can be used
//   tcp://a:4730 up, answered in 1.2ms
//   tcp://b:4730 failing (3 times): connection refused; tried again at ...
std::string ToString(const Health& health);

}  // namespace gearman

#endif  // GEARMAN_SDK_HEALTH_H_
