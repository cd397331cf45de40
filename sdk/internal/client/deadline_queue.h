// DeadlineQueue: the next time something is due for each of many items
// (requests or servers). O(log n) per change, O(1) to look. Guarded by the
// client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_DEADLINE_QUEUE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_DEADLINE_QUEUE_H_

#include <cstddef>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/time/time.h"

namespace gearman {
namespace internal {

template <typename Item>
class DeadlineQueue {
 public:
  // `item` is due at `time`, of which there may be one for each item.
  // InfiniteFuture is not kept.
  void Add(absl::Time time, Item* item) {
    if (time != absl::InfiniteFuture()) due_.insert({time, item});
  }
  // Takes back an Add.
  void Remove(absl::Time time, Item* item) {
    if (time != absl::InfiniteFuture()) due_.erase({time, item});
  }
  // When the first item is due; InfiniteFuture: none.
  absl::Time next() const {
    return due_.empty() ? absl::InfiniteFuture() : due_.begin()->first;
  }
  // The item that is due first, if that is at `now` or was before; else null.
  Item* Due(absl::Time now) const {
    return due_.empty() || due_.begin()->first > now ? nullptr
                                                     : due_.begin()->second;
  }
  // Takes it out.
  Item* Pop(absl::Time now) {
    Item* const item = Due(now);
    if (item != nullptr) due_.erase(due_.begin());
    return item;
  }
  size_t size() const { return due_.size(); }

 private:
  absl::btree_set<std::pair<absl::Time, Item*>> due_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_DEADLINE_QUEUE_H_
