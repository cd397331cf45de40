#include "gearman/sdk/embedded/growing_map.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <unordered_map>

#include "gearman/tests/support/failing_new.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::FailingNew;

// Counts how often an object of it is moved.
struct Counted {
  explicit Counted(uint64_t* moves) : moves(moves) {}
  Counted(Counted&& other) noexcept : moves(other.moves) { ++*moves; }
  uint64_t* moves;
};

TEST(GrowingMap, AnInsertionMovesAFewEntriesAtMost) {
  GrowingMap<uint64_t, Counted> map;
  uint64_t moves = 0;
  uint64_t most = 0;
  for (uint64_t i = 0; i < 200'000; ++i) {
    const uint64_t before = moves;
    ASSERT_TRUE(map.emplace(i, &moves).second);
    most = std::max(most, moves - before);
  }
  EXPECT_GT(moves, 200'000u) << "the map has never grown";
  EXPECT_LE(most, 8u);
  for (uint64_t i = 0; i < 200'000; ++i) ASSERT_TRUE(map.find(i)) << i;
}

TEST(GrowingMap, AgreesWithAnotherMapWhileItGrowsAndShrinks) {
  std::mt19937_64 random(7);
  GrowingMap<uint64_t, std::unique_ptr<uint64_t>> map;
  std::unordered_map<uint64_t, uint64_t> expected;
  for (int step = 0; step < 300'000; ++step) {
    const uint64_t key = random() % 40'000;
    // Long stretches of growth follow long stretches of erasure.
    if (random() % 8 < (step / 50'000 % 2 == 0 ? 6 : 2)) {
      const auto added = map.emplace(key, std::make_unique<uint64_t>(step));
      ASSERT_EQ(added.second, expected.emplace(key, step).second);
      ASSERT_EQ(*added.first->second, expected[key]);
    } else if (const auto found = map.find(key)) {
      ASSERT_EQ(*found->second, expected.at(key));
      map.erase(found);
      expected.erase(key);
    } else {
      ASSERT_EQ(expected.count(key), 0u);
    }
    ASSERT_EQ(map.size(), expected.size());
  }
  for (const auto& entry : expected) {
    const auto found = map.find(entry.first);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found->second, entry.second);
    map.erase(entry.first);
  }
  EXPECT_TRUE(map.empty());
}

TEST(GrowingMap, IsAsBeforeWhenItCannotGrow) {
  GrowingMap<uint64_t, std::string> map;
  uint64_t failures = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    for (bool added = false; !added;) {
      // The first attempt that has to grow fails.
      FailingNew failing(map.size() == i && failures % 2 == 0 ? 1 : 0);
      try {
        added = map.emplace(i, "").second;
        ++failures;
      } catch (const std::bad_alloc&) {
        ++failures;
        ASSERT_EQ(map.size(), i);
      }
    }
    ASSERT_TRUE(map.find(i / 2));
  }
  EXPECT_GT(failures, 1000u);
  for (uint64_t i = 0; i < 1000; ++i) {
    map.erase(i);
    ASSERT_EQ(map.size(), 999 - i);
  }
}

TEST(GrowingMap, ComesAndGoesWithoutAllocating) {
  GrowingMap<uint64_t, uint64_t> map;
  map.Reserve(1000);
  FailingNew failing(1);
  // Tombstones are dropped in place.
  for (uint64_t i = 0; i < 1'000'000; ++i) {
    map.emplace(i, i);
    if (i >= 1000) map.erase(i - 1000);
    if (map.size() == 1000) map.erase(i);
  }
  EXPECT_FALSE(failing.failed());
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
