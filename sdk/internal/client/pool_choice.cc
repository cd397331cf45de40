// The part of ServerPool that chooses a server for an attempt.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_preference.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/internal/client/server_pool.h"
#include "gearman/sdk/internal/client/tried_servers.h"
#include "gearman/sdk/internal/logged_call.h"

namespace gearman {
namespace internal {
namespace {

using Past = TriedServers::Past;
using Plan = TriedServers::Plan;

// The selector is shown every server until a request has failed so many
// attempts. With few servers it is always shown every server.
constexpr size_t kFullLooks = 16;
constexpr size_t kFewServers = 64;
// After that it is shown so many servers at a time.
constexpr size_t kWindow = 16;

}  // namespace

ServerCandidate ServerPool::CandidateOf(const ServerLink& link,
                                        const TriedServers* tried, Past past,
                                        absl::Time now) const {
  ServerCandidate candidate;
  candidate.address = link.name;
  candidate.connected =
      link.connection != nullptr && link.connection->connected();
  candidate.failing = IsBroken(link, now);
  candidate.tried = past != Past::kUntried;
  candidate.avoided = tried != nullptr && tried->last() == link.name;
  if (link.session != nullptr) {
    candidate.in_flight = static_cast<uint32_t>(link.session->replies_due() +
                                                link.session->jobs_awaited());
  }
  return candidate;
}

size_t ServerPool::Select(const SelectionQuery& query,
                          absl::Span<const ServerCandidate> candidates) {
  size_t chosen = 0;
  if (!CallLoggingThrow(options_.logger, "ServerSelector::Select", [&] {
        chosen = options_.selector->Select(query, candidates, *random_);
      })) {
    chosen = PreferredServers(candidates).front();
  }
  // A plugin may return an index out of range.
  return chosen < candidates.size() ? chosen : 0;
}

int ServerPool::Choose(const SelectionQuery& query, TriedServers* tried,
                       absl::Time now) {
  if (servers_.size() == 1) return servers_.front();
  if (tried == nullptr || tried->failures() < kFullLooks ||
      servers_.size() <= kFewServers) {
    return ChooseFromAll(query, tried, now);
  }
  return ChooseFromPlan(query, tried, now);
}

int ServerPool::ChooseFromAll(const SelectionQuery& query,
                              const TriedServers* tried, absl::Time now) {
  absl::InlinedVector<ServerCandidate, 8> candidates;
  absl::InlinedVector<int, 8> servers;
  // Only servers with the best past are candidates.
  Past best = Past::kRefused;
  for (const int server : servers_) {
    const ServerLink& link = this->link(server);
    const Past past =
        tried == nullptr ? Past::kUntried : tried->PastOf(link.name);
    if (past > best) continue;
    if (past < best) {
      candidates.clear();
      servers.clear();
      best = past;
    }
    candidates.push_back(CandidateOf(link, tried, past, now));
    servers.push_back(server);
  }
  return servers[Select(query, candidates)];
}

void ServerPool::BeginRound(TriedServers* tried) const {
  std::unique_ptr<Plan>& plan = tried->plan();
  if (plan != nullptr && plan->version == version_ &&
      plan->past != Past::kUntried) {
    // The new round has the servers of the last round that have not refused
    // since.
    plan->servers.erase(
        std::remove_if(plan->servers.begin(), plan->servers.end(),
                       [&](int server) {
                         return !IsOne(server) ||
                                tried->PastOf(link(server).name) != plan->past;
                       }),
        plan->servers.end());
    plan->next = 0;
    plan->deferred.clear();
    plan->next_deferred = 0;
    if (!plan->servers.empty()) return;
  }
  plan = std::make_unique<Plan>();
  plan->version = version_;
  plan->past = Past::kRefused;
  // The plan keeps the order of the servers, but begins behind the server of
  // the last attempt. So a selector that goes by the order continues there, and
  // requests that begin with different servers continue with different ones.
  size_t first = 0;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (link(servers_[i]).name == tried->last()) first = i + 1;
  }
  for (size_t i = 0; i < servers_.size(); ++i) {
    const int server = servers_[(first + i) % servers_.size()];
    const Past past = tried->PastOf(link(server).name);
    if (past > plan->past) continue;
    if (past < plan->past) plan->servers.clear();
    plan->past = past;
    plan->servers.push_back(server);
  }
}

void ServerPool::FillWindow(TriedServers* tried, absl::Time now) const {
  Plan& plan = *tried->plan();
  std::vector<int>& window = plan.window;
  const auto usable = [&](int server) {
    return IsOne(server) && tried->PastOf(link(server).name) == plan.past;
  };
  // A server whose breaker has opened since makes room for another server,
  // once.
  if (plan.next < plan.servers.size()) {
    for (int& server : window) {
      if (!IsOne(server) || !IsBroken(link(server), now)) continue;
      plan.deferred.push_back(std::exchange(server, -1));
    }
  }
  window.erase(std::remove_if(window.begin(), window.end(),
                              [&](int server) { return !usable(server); }),
               window.end());
  while (window.size() < kWindow && plan.next < plan.servers.size()) {
    const int server = plan.servers[plan.next++];
    if (!usable(server)) continue;
    (IsBroken(link(server), now) ? plan.deferred : window).push_back(server);
  }
  if (!window.empty()) return;
  while (window.size() < kWindow && plan.next_deferred < plan.deferred.size()) {
    const int server = plan.deferred[plan.next_deferred++];
    if (usable(server)) window.push_back(server);
  }
}

int ServerPool::ChooseFromPlan(const SelectionQuery& query, TriedServers* tried,
                               absl::Time now) {
  if (tried->plan() == nullptr || tried->plan()->version != version_) {
    BeginRound(tried);
  }
  FillWindow(tried, now);
  if (tried->plan()->window.empty()) {
    BeginRound(tried);
    FillWindow(tried, now);
  }
  std::vector<int>& window = tried->plan()->window;
  absl::InlinedVector<ServerCandidate, kWindow> candidates;
  for (const int server : window) {
    candidates.push_back(
        CandidateOf(link(server), tried, tried->plan()->past, now));
  }
  const auto chosen =
      window.begin() + static_cast<std::ptrdiff_t>(Select(query, candidates));
  const int server = *chosen;
  window.erase(chosen);
  return server;
}

}  // namespace internal
}  // namespace gearman
