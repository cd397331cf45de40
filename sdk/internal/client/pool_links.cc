// The part of ServerPool that decides which servers it has and which links they
// use.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
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
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? -1 : found->second;
}

absl::Status ServerPool::RemovedError(absl::string_view name) {
  return absl::FailedPreconditionError(absl::StrCat(
      name,
      " was removed from this client's servers, and the connection to it "
      "has ended, so that it can't be asked; AddServer makes it one of "
      "them again"));
}

absl::StatusOr<int> ServerPool::FindToAsk(absl::string_view address) const {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  const std::string name = parsed->ToString();
  const int server = FindName(name);
  if (server >= 0) return server;
  for (const ServerLink& link : links_) {
    if (link.connection != nullptr && link.name == name) return link.number;
  }
  const bool removed =
      vacant_.contains(name) ||
      std::any_of(former_.begin(), former_.end(),
                  [&](const auto& former) { return former.second == *parsed; });
  if (removed) return RemovedError(name);
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is none of this client's servers"));
}

std::string ServerPool::Name(int server) const {
  if (has_link(server)) return link(server).name;
  const auto former = former_.find(server);
  return former == former_.end() ? std::string() : former->second.ToString();
}

void ServerPool::SetRemoved(ServerLink& link, bool removed) {
  link.removed = removed;
  UpdateVacant(link);
}

void ServerPool::UpdateVacant(ServerLink& link) {
  const bool vacant = link.removed && link.connection == nullptr;
  if (vacant == link.vacant) return;
  link.vacant = vacant;
  if (vacant) {
    vacant_[link.name].push_back(link.number);
    if (link.number >> kLinkBits < kMaxTurns) {
      reusable_.insert(LinkOf(link.number));
    }
    return;
  }
  const auto same_name = vacant_.find(link.name);
  std::vector<int>& numbers = same_name->second;
  numbers.erase(std::find(numbers.begin(), numbers.end(), link.number));
  if (numbers.empty()) vacant_.erase(same_name);
  reusable_.erase(LinkOf(link.number));
}

ServerLink* ServerPool::TakeLink(const Address& address) {
  const std::string name = address.ToString();
  const auto had_it = vacant_.find(name);
  if (had_it != vacant_.end()) return &link(had_it->second.front());
  // A dirty link is still named by its number in dirty_, so it is not reused.
  const auto found =
      std::find_if(reusable_.begin(), reusable_.end(),
                   [this](size_t link) { return !links_[link].dirty; });
  if (found != reusable_.end()) {
    ServerLink& reused = links_[*found];
    Reuse(reused, address);
    return &reused;
  }
  if (links_.size() == kMaxLinks) return nullptr;
  ServerLink& made = links_.emplace_back();
  made.number = static_cast<int>(links_.size() - 1);
  SetAddress(made, address);
  return &made;
}

int ServerPool::Add(const Address& address) {
  ServerLink* const added = TakeLink(address);
  if (added == nullptr) return -1;
  SetRemoved(*added, false);
  servers_.push_back(added->number);
  by_name_[added->name] = added->number;
  ++version_;
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
  SetRemoved(link, false);
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
  by_name_.erase(link(server).name);
  servers_.erase(std::find(servers_.begin(), servers_.end(), server));
  ++version_;
  SetRemoved(link(server), true);
  // Flush closes the connection when nothing is left to do on it.
  MarkDirty(server);
}

int ServerPool::Renewed(int server, absl::Time now) {
  if (!has_link(server) || link(server).removed) {
    // The request must go to the server of an earlier attempt.
    const int again = FindName(Name(server));
    if (again >= 0) {
      server = again;
    } else if (!has_link(server)) {
      const auto former = former_.find(server);
      if (former == former_.end()) return -1;
      const Address address = former->second;
      ServerLink* const taken = TakeLink(address);
      if (taken == nullptr) return -1;
      SetRemoved(*taken, true);
      server = taken->number;
    }
  }
  ServerLink& old = link(server);
  if (old.removed || old.connection == nullptr || now < old.end_of_life) {
    return server;
  }
  if (old.session->unused()) {
    CloseQuietly(server, "it has reached connection_lifetime", now);
    return server;
  }
  ServerLink* const successor = TakeLink(old.address);
  if (successor == nullptr) return server;
  SetRemoved(*successor, false);
  // The new link takes the old one's place, because selectors may go by the
  // order.
  *std::find(servers_.begin(), servers_.end(), server) = successor->number;
  by_name_[successor->name] = successor->number;
  ++version_;
  SetRemoved(old, true);
  // Flush closes the connection when nothing is left to do on it.
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
