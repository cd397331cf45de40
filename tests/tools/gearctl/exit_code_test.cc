#include "gearman/tools/gearctl/exit_code.h"

#include <set>
#include <string>

#include "absl/status/status.h"
#include "gearman/sdk/status.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

TEST(ExitCodeTest, EachHasOneMeaning) {
  std::set<int> codes;
  for (const ExitCodeMeaning& meaning : ExitCodes()) {
    EXPECT_TRUE(codes.insert(meaning.code).second) << meaning.code;
    EXPECT_FALSE(meaning.meaning.empty()) << meaning.code;
  }
}

TEST(ExitCodeTest, EveryStatusOfTheSdkHasOneThatIsDocumented) {
  std::set<int> documented;
  for (const ExitCodeMeaning& meaning : ExitCodes()) {
    documented.insert(meaning.code);
  }
  for (const StatusMeaning& meaning : StatusMeanings()) {
    const ExitCode code = ExitCodeOf(absl::Status(meaning.code, ""));
    EXPECT_EQ(documented.count(code), 1u)
        << absl::StatusCodeToString(meaning.code);
    EXPECT_EQ(code == kSuccess, meaning.code == absl::StatusCode::kOk);
  }
}

TEST(ExitCodeTest, ReportSaysTheMessageWithoutItsControlSequences) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Report(absl::UnavailableError("no \x1b[2J server\nline two")),
            kUnreachable);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "gearctl: no \\x1b[2J server\nline two\n");
}

TEST(ExitCodeTest, ReportOfSuccessSaysNothing) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Report(absl::OkStatus()), kSuccess);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
