#include "gearman/tools/gearctl/job_text.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1000);

TEST(JobTextTest, PrioritiesHaveTheirNames) {
  EXPECT_EQ(*ParsePriority("high"), Priority::kHigh);
  EXPECT_EQ(*ParsePriority("normal"), Priority::kNone);
  EXPECT_EQ(*ParsePriority("low"), Priority::kLow);
}

TEST(JobTextTest, AnotherPriorityIsAnErrorThatSaysWhatThereIs) {
  const absl::Status status = ParsePriority("urgent").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\"urgent\" is not high, normal or low"));
}

TEST(JobTextTest, AnEpochIsSecondsADateOrADelay) {
  EXPECT_EQ(*ParseEpoch("1798135200", kNow), absl::FromUnixSeconds(1798135200));
  EXPECT_EQ(*ParseEpoch("2026-12-24T18:00:00Z", kNow),
            absl::FromUnixSeconds(1798135200));
  EXPECT_EQ(*ParseEpoch("2026-12-24T19:00:00+01:00", kNow),
            absl::FromUnixSeconds(1798135200));
  EXPECT_EQ(*ParseEpoch("+1h30m", kNow), kNow + absl::Minutes(90));
}

TEST(JobTextTest, AnotherEpochIsAnError) {
  for (const char* text : {"", "soon", "+", "+5", "5m", "2026-12-24"}) {
    EXPECT_EQ(ParseEpoch(text, kNow).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(JobTextTest, AStateHasOneName) {
  JobStatus status;
  EXPECT_EQ(StateName(status), "ended");
  status.known = true;
  EXPECT_EQ(StateName(status), "queued");
  status.running = true;
  EXPECT_EQ(StateName(status), "running");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
