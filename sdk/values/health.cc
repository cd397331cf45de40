#include "gearman/sdk/health.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

bool Usable(const ServerHealth& server) {
  return server.state == ServerState::kIdle || server.state == ServerState::kUp;
}

size_t CountUsable(const std::vector<ServerHealth>& servers) {
  return static_cast<size_t>(
      std::count_if(servers.begin(), servers.end(), Usable));
}

}  // namespace

StringView ServerStateName(ServerState state) {
  switch (state) {
    case ServerState::kIdle:
      return "idle";
    case ServerState::kConnecting:
      return "connecting";
    case ServerState::kUp:
      return "up";
    case ServerState::kFailing:
      return "failing";
  }
  return "";
}

StringView HealthStateName(HealthState state) {
  switch (state) {
    case HealthState::kReady:
      return "ready";
    case HealthState::kDegraded:
      return "degraded";
    case HealthState::kDown:
      return "down";
  }
  return "";
}

Health MakeHealth(std::vector<ServerHealth> servers) {
  Health health;
  const size_t usable = CountUsable(servers);
  health.state = usable == 0                ? HealthState::kDown
                 : usable == servers.size() ? HealthState::kReady
                                            : HealthState::kDegraded;
  health.servers = std::move(servers);
  return health;
}

std::string ToString(const Health& health) {
  std::string text = absl::StrCat(
      HealthStateName(health.state), ": ", CountUsable(health.servers), " of ",
      health.servers.size(), " servers can be used\n");
  for (const ServerHealth& server : health.servers) {
    absl::StrAppend(&text, server.server, " ", ServerStateName(server.state));
    if (server.round_trip_time != absl::InfiniteDuration()) {
      absl::StrAppend(&text, ", answered in ",
                      absl::FormatDuration(server.round_trip_time));
    }
    if (server.failures > 0) {
      absl::StrAppend(&text, " (", server.failures,
                      server.failures == 1 ? " time)" : " times)");
    }
    if (!server.last_error.ok()) {
      absl::StrAppend(&text, ": ", server.last_error.message());
    }
    if (!server.refused_tasks.empty()) {
      absl::StrAppend(&text, "; refuses ",
                      absl::StrJoin(server.refused_tasks, ", ",
                                    [](std::string* out, const auto& task) {
                                      out->append(SafeText(task));
                                    }));
    }
    if (server.next_attempt != absl::InfinitePast()) {
      absl::StrAppend(
          &text, "; left alone until ",
          absl::FormatTime("%Y-%m-%dT%H:%M:%E3S%Ez", server.next_attempt,
                           absl::LocalTimeZone()));
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace gearman
