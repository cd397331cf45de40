#include "gearman/sdk/internal/request/job_updates.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/byte_account.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using Kind = JobUpdate::Kind;

JobUpdate Update(Kind kind, const std::string& data) {
  JobUpdate update;
  update.kind = kind;
  update.data = data;
  return update;
}

JobUpdate Status(int64_t numerator) {
  JobUpdate update;
  update.kind = Kind::kStatus;
  update.numerator = numerator;
  return update;
}

std::vector<int64_t> Statuses(JobUpdates* updates) {
  std::vector<int64_t> statuses;
  updates->ForEach(Kind::kStatus, [&](const JobUpdate& update) {
    statuses.push_back(update.numerator);
  });
  return statuses;
}

std::vector<std::string> All(JobUpdates* updates) {
  std::vector<std::string> all;
  updates->ForEach(
      [&](const JobUpdate& update) { all.push_back(update.data); });
  return all;
}

TEST(JobUpdatesTest, TakesInTheOrderOfArrival) {
  JobUpdates updates(nullptr);
  updates.Add(Update(Kind::kData, "1"));
  updates.Add(Update(Kind::kWarning, "2"));
  updates.Add(Status(3));
  updates.Add(Update(Kind::kData, "4"));
  EXPECT_THAT(All(&updates), ElementsAre("1", "2", "", "4"));
  EXPECT_EQ(updates.Take()->data, "1");
  EXPECT_EQ(updates.Take()->kind, Kind::kWarning);
  EXPECT_EQ(updates.Take()->numerator, 3);
  EXPECT_EQ(updates.Take()->data, "4");
  EXPECT_FALSE(updates.Take().has_value());
}

TEST(JobUpdatesTest, TakesOfOneKindAndLeavesTheOthersInOrder) {
  JobUpdates updates(nullptr);
  updates.Add(Update(Kind::kWarning, "1"));
  updates.Add(Update(Kind::kData, "2"));
  updates.Add(Update(Kind::kWarning, "3"));
  updates.Add(Update(Kind::kData, "4"));
  EXPECT_EQ(updates.Take(Kind::kData)->data, "2");
  EXPECT_FALSE(updates.Take(Kind::kStatus).has_value());
  EXPECT_THAT(All(&updates), ElementsAre("1", "3", "4"));
  EXPECT_EQ(updates.Take()->data, "1");
  EXPECT_EQ(updates.Take(Kind::kData)->data, "4");
  EXPECT_FALSE(updates.Take(Kind::kData).has_value());
  EXPECT_EQ(updates.Take(Kind::kWarning)->data, "3");
}

TEST(JobUpdatesTest, CountsTheBytesThatItHolds) {
  ByteAccount account;
  JobUpdates updates(&account);
  const JobUpdate data = Update(Kind::kData, std::string(100, 'x'));
  EXPECT_GT(JobUpdates::MemoryOf(data), 100u);
  updates.Add(data);
  updates.Add(Status(1));
  EXPECT_EQ(updates.data_bytes(), 100u);
  EXPECT_EQ(account.bytes(),
            JobUpdates::MemoryOf(data) + JobUpdates::MemoryOf(Status(1)));
  updates.Take(Kind::kStatus);
  EXPECT_EQ(account.bytes(), JobUpdates::MemoryOf(data));
  updates.Take();
  EXPECT_EQ(account.bytes(), 0u);
  EXPECT_EQ(updates.data_bytes(), 0u);
}

TEST(JobUpdatesTest, CountsNothingAfterTheEndOfTheRequest) {
  ByteAccount account;
  JobUpdates updates(&account);
  updates.Add(Update(Kind::kData, "x"));
  updates.StopCounting();
  EXPECT_EQ(account.bytes(), 0u);
  EXPECT_EQ(updates.Take()->data, "x");
  EXPECT_EQ(account.bytes(), 0u);
}

TEST(JobUpdatesTest, KeepsTheNewestStatuses) {
  JobUpdates updates(nullptr);
  updates.Add(Update(Kind::kData, "x"));
  const auto count = static_cast<int64_t>(JobUpdates::kMaxStatuses);
  for (int64_t i = 1; i <= count; ++i) updates.Add(Status(i));
  EXPECT_EQ(Statuses(&updates).front(), 1);
  updates.Add(Status(count + 1));
  EXPECT_EQ(Statuses(&updates).size(), JobUpdates::kMaxStatuses);
  EXPECT_EQ(Statuses(&updates).front(), 2);
  EXPECT_EQ(Statuses(&updates).back(), count + 1);
  EXPECT_EQ(updates.Take()->data, "x");
  // An update that was taken makes room.
  updates.Take();
  updates.Add(Status(0));
  EXPECT_EQ(Statuses(&updates).front(), 3);
}

#ifndef NDEBUG
TEST(JobUpdatesTest, TakingCostsTheSameHoweverManyThereAre) {
  for (const int others : {0, 1000}) {
    JobUpdates updates(nullptr);
    for (int i = 0; i < others; ++i) updates.Add(Update(Kind::kWarning, "w"));
    updates.Add(Update(Kind::kData, "d"));
    const uint64_t before = ListSteps::count();
    updates.Take(Kind::kData);
    EXPECT_LE(ListSteps::count() - before, 4u) << others;
  }
}
#endif

}  // namespace
}  // namespace internal
}  // namespace gearman
