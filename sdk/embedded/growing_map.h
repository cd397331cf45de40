// GrowingMap: an absl::flat_hash_map that survives a failed allocation.
//
// An Abseil table is broken if an allocation throws while it grows. GrowingMap
// fills a larger table before it drops the old one. It keeps each table so
// empty that Abseil never grows it and only rehashes it in place. Keys are
// small values that are copied: numbers, pointers, views of text that is stored
// elsewhere.
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

  // Makes room for `more` entries, so that adding them can't fail. Throws
  // std::bad_alloc when there is no memory; then nothing has changed.
  void Reserve(size_t more) {
    if (table_.size() + more > room_) Grow(table_.size() + more);
  }
  // Like flat_hash_map's. Throws like Reserve.
  template <typename... Arguments>
  std::pair<iterator, bool> emplace(Arguments&&... arguments) {
    Reserve(1);
    return table_.emplace(std::forward<Arguments>(arguments)...);
  }

  // Like flat_hash_map's. None of these functions allocates.
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

  // A table whose destructor runs only when it is called explicitly.
  union Larger {
    Larger() : table() {}
    ~Larger() {}  // NOLINT(modernize-use-equals-default): it would be deleted
    Table table;
  };

  void Grow(size_t entries) {
    Larger larger;
    // If this throws, the new table owns nothing and is too broken to be
    // destroyed. The union does not destroy it.
    larger.table.reserve(std::max(kSmallest, entries + entries / 4));
    for (auto& entry : table_) {
      larger.table.emplace(entry.first, std::move(entry.second));
    }
    table_.swap(larger.table);
    larger.table.~Table();
    // Abseil drops tombstones in place while at most 25/32 of the capacity is
    // used.
    room_ = table_.capacity() / 4 * 3;
  }

  Table table_;
  size_t room_ = 0;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_GROWING_MAP_H_
