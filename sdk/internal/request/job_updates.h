// JobUpdates holds the updates of one request that nobody has taken, in the
// order of their arrival, and counts their memory.
//
// Only a request that has got an update has one. The lock of the request's
// client guards it. Adding and taking cost O(1).
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_JOB_UPDATES_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_JOB_UPDATES_H_

#include <cstddef>
#include <optional>
#include <utility>

#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/sdk/job_update.h"

namespace gearman {
namespace internal {

class JobUpdates {
 public:
  // A report of progress is worth nothing when the next one has come, so there
  // are at most so many of them. One more drops the oldest.
  static constexpr size_t kMaxStatuses = 1000;

  // `account` counts the memory, until StopCounting. It may be null.
  explicit JobUpdates(ByteAccount* account) : account_(account) {}
  JobUpdates(const JobUpdates&) = delete;
  JobUpdates& operator=(const JobUpdates&) = delete;
  ~JobUpdates() {
    while (!all_.empty()) delete &all_.front();
  }

  // Returns the memory that an update takes, with its record.
  static size_t MemoryOf(const JobUpdate& update) {
    return update.data.size() + sizeof(Node);
  }

  void Add(JobUpdate update) {
    const JobUpdate::Kind kind = update.kind;
    const size_t memory = MemoryOf(update);
    // The one allocation is first: if it fails, nothing has been counted.
    Node* const node = new Node(std::move(update));
    if (kind == JobUpdate::Kind::kStatus) {
      if (statuses_ == kMaxStatuses) DropOldestStatus();
      ++statuses_;
    }
    data_bytes_ += node->update.data.size();
    Count(memory);
    all_.PushBack(*node);
    OfKind(kind).PushBack(*node);
  }
  // Takes the oldest update, of any kind or of one.
  std::optional<JobUpdate> Take() {
    if (all_.empty()) return std::nullopt;
    return Remove(&all_.front());
  }
  std::optional<JobUpdate> Take(JobUpdate::Kind kind) {
    if (OfKind(kind).empty()) return std::nullopt;
    return Remove(&OfKind(kind).front());
  }
  // Returns false if there is none.
  bool DropOldestStatus() { return Take(JobUpdate::Kind::kStatus).has_value(); }

  // Calls `see(const JobUpdate&)` for each update, of any kind or of one,
  // oldest first.
  template <typename See>
  void ForEach(See&& see) {
    for (const Node& node : all_) see(node.update);
  }
  template <typename See>
  void ForEach(JobUpdate::Kind kind, See&& see) {
    for (const Node& node : OfKind(kind)) see(node.update);
  }

  // The bytes of data and warnings, without their records.
  size_t data_bytes() const { return data_bytes_; }

  // Removes the updates from the account. From now on they are the user's.
  void StopCounting() {
    if (account_ != nullptr) account_->Remove(memory_);
    account_ = nullptr;
  }

 private:
  struct AllTag;
  struct KindTag;
  struct Node : ListLink<AllTag>, ListLink<KindTag> {
    explicit Node(JobUpdate update) : update(std::move(update)) {}
    JobUpdate update;
  };
  using KindList = IntrusiveList<Node, KindTag>;

  KindList& OfKind(JobUpdate::Kind kind) {
    return of_kind_[static_cast<size_t>(kind)];
  }
  void Count(size_t memory) {
    memory_ += memory;
    if (account_ != nullptr) account_->Add(memory);
  }
  JobUpdate Remove(Node* node) {
    JobUpdate update = std::move(node->update);
    delete node;
    const size_t memory = MemoryOf(update);
    memory_ -= memory;
    if (account_ != nullptr) account_->Remove(memory);
    data_bytes_ -= update.data.size();
    if (update.kind == JobUpdate::Kind::kStatus) --statuses_;
    return update;
  }

  ByteAccount* account_;
  size_t memory_ = 0;
  size_t data_bytes_ = 0;
  size_t statuses_ = 0;
  IntrusiveList<Node, AllTag> all_;
  KindList of_kind_[3];
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_JOB_UPDATES_H_
