// Tests of a user's handler and of a user's client code: no network, no
// threads, and no time that passes.
#include "gearman/examples/testing/orders.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/testing/fake_job_context.h"
#include "gearman/sdk/testing/harness.h"
#include "gearman/sdk/testing/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace shop {
namespace {

using ::gearman::testing::FailedWith;
using ::gearman::testing::FakeJobContext;
using ::gearman::testing::Harness;
using ::gearman::testing::IsComplete;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// --- the handler alone ---------------------------------------------------------

TEST(TotalTest, AddsUpAndTellsItsProgress) {
  FakeJobContext job("1250 hat\n300 scarf\n");
  EXPECT_THAT(job.Run(Total), IsComplete("1550"));
  EXPECT_THAT(job.statuses(), ElementsAre(Pair(1, 2), Pair(2, 2)));
}

TEST(TotalTest, WarnsOfWhatCostsNothing) {
  FakeJobContext job("0 sticker\n");
  EXPECT_THAT(job.Run(Total), IsComplete("0"));
  EXPECT_THAT(job.warnings(), ElementsAre("sticker costs nothing"));
}

TEST(TotalTest, NamesALineWithoutAPrice) {
  FakeJobContext job("1250 hat\nscarf\n");
  EXPECT_THAT(job.Run(Total), FailedWith(absl::StatusCode::kInvalidArgument,
                                         "line 2 has no price"));
}

TEST(TotalTest, EndsEarlyWhenItIsToldToStop) {
  FakeJobContext job("1 a\n2 b\n3 c\n");
  job.StopAtCheck(2);
  EXPECT_THAT(job.Run(Total),
              FailedWith(absl::StatusCode::kAborted, HasSubstr("stop")));
  EXPECT_THAT(job.statuses(), ElementsAre(Pair(1, 3)));
}

// --- client and worker together ------------------------------------------------

TEST(TotalOfTest, AsksAWorker) {
  const auto harness = Harness::Create().value();
  ASSERT_TRUE(RegisterTotal(harness->worker()).ok());
  const absl::StatusOr<int64_t> total =
      TotalOf(harness->client(), {{"hat", 1250}, {"scarf", 300}});
  ASSERT_TRUE(total.ok()) << total.status();
  EXPECT_EQ(*total, 1550);
}

TEST(TotalOfTest, TellsWhyAWorkerFailed) {
  const auto harness = Harness::Create().value();
  ASSERT_TRUE(
      harness->worker()
          .Register("total",
                    [](gearman::JobContext&) -> absl::StatusOr<std::string> {
                      return absl::InternalError("out of paper");
                    })
          .ok());
  EXPECT_THAT(
      TotalOf(harness->client(), {}).status(),
      FailedWith(absl::StatusCode::kAborted, HasSubstr("out of paper")));
}

TEST(TotalOfTest, GivesUpAfterAMinuteWithoutAWorker) {
  const auto harness = Harness::Create().value();
  const absl::Time begin = harness->clock().Now();
  EXPECT_THAT(TotalOf(harness->client(), {{"hat", 1250}}).status(),
              FailedWith(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(harness->clock().Now() - begin, absl::Minutes(1));
}

}  // namespace
}  // namespace shop
