// A program that forks beside a real gearmand: forking_program.cc.
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

constexpr char kProgram[] = "tests/integration/forking_program";

class ForkGearmandTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Ways, ForkGearmandTest,
                         ::testing::Values("return", "exit", "_exit", "exec",
                                           "destroy", "use"),
                         [](const auto& way) {
                           return way.param[0] == '_' ? "ExitAtOnce"
                                                      : std::string(way.param);
                         });

TEST_P(ForkGearmandTest, TheParentsJobsAreDoneHoweverTheChildEnds) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  support::SubprocessOptions options;
  options.argv = {kProgram, gearmand.address(), GetParam()};
  const auto run = support::RunProgram(std::move(options));
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->status.code, 0) << run->error_output;
  EXPECT_EQ(run->output, "unharmed\n");
  // Nothing is left of it at the server, jobs or connections.
  EXPECT_TRUE(support::WaitFor([&gearmand] {
    const auto status = gearmand.Admin("status");
    return status.ok() &&
           absl::StrJoin(*status, ",") == "echo\t0\t0\t0,gated\t0\t0\t0";
  }));
}

}  // namespace
}  // namespace gearman
