#include "gearman/sdk/internal/client/handle_table.h"

#include <string>

namespace gearman {
namespace internal {
namespace {

JobRequestState* NextOf(JobRequestState* request) {
  return static_cast<JobRequestState*>(request->next_shared);
}

}  // namespace

void HandleTable::Append(JobRequestState** first, JobRequestState* chain) {
  if (chain == nullptr) return;
  if (*first == nullptr) {
    *first = chain;
    return;
  }
  (*first)->InsertBehind(chain);
}

void HandleTable::Abandon(absl::string_view handle) {
  ++abandoned_groups_;
  abandoned_.emplace_back(handle);
  if (abandoned_.size() <= kMaxAbandoned) return;
  const auto oldest = groups_.find(abandoned_.front());
  if (oldest != groups_.end() && oldest->second.first == nullptr) {
    groups_.erase(oldest);
    --abandoned_groups_;
    has_forgotten_ = true;
  }
  abandoned_.pop_front();
}

void HandleTable::AddAbandoned(absl::string_view handle) {
  groups_.emplace(std::string(handle), Group());
  Abandon(handle);
}

void HandleTable::Join(Group* group, JobRequestState* chain) {
  if (chain == nullptr) return;
  if (group->first == nullptr) --abandoned_groups_;
  Append(&group->first, chain);
}

void HandleTable::AddSubmission(absl::string_view handle,
                                JobRequestState* chain) {
  if (chain != nullptr && groups_.empty()) {
    const auto inserted = single_.insert(chain);
    if (inserted.second) return;
  }
  const auto alone = single_.find(handle);
  if (alone != single_.end()) {
    Group group;
    group.first = *alone;
    group.submissions = 2;
    single_.erase(alone);
    Append(&group.first, chain);
    groups_.emplace(std::string(handle), group);
    return;
  }
  const auto group = groups_.find(handle);
  if (group != groups_.end()) {
    ++group->second.submissions;
    Join(&group->second, chain);
  } else if (chain != nullptr) {
    single_.insert(chain);
  } else {
    AddAbandoned(handle);
  }
}

void HandleTable::Join(JobRequestState* request) {
  const absl::string_view handle = request->handle.view();
  const auto alone = single_.find(handle);
  if (alone != single_.end()) {
    JobRequestState* first = *alone;
    Append(&first, request);
    return;
  }
  const auto group = groups_.find(handle);
  if (group != groups_.end()) Join(&group->second, request);
}

void HandleTable::Remove(JobRequestState* request) {
  if (request->behind) {
    request->LeaveShared();
    return;
  }
  // The first request of a chain stands for all of them.
  const absl::string_view handle = request->handle.view();
  const auto alone = single_.find(handle);
  if (alone != single_.end() && *alone == request) {
    single_.erase(alone);
    if (JobRequestState* const next = NextOf(request)) {
      single_.insert(next);
    } else {
      AddAbandoned(handle);
    }
  } else if (const auto group = groups_.find(handle);
             group != groups_.end() && group->second.first == request) {
    group->second.first = NextOf(request);
    if (group->second.first == nullptr) Abandon(handle);
  }
  request->LeaveShared();
}

HandleTable::Arrival HandleTable::Arrive(absl::string_view handle,
                                         bool ends_job) {
  Arrival arrival;
  const auto alone = single_.find(handle);
  if (alone != single_.end()) {
    arrival.known = true;
    arrival.first_copy = true;
    arrival.requests = *alone;
    if (ends_job) single_.erase(alone);
    return arrival;
  }
  if (groups_.empty()) return arrival;
  const auto found = groups_.find(handle);
  if (found == groups_.end()) return arrival;
  Group& group = found->second;
  arrival.known = true;
  arrival.first_copy = group.copies_seen == 0;
  arrival.requests = group.first;
  const bool last_copy = ++group.copies_seen == group.submissions;
  if (last_copy) group.copies_seen = 0;
  if (!ends_job) return arrival;
  const bool abandoned = group.first == nullptr;
  if (last_copy) {
    if (abandoned) --abandoned_groups_;
    groups_.erase(found);
  } else if (!abandoned) {
    // The server owes further copies.
    group.first = nullptr;
    Abandon(handle);
  }
  return arrival;
}

JobRequestState* HandleTable::Forget(absl::string_view handle) {
  const auto alone = single_.find(handle);
  if (alone != single_.end()) {
    JobRequestState* const first = *alone;
    single_.erase(alone);
    return first;
  }
  const auto group = groups_.find(handle);
  if (group == groups_.end()) return nullptr;
  JobRequestState* const first = group->second.first;
  if (first == nullptr) --abandoned_groups_;
  groups_.erase(group);
  return first;
}

}  // namespace internal
}  // namespace gearman
