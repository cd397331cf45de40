// gearctl pause, resume and work --control, against gearmand.
#include <string>
#include <utility>
#include <vector>

#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

class PauseTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(gearmand_.ok()); }

  ProgramResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", gearmand_.address()});
    return Gearctl(std::move(arguments));
  }

  support::GearmandProcess gearmand_;
};

TEST_F(PauseTest, AWorkerOfGearctlTakesOrders) {
  const auto worker =
      StartGearctl({"work", "upper", "lower", "--control", "control/1",
                    "--server", gearmand_.address(), "--", "tr", "a-z", "A-Z"});
  ProgramResult result = Run({"pause", "control/1", "upper"});
  EXPECT_EQ(result.status.code, 0) << result.error_output;
  EXPECT_EQ(result.output, "upper\n");
  EXPECT_EQ(Run({"pause", "control/1", "lower"}).output, "upper\nlower\n");
  EXPECT_EQ(Run({"pause", "control/1", "--json"}).output,
            "{\"task\":\"upper\",\"paused\":true}\n"
            "{\"task\":\"lower\",\"paused\":true}\n");
  EXPECT_EQ(
      Run({"submit", "upper", "--data", "x", "--timeout", "200ms"}).status.code,
      4);
  EXPECT_EQ(Run({"resume", "control/1", "upper", "lower"}).output, "");
  EXPECT_EQ(Run({"submit", "upper", "--data", "x"}).output, "X");
}

TEST_F(PauseTest, ATaskThatTheWorkerDoesNotDoIsNamed) {
  const auto worker =
      StartGearctl({"work", "upper", "--control", "control/1", "--server",
                    gearmand_.address(), "--", "tr", "a-z", "A-Z"});
  const ProgramResult result = Run({"pause", "control/1", "none", "upper"});
  EXPECT_EQ(result.output, "upper\n");
  EXPECT_EQ(result.status.code, 1) << result.error_output;
  EXPECT_THAT(result.error_output,
              HasSubstr("task \"none\" is not registered"));
}

TEST_F(PauseTest, AnOrderThatNobodyTakesIsNoEndlessWait) {
  const ProgramResult result =
      Run({"pause", "nobody", "a", "b", "--timeout", "200ms"});
  EXPECT_EQ(result.status.code, 4) << result.error_output;
  EXPECT_THAT(result.error_output, HasSubstr("no worker took the order"));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
