// gearctl beside Debian's gearman and gearadmin, through one gearmand: each
// does the other's jobs, and both read the same of the server.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InteropTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(gearmand_.ok()); }

  support::SubprocessOptions Debian(const std::string& program,
                                    std::vector<std::string> arguments) {
    support::SubprocessOptions options;
    options.argv = {program, "-h", gearmand_.host(), "-p",
                    absl::StrCat(gearmand_.port())};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return options;
  }
  std::string RunDebian(support::SubprocessOptions options) {
    auto run = support::RunProgram(std::move(options));
    EXPECT_TRUE(run.ok() && run->status.ok()) << run.status();
    return run.ok() ? run->output : "";
  }
  ProgramResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, {"--server", gearmand_.address()});
    return Gearctl(std::move(arguments));
  }

  support::GearmandProcess gearmand_;
};

TEST_F(InteropTest, GearmanSubmitsWhatGearctlDoes) {
  auto worker = StartGearctl({"work", "upper", "--server", gearmand_.address(),
                              "--", "tr", "a-z", "A-Z"});
  support::SubprocessOptions client = Debian("gearman", {"-f", "upper"});
  client.input = "hello";
  EXPECT_EQ(RunDebian(std::move(client)), "HELLO");
}

TEST_F(InteropTest, GearctlSubmitsWhatGearmanDoes) {
  support::SubprocessOptions options =
      Debian("gearman", {"-w", "-f", "upper", "--", "tr", "a-z", "A-Z"});
  auto worker = Subprocess::Start(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(Run({"submit", "upper", "--data", "hello"}).output, "HELLO");
}

TEST_F(InteropTest, BothReadTheSameStatus) {
  Run({"submit", "t", "--background"});
  EXPECT_EQ(RunDebian(Debian("gearadmin", {"--status"})), "t\t1\t0\t0\n.\n");
  EXPECT_THAT(Run({"status", "--json"}).output,
              HasSubstr("\"task\":\"t\",\"queued\":1,\"running\":0"));
}

TEST_F(InteropTest, BothKnowTheSameJobs) {
  const std::vector<std::string> id =
      absl::StrSplit(Run({"submit", "t", "--background"}).output, '|');
  EXPECT_THAT(RunDebian(Debian("gearadmin", {"--show-jobs"})),
              HasSubstr(id[1] + "\t0\t0\t1\n"));
  EXPECT_THAT(Run({"jobs"}).output, HasSubstr(id[1] + "  queued"));
}

TEST_F(InteropTest, WhatOneCreatesTheOtherDrops) {
  RunDebian(Debian("gearadmin", {"--create-function", "theirs"}));
  EXPECT_EQ(Run({"drop", "theirs"}).status.code, 0);
  EXPECT_EQ(Run({"create", "ours"}).status.code, 0);
  RunDebian(Debian("gearadmin", {"--drop-function", "ours"}));
  EXPECT_EQ(Run({"status", "--json"}).output, "");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
