#include "gearman/transports/tls/sealed_records.h"

#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(SealedRecordsTest, OnlyWholeRecordsCount) {
  SealedRecords records;
  records.Append("header");
  records.Append("body");
  records.EndRecord(3);
  records.Append("second");
  records.EndRecord(4);
  EXPECT_EQ(records.pending(), "headerbodysecond");
  EXPECT_EQ(records.plain(), 7u);
  EXPECT_EQ(records.Sent(9), 0u);
  EXPECT_EQ(records.pending(), "ysecond");
  EXPECT_EQ(records.plain(), 7u);
  EXPECT_EQ(records.Sent(1), 3u);
  EXPECT_EQ(records.plain(), 4u);
  EXPECT_EQ(records.Sent(6), 4u);
  EXPECT_TRUE(records.empty());
  EXPECT_EQ(records.plain(), 0u);
}

TEST(SealedRecordsTest, SeveralMayBecomeWholeAtOnce) {
  SealedRecords records;
  for (size_t plain = 1; plain <= 4; ++plain) {
    records.Append("record");
    records.EndRecord(plain);
  }
  EXPECT_EQ(records.Sent(20), 1u + 2u + 3u);
  records.Append("record");
  records.EndRecord(5);
  EXPECT_EQ(records.Sent(10), 4u + 5u);
  EXPECT_TRUE(records.empty());
}

TEST(SealedRecordsTest, IsUsedAgainWhenAllHasLeft) {
  SealedRecords records;
  records.Append("first");
  records.EndRecord(1);
  EXPECT_EQ(records.Sent(5), 1u);
  records.Release();
  records.Append("second");
  records.EndRecord(2);
  EXPECT_EQ(records.pending(), "second");
  EXPECT_EQ(records.Sent(6), 2u);
}

}  // namespace
}  // namespace gearman
