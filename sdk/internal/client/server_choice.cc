#include "gearman/sdk/internal/client/server_choice.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/inlined_vector.h"
#include "absl/random/bit_gen_ref.h"
#include "absl/random/distributions.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_preference.h"
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
// The number of servers that are drawn for a selector that takes any of the
// best.
constexpr size_t kSample = 4;

}  // namespace

ServerChoice::ServerChoice(const ClientServers* servers,
                           std::shared_ptr<ServerSelector> selector,
                           Logger logger, std::mt19937_64* random)
    : servers_(*servers),
      selector_(std::move(selector)),
      logger_(std::move(logger)),
      random_(random) {
  CallLoggingThrow(logger_, "ServerSelector::takes_a_sample",
                   [this] { takes_a_sample_ = selector_->takes_a_sample(); });
}

ServerCandidate ServerChoice::CandidateOf(const ClientServer& server,
                                          const TriedServers* tried, Past past,
                                          absl::Time now) const {
  ServerCandidate candidate;
  candidate.address = server.name;
  candidate.connected = server.link != nullptr && server.link->up();
  candidate.failing = servers_.IsBroken(server, now);
  candidate.tried = past != Past::kUntried;
  candidate.avoided = tried != nullptr && tried->last() == server.name;
  if (server.link != nullptr) {
    const ClientLinkSession& session = *server.link->session;
    candidate.in_flight =
        static_cast<uint32_t>(session.replies_due() + session.jobs_awaited());
  }
  return candidate;
}

size_t ServerChoice::Select(const SelectionQuery& query,
                            absl::Span<const ServerCandidate> candidates) {
  size_t chosen = 0;
  if (!CallLoggingThrow(logger_, "ServerSelector::Select", [&] {
        chosen = selector_->Select(query, candidates, *random_);
      })) {
    chosen = PreferredServers(candidates).front();
  }
  // A plugin may return an index out of range.
  return chosen < candidates.size() ? chosen : 0;
}

ClientServerPtr ServerChoice::Choose(const SelectionQuery& query,
                                     TriedServers* tried, absl::Time now) {
  const absl::Span<const ClientServerPtr> servers = servers_.servers();
  if (servers.size() == 1) return servers.front();
  if (tried == nullptr && servers.size() > kFewServers && takes_a_sample_) {
    ClientServerPtr chosen = ChooseFromSample(query, now);
    if (chosen != nullptr) return chosen;
  }
  if (tried == nullptr || tried->failures() < kFullLooks ||
      servers.size() <= kFewServers) {
    return ChooseFromAll(query, tried, now);
  }
  return ChooseFromPlan(query, tried, now);
}

ClientServerPtr ServerChoice::ChooseFromSample(const SelectionQuery& query,
                                               absl::Time now) {
  const absl::Span<const ClientServerPtr> servers = servers_.servers();
  absl::InlinedVector<ServerCandidate, kSample> candidates;
  absl::InlinedVector<size_t, kSample> sample;
  bool failing = true;
  for (size_t i = 0; i < kSample; ++i) {
    const size_t index = absl::Uniform<size_t>(*random_, 0, servers.size());
    // Each server has the same chance, also if one is drawn twice.
    if (absl::c_linear_search(sample, index)) continue;
    sample.push_back(index);
    candidates.push_back(
        CandidateOf(*servers[index], /*tried=*/nullptr, Past::kUntried, now));
    failing = failing && candidates.back().failing;
  }
  return failing ? nullptr : servers[sample[Select(query, candidates)]];
}

ClientServerPtr ServerChoice::ChooseFromAll(const SelectionQuery& query,
                                            const TriedServers* tried,
                                            absl::Time now) {
  absl::InlinedVector<ServerCandidate, 8> candidates;
  absl::InlinedVector<const ClientServerPtr*, 8> servers;
  // Only servers with the best past are candidates.
  Past best = Past::kRefused;
  for (const ClientServerPtr& server : servers_.servers()) {
    const Past past =
        tried == nullptr ? Past::kUntried : tried->PastOf(server->name);
    if (past > best) continue;
    if (past < best) {
      candidates.clear();
      servers.clear();
      best = past;
    }
    candidates.push_back(CandidateOf(*server, tried, past, now));
    servers.push_back(&server);
  }
  return *servers[Select(query, candidates)];
}

void ServerChoice::BeginRound(TriedServers* tried) const {
  std::unique_ptr<Plan>& plan = tried->plan();
  if (plan != nullptr && plan->version == servers_.version() &&
      plan->past != Past::kUntried) {
    // The new round has the servers of the last round that have not refused
    // since.
    plan->servers.erase(
        std::remove_if(plan->servers.begin(), plan->servers.end(),
                       [&](const ClientServerPtr& server) {
                         return server->removed ||
                                tried->PastOf(server->name) != plan->past;
                       }),
        plan->servers.end());
    plan->next = 0;
    plan->deferred.clear();
    plan->next_deferred = 0;
    if (!plan->servers.empty()) return;
  }
  plan = std::make_unique<Plan>();
  plan->version = servers_.version();
  plan->past = Past::kRefused;
  // The plan keeps the order of the servers, but begins behind the server of
  // the last attempt. So a selector that goes by the order continues there, and
  // requests that begin with different servers continue with different ones.
  size_t first = 0;
  const absl::Span<const ClientServerPtr> servers = servers_.servers();
  for (size_t i = 0; i < servers.size(); ++i) {
    if (servers[i]->name == tried->last()) first = i + 1;
  }
  for (size_t i = 0; i < servers.size(); ++i) {
    const ClientServerPtr& server = servers[(first + i) % servers.size()];
    const Past past = tried->PastOf(server->name);
    if (past > plan->past) continue;
    if (past < plan->past) plan->servers.clear();
    plan->past = past;
    plan->servers.push_back(server);
  }
}

void ServerChoice::FillWindow(TriedServers* tried, absl::Time now) const {
  Plan& plan = *tried->plan();
  std::vector<ClientServerPtr>& window = plan.window;
  const auto usable = [&](const ClientServerPtr& server) {
    return server != nullptr && !server->removed &&
           tried->PastOf(server->name) == plan.past;
  };
  // A server whose breaker has opened since makes room for another server,
  // once.
  if (plan.next < plan.servers.size()) {
    for (ClientServerPtr& server : window) {
      if (server->removed || !servers_.IsBroken(*server, now)) continue;
      plan.deferred.push_back(std::exchange(server, nullptr));
    }
  }
  window.erase(std::remove_if(window.begin(), window.end(),
                              [&](const ClientServerPtr& server) {
                                return !usable(server);
                              }),
               window.end());
  while (window.size() < kWindow && plan.next < plan.servers.size()) {
    const ClientServerPtr& server = plan.servers[plan.next++];
    if (!usable(server)) continue;
    (servers_.IsBroken(*server, now) ? plan.deferred : window)
        .push_back(server);
  }
  if (!window.empty()) return;
  while (window.size() < kWindow && plan.next_deferred < plan.deferred.size()) {
    const ClientServerPtr& server = plan.deferred[plan.next_deferred++];
    if (usable(server)) window.push_back(server);
  }
}

ClientServerPtr ServerChoice::ChooseFromPlan(const SelectionQuery& query,
                                             TriedServers* tried,
                                             absl::Time now) {
  if (tried->plan() == nullptr ||
      tried->plan()->version != servers_.version()) {
    BeginRound(tried);
  }
  FillWindow(tried, now);
  if (tried->plan()->window.empty()) {
    BeginRound(tried);
    FillWindow(tried, now);
  }
  std::vector<ClientServerPtr>& window = tried->plan()->window;
  absl::InlinedVector<ServerCandidate, kWindow> candidates;
  for (const ClientServerPtr& server : window) {
    candidates.push_back(CandidateOf(*server, tried, tried->plan()->past, now));
  }
  const auto chosen =
      window.begin() + static_cast<std::ptrdiff_t>(Select(query, candidates));
  ClientServerPtr server = std::move(*chosen);
  window.erase(chosen);
  return server;
}

}  // namespace internal
}  // namespace gearman
