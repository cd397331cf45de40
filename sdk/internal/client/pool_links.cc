// Which servers a ServerPool has, and which links they use.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/client/server_pool.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace internal {

int ServerPool::Find(absl::string_view address) const {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  return parsed.ok() ? FindName(parsed->ToString()) : -1;
}

int ServerPool::FindName(absl::string_view name) const {
  for (const int server : servers_) {
    if (link(server).name == name) return server;
  }
  return -1;
}

std::string ServerPool::Name(int server) const {
  if (has_link(server)) return link(server).name;
  const auto former = former_.find(server);
  return former == former_.end() ? std::string() : former->second.ToString();
}

ServerLink* ServerPool::TakeLink(const Address& address) {
  const std::string name = address.ToString();
  ServerLink* taken = nullptr;
  for (ServerLink& link : links_) {
    if (!link.removed || link.connection != nullptr) continue;
    if (link.name == name) {
      taken = &link;
      break;
    }
    if (taken == nullptr && !link.dirty &&
        link.number >> kLinkBits < kMaxTurns) {
      taken = &link;
    }
  }
  if (taken == nullptr) {
    if (links_.size() == kMaxLinks) return nullptr;
    taken = &links_.emplace_back();
    taken->number = static_cast<int>(links_.size() - 1);
    SetAddress(*taken, address);
  } else if (taken->name != name) {
    Reuse(*taken, address);
  }
  return taken;
}

int ServerPool::Add(const Address& address) {
  ServerLink* const added = TakeLink(address);
  if (added == nullptr) return -1;
  added->removed = false;
  servers_.push_back(added->number);
  return added->number;
}

void ServerPool::SetAddress(ServerLink& link, const Address& address) {
  link.name = address.ToString();
  link.address = address;
  if (options_.metrics != nullptr) {
    link.metrics = options_.metrics->ForServer(link.name);
  }
}

void ServerPool::Reuse(ServerLink& link, const Address& address) {
  former_.emplace(link.number, std::move(link.address));
  former_order_.push_back(link.number);
  if (former_order_.size() > kMaxFormer) {
    former_.erase(former_order_.front());
    former_order_.pop_front();
  }
  const int number = link.number + (1 << kLinkBits);
  const uint32_t generation = link.generation;
  link = ServerLink();
  link.number = number;
  link.generation = generation;
  SetAddress(link, address);
}

void ServerPool::Remove(int server) {
  link(server).removed = true;
  servers_.erase(std::find(servers_.begin(), servers_.end(), server));
  // Flush closes it when it has nothing to do.
  MarkDirty(server);
}

int ServerPool::Renewed(int server, absl::Time now) {
  if (!has_link(server) || link(server).removed) {
    // A request that must go where it went before.
    const int again = FindName(Name(server));
    if (again >= 0) {
      server = again;
    } else if (!has_link(server)) {
      const auto former = former_.find(server);
      if (former == former_.end()) return -1;
      const Address address = former->second;
      ServerLink* const taken = TakeLink(address);
      if (taken == nullptr) return -1;
      taken->removed = true;
      server = taken->number;
    }
  }
  ServerLink& old = link(server);
  if (old.removed || old.connection == nullptr || now < old.end_of_life) {
    return server;
  }
  if (IsUnused(old)) {
    CloseQuietly(server, "renewed, as it was connection_lifetime old", now);
    return server;
  }
  ServerLink* const successor = TakeLink(old.address);
  if (successor == nullptr) return server;
  successor->removed = false;
  // Selectors may go by the order.
  *std::find(servers_.begin(), servers_.end(), server) = successor->number;
  old.removed = true;
  // Flush closes it when it has nothing to do.
  MarkDirty(server);
  options_.logger.Log(LogLevel::kInfo, "a new connection to ", old.name,
                      ": the old one has reached connection_lifetime");
  return successor->number;
}

std::vector<ServerHealth> ServerPool::health() const {
  std::vector<ServerHealth> all;
  all.reserve(servers_.size());
  for (const int server : servers_) {
    const ServerLink& link = this->link(server);
    ServerHealth& health = all.emplace_back();
    health.server = link.name;
    health.failures = link.failures;
    if (link.failures > 0) {
      health.state = ServerState::kFailing;
      health.last_error = link.last_error;
      health.next_attempt = link.avoid_until;
    } else if (link.connection != nullptr) {
      health.state = link.connection->connected() ? ServerState::kUp
                                                  : ServerState::kConnecting;
    }
  }
  return all;
}

}  // namespace internal
}  // namespace gearman
