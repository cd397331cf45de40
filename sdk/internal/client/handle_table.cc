#include "gearman/sdk/internal/client/handle_table.h"

#include <memory>
#include <string>
#include <utility>

namespace gearman {
namespace internal {

void HandleTable::AddSubmission(absl::string_view handle,
                                JobRequestState* chain) {
  const auto it = groups_.find(handle);
  if (it != groups_.end()) {
    Group& group = it->second;
    ++group.submissions;
    if (chain == nullptr) return;
    // Behind the first, whose handle may be the key.
    JobRequestState* last = chain;
    while (last->next_shared != nullptr) {
      last = static_cast<JobRequestState*>(last->next_shared);
    }
    if (group.first == nullptr) {
      group.first = chain;
    } else {
      last->next_shared = group.first->next_shared;
      group.first->next_shared = chain;
    }
    return;
  }
  Group group;
  group.first = chain;
  group.submissions = 1;
  absl::string_view key;
  if (chain != nullptr) {
    key = chain->handle.view();
  } else {
    group.own_key = std::make_unique<std::string>(handle);
    key = *group.own_key;
  }
  groups_.emplace(key, std::move(group));
}

void HandleTable::Join(JobRequestState* request) {
  const auto it = groups_.find(request->handle.view());
  if (it == groups_.end()) return;
  Group& group = it->second;
  if (group.first == nullptr) {
    group.first = request;
  } else {
    request->next_shared = group.first->next_shared;
    group.first->next_shared = request;
  }
}

void HandleTable::MakeOwnerless(Groups::iterator it) {
  Group group = std::move(it->second);
  group.first = nullptr;
  if (group.own_key == nullptr) {
    group.own_key = std::make_unique<std::string>(it->first);
    groups_.erase(it);
    const absl::string_view key = *group.own_key;
    groups_.emplace(key, std::move(group));
  } else {
    it->second = std::move(group);
  }
}

void HandleTable::Remove(JobRequestState* request) {
  const auto it = groups_.find(request->handle.view());
  if (it == groups_.end()) return;
  auto* next = static_cast<JobRequestState*>(request->next_shared);
  request->next_shared = nullptr;
  if (it->second.first != request) {
    Operation* before = it->second.first;
    while (before != nullptr && before->next_shared != request) {
      before = before->next_shared;
    }
    if (before != nullptr) before->next_shared = next;
    return;
  }
  if (next == nullptr) {
    MakeOwnerless(it);
    return;
  }
  it->second.first = next;
  if (it->second.own_key == nullptr) {
    // The key pointed into the request that leaves.
    Group group = std::move(it->second);
    groups_.erase(it);
    groups_.emplace(next->handle.view(), std::move(group));
  }
}

HandleTable::Arrival HandleTable::Arrive(absl::string_view handle,
                                         bool ends_job) {
  const auto it = groups_.find(handle);
  if (it == groups_.end()) return {};
  Group& group = it->second;
  Arrival arrival;
  arrival.known = true;
  arrival.first_copy = group.copies_seen == 0;
  arrival.requests = group.first;
  const bool last_copy = ++group.copies_seen == group.submissions;
  if (last_copy) group.copies_seen = 0;
  if (!ends_job) return arrival;
  if (last_copy) {
    groups_.erase(it);
  } else if (group.first != nullptr) {
    MakeOwnerless(it);
  }
  return arrival;
}

}  // namespace internal
}  // namespace gearman
