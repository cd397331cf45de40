#include "gearman/transports/inproc/byte_ring.h"

#include <algorithm>
#include <random>
#include <string>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

std::string Pop(ByteRing* ring, size_t most) {
  std::string bytes(most, '\0');
  bytes.resize(ring->Pop(absl::MakeSpan(&bytes[0], bytes.size())));
  return bytes;
}

TEST(ByteRingTest, TakesNoMoreThanItHolds) {
  ByteRing ring(4);
  EXPECT_EQ(ring.Push("abcdef"), 4u);
  EXPECT_EQ(ring.Push("g"), 0u);
  EXPECT_EQ(Pop(&ring, 3), "abc");
  EXPECT_EQ(ring.Push("ghijk"), 3u);
  EXPECT_EQ(Pop(&ring, 10), "dghi");
  EXPECT_EQ(Pop(&ring, 10), "");
}

TEST(ByteRingTest, GivesBackWhatItTookInOrder) {
  std::mt19937 random(42);  // NOLINT: the same in every run
  ByteRing ring(1000);
  std::string pushed;
  std::string popped;
  for (int i = 0; i < 10000; ++i) {
    std::string bytes(random() % 400, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    pushed += bytes.substr(0, ring.Push(bytes));
    popped += Pop(&ring, random() % 400 + 1);
  }
  popped += Pop(&ring, 1000);
  EXPECT_TRUE(popped == pushed);
}

}  // namespace
}  // namespace gearman
