// DeadlineQueue holds the time when each of many items (requests, links or
// servers) is due. O(log n) per change, O(1) to look at the first. Its owner
// guards it.
#ifndef GEARMAN_SDK_INTERNAL_NET_DEADLINE_QUEUE_H_
#define GEARMAN_SDK_INTERNAL_NET_DEADLINE_QUEUE_H_

#include <cstddef>
#include <functional>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/time/time.h"

namespace gearman {
namespace internal {

// `Before` orders the items of one time, and must tell any two apart. The
// default goes by their addresses, which are not the same in each run.
template <typename Item, typename Before = std::less<Item*>>
class DeadlineQueue {
 public:
  // Adds `item`, due at `time`. Each item may be in the queue once.
  // InfiniteFuture is not kept.
  void Add(absl::Time time, Item* item) {
    if (time != absl::InfiniteFuture()) due_.insert({time, item});
  }
  // Removes an item that was added with `time`.
  void Remove(absl::Time time, Item* item) {
    if (time != absl::InfiniteFuture()) due_.erase({time, item});
  }
  // The time when the first item is due. InfiniteFuture: there is none.
  absl::Time next() const {
    return due_.empty() ? absl::InfiniteFuture() : due_.begin()->first;
  }
  // The item that is due first, if it is due at `now` or before; else null.
  Item* Due(absl::Time now) const {
    return due_.empty() || due_.begin()->first > now ? nullptr
                                                     : due_.begin()->second;
  }
  // Like Due, but removes the item.
  Item* Pop(absl::Time now) {
    Item* const item = Due(now);
    if (item != nullptr) due_.erase(due_.begin());
    return item;
  }
  // Calls `function(Item&)` for each item that is due at `now`. It must not
  // change the queue.
  template <typename Function>
  void ForEachDue(absl::Time now, Function&& function) const {
    for (const auto& [time, item] : due_) {
      if (time > now) return;
      function(*item);
    }
  }
  size_t size() const { return due_.size(); }

 private:
  using Entry = std::pair<absl::Time, Item*>;
  struct EntryBefore {
    bool operator()(const Entry& a, const Entry& b) const {
      if (a.first != b.first) return a.first < b.first;
      return Before()(a.second, b.second);
    }
  };

  absl::btree_set<Entry, EntryBefore> due_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_DEADLINE_QUEUE_H_
