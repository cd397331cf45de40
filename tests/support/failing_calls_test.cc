#include "gearman/tests/support/failing_calls.h"

#include <cerrno>
#include <string>

#include "absl/status/statusor.h"
#include "gearman/tests/support/subprocess.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

class FailingCallsTest : public ::testing::Test {
 protected:
  FailingCallsTest() { options_.argv = {"tests/support/failing_calls_probe"}; }

  std::string Output() {
    const absl::StatusOr<ProgramResult> run = RunProgram(options_);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() ? run->output : "";
  }

  SubprocessOptions options_;
  FailingCalls calls_;
};

TEST_F(FailingCallsTest, ACleanRunIsCounted) {
  calls_.Count(&options_);
  EXPECT_EQ(Output(), "ok\nok\nok\nok\nok\nok\n");
  // Calls of the processes that the program starts are not counted.
  EXPECT_EQ(calls_.count("pipe2"), 3u);
  EXPECT_EQ(calls_.count("eventfd"), 0u);
}

TEST_F(FailingCallsTest, OneCallFailsAndTheOthersDoNot) {
  calls_.Fail({"pipe2", 2, EMFILE}, &options_);
  EXPECT_EQ(Output(), "ok\nToo many open files\nok\nok\nok\nok\n");
  EXPECT_EQ(calls_.count("pipe2"), 3u);
}

TEST_F(FailingCallsTest, LaterCallsOfTheProgramFailToo) {
  calls_.Fail({"pipe2", 2, EPERM, /*and_later=*/true}, &options_);
  EXPECT_EQ(Output(),
            "ok\nOperation not permitted\nOperation not permitted\n"
            "ok\nok\nok\n");
}

TEST_F(FailingCallsTest, SeveralCallsFail) {
  calls_.FailEach(
      {{"pipe2", 1, EMFILE}, {"socket", 1, EPERM}, {"pipe2", 3, EPERM}},
      &options_);
  EXPECT_EQ(Output(),
            "Too many open files\nok\nOperation not permitted\nok\nok\nok\n");
}

TEST_F(FailingCallsTest, AnyThatMakesDescriptorsFails) {
  calls_.Fail({"any_descriptor", 2, EMFILE}, &options_);
  EXPECT_EQ(Output(), "ok\nToo many open files\nok\nok\nok\nok\n");
}

TEST_F(FailingCallsTest, AnotherFunctionIsLeftAlone) {
  calls_.Fail({"socket", 1, EPERM, /*and_later=*/true}, &options_);
  EXPECT_EQ(Output(), "ok\nok\nok\nok\nok\nok\n");
}

}  // namespace
}  // namespace support
}  // namespace gearman
