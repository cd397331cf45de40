// GrowingMap: an absl::flat_hash_map that survives a failed allocation.
//
// Abseil's tables are broken by an allocation that throws while they grow. This
// one grows by filling a larger table before it gives up the old one, and never
// lets a table grow by itself: it keeps the table so empty that Abseil rehashes
// it in place. Keys are small values that are copied (numbers, pointers, views
// of text that lies elsewhere).
//
// Not thread-safe.
#ifndef GEARMAN_SDK_EMBEDDED_GROWING_MAP_H_
#define GEARMAN_SDK_EMBEDDED_GROWING_MAP_H_

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace gearman {
namespace embedded {

template <typename Key, typename Value>
class GrowingMap {
 public:
  using Table = absl::flat_hash_map<Key, Value>;
  using iterator = typename Table::iterator;

  GrowingMap() = default;
  GrowingMap(GrowingMap&& other) noexcept
      : table_(std::move(other.table_)), room_(std::exchange(other.room_, 0)) {
    other.table_ = Table();
  }

  // Makes room for `more` entries, whose adding then can't fail. Throws
  // std::bad_alloc when there is no memory; then nothing has changed.
  void Reserve(size_t more) {
    if (table_.size() + more > room_) Grow(table_.size() + more);
  }
  // As flat_hash_map's. Throws as Reserve does.
  template <typename... Arguments>
  std::pair<iterator, bool> emplace(Arguments&&... arguments) {
    Reserve(1);
    return table_.emplace(std::forward<Arguments>(arguments)...);
  }

  // As flat_hash_map's; none of them allocates.
  template <typename K>
  iterator find(const K& key) {
    return table_.find(key);
  }
  iterator begin() { return table_.begin(); }
  iterator end() { return table_.end(); }
  size_t size() const { return table_.size(); }
  bool empty() const { return table_.empty(); }
  void erase(iterator at) { table_.erase(at); }
  template <typename K>
  size_t erase(const K& key) {
    return table_.erase(key);
  }

 private:
  static constexpr size_t kSmallest = 24;

  // A table that no destructor is called for unless it is asked to.
  union Larger {
    Larger() : table() {}
    ~Larger() {}  // NOLINT(modernize-use-equals-default): it would be deleted
    Table table;
  };

  void Grow(size_t entries) {
    Larger larger;
    // Throws before the new table owns anything, and leaves it unfit even to
    // be destroyed, which it is not.
    larger.table.reserve(std::max(kSmallest, entries + entries / 4));
    for (auto& entry : table_) {
      larger.table.emplace(entry.first, std::move(entry.second));
    }
    table_.swap(larger.table);
    larger.table.~Table();
    // Up to 25/32 of its capacity a table drops its tombstones in place.
    room_ = table_.capacity() / 4 * 3;
  }

  Table table_;
  size_t room_ = 0;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_GROWING_MAP_H_
