#include "gearman/sdk/embedded/connection_memory.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "gearman/codecs/byte_account.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

TEST(MemoryRanking, KnowsTheLargestAndTheSum) {
  ByteAccount all;
  MemoryRanking ranking(1000, &all);
  ConnectionMemory a(ranking.account());
  ConnectionMemory b(ranking.account());
  EXPECT_EQ(ranking.Largest(), nullptr);
  a.SetInput(100);
  ranking.Note(a);
  b.SetOutput(300, 0);
  ranking.Note(b);
  EXPECT_EQ(ranking.Largest(), &b);
  EXPECT_EQ(all.bytes(), 400u);
  EXPECT_FALSE(ranking.over());
  a.SetSeat(700);
  ranking.Note(a);
  EXPECT_EQ(ranking.Largest(), &a);
  EXPECT_TRUE(ranking.over());
  ranking.LetGo(a);
  EXPECT_EQ(ranking.Largest(), &b);
  EXPECT_FALSE(ranking.over());
  // A connection that was let go no longer counts, even if it grows.
  a.SetInput(5000);
  ranking.Note(a);
  EXPECT_EQ(all.bytes(), 300u);
}

TEST(MemoryRanking, ASharedPayloadRanksItsConnectionsAndCountsNoBytes) {
  MemoryRanking ranking(1000, nullptr);
  ConnectionMemory a(ranking.account());
  ConnectionMemory b(ranking.account());
  a.SetOutput(10, 5000);
  ranking.Note(a);
  b.SetOutput(100, 0);
  ranking.Note(b);
  EXPECT_EQ(ranking.Largest(), &a);
  EXPECT_EQ(ranking.account()->bytes(), 110u);
}

TEST(MemoryRanking, FindsTheLargestToWithinAQuarter) {
  MemoryRanking ranking(0, nullptr);
  EXPECT_FALSE(ranking.over());
  std::vector<std::unique_ptr<ConnectionMemory>> all;
  size_t largest = 0;
  uint64_t random = 1;
  for (int i = 0; i < 10000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    if (i < 1000) {
      all.push_back(std::make_unique<ConnectionMemory>(ranking.account()));
    }
    ConnectionMemory& one = *all[(random >> 33) % all.size()];
    one.SetInput(random >> (34 + random % 29));
    ranking.Note(one);
    largest = 0;
    if (i % 100 != 0) continue;
    for (const auto& memory : all) {
      largest = std::max(largest, memory->bytes());
    }
    const size_t found = ranking.Largest()->bytes();
    EXPECT_GE(found + found / 4, largest);
  }
  all.clear();
  EXPECT_EQ(ranking.Largest(), nullptr);
  EXPECT_EQ(ranking.account()->bytes(), 0u);
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
