#include "gearman/tools/gearctl/failures.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FailuresTest, EqualOnesAreSaidOnceWithTheirSubjects) {
  Failures failures;
  EXPECT_TRUE(failures.ToStatus().ok());
  failures.Add("a", absl::NotFoundError("none"));
  failures.Add("b", absl::OkStatus());
  failures.Add("c", absl::UnavailableError("refused"));
  failures.Add("d", absl::NotFoundError("none"));
  EXPECT_EQ(failures.ToStatus(), absl::NotFoundError("a, d: none; c: refused"));
}

TEST(FailuresTest, FiveSubjectsAreNamedAndTheOthersCounted) {
  Failures failures;
  for (int i = 1; i <= 100; ++i) {
    failures.Add(absl::StrCat(i), absl::NotFoundError("none"));
  }
  EXPECT_EQ(failures.ToStatus(),
            absl::NotFoundError("1, 2, 3, 4, 5 and 95 more: none"));
}

TEST(LineFailuresTest, TheFirstOfAKindIsNewAndTheOthersAreListed) {
  LineFailures failures;
  const absl::Status failed = absl::AbortedError("failed");
  EXPECT_TRUE(failures.IsNew(2, failed));
  EXPECT_THAT(failures.Others(), IsEmpty());
  EXPECT_TRUE(failures.IsNew(3, absl::AbortedError("otherwise")));
  for (const int64_t line : {4, 6, 7, 8, 10}) {
    EXPECT_FALSE(failures.IsNew(line, failed));
  }
  EXPECT_FALSE(failures.IsNew(11, absl::AbortedError("otherwise")));
  EXPECT_THAT(failures.Others(),
              ElementsAre("5 more lines failed as line 2 did: 4, 6-8, 10",
                          "1 more line failed as line 3 did: 11"));
}

TEST(LineFailuresTest, TheNamesOfALinesOwnJobMakeNoKind) {
  LineFailures failures;
  EXPECT_TRUE(
      failures.IsNew(1, absl::AbortedError("job \"H:1\" failed"), {"H:1", ""}));
  EXPECT_FALSE(
      failures.IsNew(2, absl::AbortedError("job \"H:2\" failed"), {"H:2", ""}));
  EXPECT_TRUE(failures.IsNew(3, absl::AbortedError("job \"H:3\" is lost"),
                             {"H:3", ""}));
}

TEST(LineFailuresTest, WhatIsKeptDoesNotGrow) {
  LineFailures failures;
  for (int64_t line = 1; line < 100000; line += 2) {
    failures.IsNew(line, absl::AbortedError("failed"));
  }
  ASSERT_EQ(failures.Others().size(), 1u);
  EXPECT_LT(failures.Others()[0].size(), 500u);
  EXPECT_THAT(failures.Others()[0], ::testing::EndsWith(", ..."));
  // With too many kinds each failure of a kind beyond the limit is new.
  LineFailures kinds;
  for (int64_t line = 1; line <= 1000; ++line) {
    EXPECT_TRUE(kinds.IsNew(line, absl::AbortedError(absl::StrCat(line))));
  }
  EXPECT_TRUE(kinds.IsNew(1001, absl::AbortedError("1000")));
  EXPECT_FALSE(kinds.IsNew(1002, absl::AbortedError("1")));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
