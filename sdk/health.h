// Health: which servers a client or worker can use, and why not the others. Its
// types are plain values.
#ifndef GEARMAN_SDK_HEALTH_H_
#define GEARMAN_SDK_HEALTH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/base/cpp17.h"
#include "gearman/base/string_view.h"

namespace gearman {

// The state of the connection to one server.
enum class ServerState : unsigned char {
  kIdle,        // no connection, and no known failure
  kConnecting,  // being connected; of a worker also before Run
  kUp,          // connected
  kFailing,     // unreachable or without an answer: see last_error
};

// The state of one server.
struct ServerHealth {
  std::string server;                      // its address, in canonical form
  ServerState state = ServerState::kIdle;  // of its connection
  // Why the server fails. OK unless `state` is kFailing.
  absl::Status last_error;
  // The number of failures since the server last answered.
  int failures = 0;
  // For a failing server: a client sends it no request before this time unless
  // no other server can be used, and a worker connects to it again at this
  // time.
  absl::Time next_attempt = absl::InfinitePast();
  // For a worker: the tasks that the server refused to register, for example
  // because it knows too many. The worker offers them again from time to time.
  std::vector<std::string> refused_tasks;
  // The time that the server took to answer Client::CheckHealth. It is infinite
  // if it was not asked or did not answer.
  absl::Duration round_trip_time = absl::InfiniteDuration();
};

// The state of all servers together.
enum class HealthState : unsigned char {
  kReady,     // every server is idle or up
  kDegraded,  // some servers are idle or up
  kDown,      // no server is idle or up
};

struct Health {
  HealthState state = HealthState::kDown;  // of all servers together
  std::vector<ServerHealth> servers;  // in the order in which they were added
};

// Return "idle", "connecting", "up" or "failing", and "ready", "degraded" or
// "down".
StringView ServerStateName(ServerState state);
StringView HealthStateName(HealthState state);

// Returns the health of these servers together.
Health MakeHealth(std::vector<ServerHealth> servers);

// Returns a line on all servers and one for each, for people and logs. After
// Client::CheckHealth (the line of the second server is broken here):
//   degraded: 1 of 2 servers can be used
//   tcp://a:4730 up, answered in 1.2ms
//   tcp://b:4730 failing (3 times): tcp://b:4730: Connection refused
//       (10.0.0.2); left alone until 2030-01-01T00:00:01.500+00:00
std::string ToString(const Health& health);

}  // namespace gearman

#endif  // GEARMAN_SDK_HEALTH_H_
