// InternTable has at most N records, found by name, never moved, never removed.
//
// Finding a record takes no lock, so each job may look one up. Names beyond the
// limit share one record, "other". So the number of label values is bounded,
// whatever names peers and callers use.
#ifndef GEARMAN_SDK_INTERNAL_METRICS_INTERN_TABLE_H_
#define GEARMAN_SDK_INTERNAL_METRICS_INTERN_TABLE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace gearman {
namespace internal {

// A Record is made from its name (an absl::string_view) and has `const
// std::string name`. All functions: any thread.
template <typename Record>
class InternTable {
 public:
  explicit InternTable(size_t max_records)
      : slots_(2 * max_records + 2),
        max_records_(max_records),
        other_("other") {}

  // Returns the record with this name, and makes it if it is new. It lives as
  // long as the table.
  Record* Get(absl::string_view name) {
    // The record is usually the same as last time.
    Record* record = last_.load(std::memory_order_acquire);
    if (record != nullptr && record->name == name) return record;
    record = Find(name);
    if (record == nullptr) record = Insert(name);
    last_.store(record, std::memory_order_release);
    return record;
  }

  // Calls `visit(const Record&)` for each record in the order of creation, and
  // for "other" if it has been handed out.
  template <typename Visit>
  void ForEach(Visit&& visit) const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    for (const auto& record : records_) visit(*record);
    if (other_used_) visit(other_);
  }

 private:
  // Slots are filled in probing order and never emptied. Some slot is always
  // empty and ends the search.
  Record* Find(absl::string_view name) const {
    for (size_t i = Hash(name);; i = (i + 1) % slots_.size()) {
      Record* const record = slots_[i].load(std::memory_order_acquire);
      if (record == nullptr || record->name == name) return record;
    }
  }

  Record* Insert(absl::string_view name) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    Record* const found = Find(name);  // another thread may have been first
    if (found != nullptr) return found;
    Record* record = &other_;
    if (name == other_.name) {
      other_used_ = true;
    } else if (records_.size() < max_records_) {
      records_.push_back(std::make_unique<Record>(name));
      record = records_.back().get();
    } else {
      other_used_ = true;
      return record;
    }
    size_t i = Hash(name);
    while (slots_[i].load(std::memory_order_relaxed) != nullptr) {
      i = (i + 1) % slots_.size();
    }
    slots_[i].store(record, std::memory_order_release);
    return record;
  }

  size_t Hash(absl::string_view name) const {
    return absl::HashOf(name) % slots_.size();
  }

  std::vector<std::atomic<Record*>> slots_;
  std::atomic<Record*> last_{nullptr};
  const size_t max_records_;
  Record other_;
  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<Record>> records_ ABSL_GUARDED_BY(mutex_);
  bool other_used_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_METRICS_INTERN_TABLE_H_
