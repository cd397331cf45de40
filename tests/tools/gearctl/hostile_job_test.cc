// gearctl work, and jobs whose bytes would be commands for a shell.
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

TEST(HostileJobTest, ItsBytesAreNeverACommand) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  // In the folder of this test, of gearctl and of its commands.
  const std::string file = "made_by_a_job";
  const auto worker =
      StartGearctl({"work", "--server", gearmand.address(), "t", "--", "sh",
                    "-c", "cat; printf ' %s' \"$GEARMAN_UNIQUE\""});
  const std::string touch = absl::StrCat("touch ", file);
  for (const std::string& text : std::vector<std::string>{
           absl::StrCat("$(", touch, ")"), absl::StrCat("`", touch, "`"),
           absl::StrCat(";", touch, ";#"), absl::StrCat("|", touch, "&"),
           absl::StrCat("';", touch, ";'"), absl::StrCat("\";", touch, ";\""),
           absl::StrCat("$((", touch, "))"), "-rf", "--help", "%s%n"}) {
    SCOPED_TRACE(text);
    const ProgramResult run =
        Gearctl({"submit", "--server", gearmand.address(), "t",
                 absl::StrCat("--unique=", text), "-"},
                text);
    EXPECT_EQ(run.status.code, 0) << run.error_output;
    EXPECT_EQ(run.output, absl::StrCat(text, " ", text));
    EXPECT_NE(access(file.c_str(), F_OK), 0);
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
