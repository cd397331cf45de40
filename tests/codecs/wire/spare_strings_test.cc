// Memory of large payloads that is kept for later ones.
#include "gearman/codecs/wire/spare_strings.h"

#include <cstddef>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

constexpr size_t kMiB = 1 << 20;

TEST(SpareStringsTest, GivesTheMemoryOfTheStringThatCameLast) {
  SpareStrings spares(4 * kMiB);
  std::string first(100000, 'a');
  std::string second(100000, 'b');
  const char* const place = second.data();
  spares.Put(std::move(first));
  spares.Put(std::move(second));
  EXPECT_EQ(spares.Take(90000).data(), place);
  EXPECT_GE(spares.Take(90000).capacity(), 90000u);
  EXPECT_TRUE(spares.Take(90000).empty());
  EXPECT_EQ(spares.bytes(), 0u);
}

TEST(SpareStringsTest, KeepsNoSmallString) {
  SpareStrings spares(4 * kMiB);
  spares.Put(std::string(SpareStrings::kMinBytes / 2, 'a'));
  EXPECT_EQ(spares.bytes(), 0u);
}

TEST(SpareStringsTest, KeepsNoMoreThanItMay) {
  SpareStrings spares(4 * kMiB);
  for (int i = 0; i < 10; ++i) spares.Put(std::string(kMiB, 'a'));
  EXPECT_GE(spares.bytes(), 3 * kMiB);
  EXPECT_LE(spares.bytes(), 4 * kMiB);
}

// A receiver that keeps small payloads must not keep the memory of large ones.
TEST(SpareStringsTest, GivesNoStringThatIsTooSmallOrMuchTooLarge) {
  SpareStrings spares(4 * kMiB);
  spares.Put(std::string(kMiB, 'a'));
  EXPECT_TRUE(spares.Take(kMiB + 100).empty());
  EXPECT_TRUE(spares.Take(kMiB / 16).empty());
  EXPECT_FALSE(spares.Take(kMiB / 4).empty());
}

TEST(SpareStringsTest, FreesWhatWasNotUsedSinceTheLastTime) {
  SpareStrings spares(4 * kMiB);
  spares.Put(std::string(kMiB, 'a'));
  spares.Put(std::string(kMiB, 'a'));
  spares.FreeUnused();
  EXPECT_GE(spares.bytes(), 2 * kMiB);
  spares.Take(kMiB);
  spares.FreeUnused();
  EXPECT_GE(spares.bytes(), kMiB);
  spares.FreeUnused();
  EXPECT_EQ(spares.bytes(), 0u);
}

TEST(SpareStringsTest, HoldsTheLastStringAndGivesItToNobody) {
  SpareStrings spares(4 * kMiB);
  spares.Hold(std::string(100000, 'a'));
  EXPECT_GE(spares.bytes(), 100000u);
  EXPECT_TRUE(spares.Take(90000).empty());
  spares.Hold(std::string(50000, 'a'));
  EXPECT_GE(spares.bytes(), 50000u);
  EXPECT_LT(spares.bytes(), 100000u);
}

TEST(SpareStringsTest, HoldsNoStringThatIsSmallOrLarge) {
  SpareStrings spares(4 * kMiB);
  spares.Hold(std::string(SpareStrings::kMinBytes / 2, 'a'));
  spares.Hold(std::string(2 * kMiB, 'a'));
  EXPECT_EQ(spares.bytes(), 0u);
}

TEST(SpareStringsTest, FreesWhatItHoldsWithTheOthers) {
  SpareStrings spares(4 * kMiB);
  spares.Hold(std::string(100000, 'a'));
  spares.FreeUnused();
  EXPECT_GE(spares.bytes(), 100000u);
  spares.FreeUnused();
  EXPECT_EQ(spares.bytes(), 0u);
}

}  // namespace
}  // namespace wire
}  // namespace gearman
