// GrowingMap: an absl::flat_hash_map that survives a failed allocation and
// never rehashes everything at once.
//
// An Abseil table is broken if an allocation throws while it grows, and a table
// of a million entries takes some 50 ms to grow. GrowingMap makes a larger
// table beside the old one. Each new entry then takes a few old ones along, so
// that an insertion costs O(1) at any size. GrowingMap keeps each table so
// empty that Abseil never grows it, and hardly ever has to clear tombstones
// from it. Keys are small values that are copied: numbers, pointers, views of
// text that is stored elsewhere.
//
// Not thread-safe.
#ifndef GEARMAN_SDK_EMBEDDED_GROWING_MAP_H_
#define GEARMAN_SDK_EMBEDDED_GROWING_MAP_H_

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "gearman/base/cpp17.h"

namespace gearman {
namespace embedded {

template <typename Key, typename Value>
class GrowingMap {
  using Table = absl::flat_hash_map<Key, Value>;

 public:
  // An entry of the map, or none. Valid until the next Reserve, emplace or
  // destruction, and until the entry is erased.
  class Place {
   public:
    Place() = default;
    explicit operator bool() const { return table_ != nullptr; }
    typename Table::value_type* operator->() const { return &*at_; }

   private:
    friend class GrowingMap;
    Place(Table* table, typename Table::iterator at) : table_(table), at_(at) {}

    Table* table_ = nullptr;  // holds the entry; null: there is none
    typename Table::iterator at_;
  };

  GrowingMap() = default;
  GrowingMap(const GrowingMap&) = delete;
  GrowingMap& operator=(const GrowingMap&) = delete;

  // Makes room for `more` entries, so that adding them can't fail. Throws
  // std::bad_alloc when there is no memory; then nothing has changed.
  void Reserve(size_t more) {
    if (size() + more > room_) Grow(size() + more);
  }
  // Adds an entry, unless there is one of this key. Returns the entry of this
  // key, and true if it is new. The entry is valid as long as its Place would
  // be. Throws like Reserve.
  template <typename... Arguments>
  std::pair<typename Table::value_type*, bool> emplace(
      const Key& key, Arguments&&... arguments) {
    Reserve(1);
    if (!old_.empty()) {
      const auto known = old_.find(key);
      if (known != old_.end()) return {&*known, false};
      MoveSome();
    }
    const auto added =
        table_.emplace(key, std::forward<Arguments>(arguments)...);
    return {&*added.first, added.second};
  }

  // The rest of the functions allocate nothing.
  Place find(const Key& key) {
    for (Table* const table : {&table_, &old_}) {
      if (table->empty()) continue;
      const auto found = table->find(key);
      if (found != table->end()) return Place(table, found);
    }
    return Place();
  }
  size_t size() const { return table_.size() + old_.size(); }
  bool empty() const { return size() == 0; }
  // `place` holds an entry.
  void erase(Place place) {
    if (place.table_ == &old_ && place.at_ == next_) ++next_;
    place.table_->erase(place.at_);
  }
  // Erases the entry of this key if there is one.
  void erase(const Key& key) {
    if (const Place place = find(key)) erase(place);
  }

 private:
  static constexpr size_t kSmallest = 32;
  // Old entries that a new one takes along. The old table is empty long before
  // the new one has to grow.
  static constexpr int kMovedAtOnce = 4;

  // A table whose destructor runs only when it is called explicitly.
  union Larger {
    Larger() : table() {}
    ~Larger() {}  // NOLINT(modernize-use-equals-default): it would be deleted
    Table table;
  };

  void Grow(size_t entries) {
    while (!old_.empty()) MoveSome();
    Larger larger;
    // If this throws, the new table owns nothing and is too broken to be
    // destroyed. The union does not destroy it.
    larger.table.reserve(std::max(kSmallest, entries + entries / 2));
    old_.swap(table_);
    table_.swap(larger.table);
    larger.table.~Table();
    next_ = old_.begin();
    // With so many entries hardly any erasure leaves a tombstone. Abseil clears
    // tombstones in place while at most 25/32 of the capacity is used.
    room_ = table_.capacity() * 5 / 8;
  }

  void MoveSome() {
    for (int i = 0; i < kMovedAtOnce && !old_.empty(); ++i) {
      const auto moved = next_++;
      table_.emplace(moved->first, std::move(moved->second));
      old_.erase(moved);
    }
    // Gives the memory back.
    if (old_.empty()) Table().swap(old_);
  }

  Table table_;  // takes all new entries
  Table old_;    // entries that are still to be moved into table_
  typename Table::iterator next_;  // the first of them
  size_t room_ = 0;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_GROWING_MAP_H_
