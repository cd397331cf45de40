#include "gearman/tools/gearctl/subcommand.h"

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/tools/gearctl/flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SubcommandTest : public ::testing::Test {
 protected:
  SubcommandTest() {
    submit_.name = "submit";
    submit_.usage = "TASK [-]";
    submit_.flags = {"data", "background", "in_flight"};
    submit_.min_words = 1;
    submit_.max_words = 2;
    work_.name = "work";
    work_.usage = "TASK... -- COMMAND [ARGUMENT...]";
    work_.min_words = 1;
    work_.max_words = 9;
  }

  std::string Error(const Subcommand& subcommand,
                    const std::vector<std::string>& words) {
    const absl::Status status = ParseArguments(subcommand, words).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  }

  const absl::FlagSaver saver_;
  Subcommand submit_;
  Subcommand work_;
};

TEST_F(SubcommandTest, FlagsMayStandAnywhereInEitherForm) {
  const auto arguments = ParseArguments(
      submit_, {"--data", "x y", "resize", "-", "--in-flight=7", "--json"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(arguments->words, ElementsAre("resize", "-"));
  EXPECT_EQ(absl::GetFlag(FLAGS_data), "x y");
  EXPECT_EQ(absl::GetFlag(FLAGS_in_flight).value(), 7);
  EXPECT_TRUE(absl::GetFlag(FLAGS_json));
}

TEST_F(SubcommandTest, AFlagMayBeWrittenAsAbseilHasIt) {
  ASSERT_TRUE(ParseArguments(submit_, {"t", "-in_flight", "7"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_in_flight).value(), 7);
}

TEST_F(SubcommandTest, AValueMayBeginAsAFlagDoes) {
  ASSERT_TRUE(ParseArguments(submit_, {"t", "--data", "--json"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_data), "--json");
  EXPECT_FALSE(absl::GetFlag(FLAGS_json));
}

TEST_F(SubcommandTest, ABooleanIsTakenBack) {
  ASSERT_TRUE(ParseArguments(submit_, {"t", "--json", "--nojson"}).ok());
  EXPECT_FALSE(absl::GetFlag(FLAGS_json));
  ASSERT_TRUE(ParseArguments(submit_, {"t", "--json=false"}).ok());
  EXPECT_FALSE(absl::GetFlag(FLAGS_json));
}

TEST_F(SubcommandTest, ServersGatherFromRepetitionsAndCommas) {
  ASSERT_TRUE(
      ParseArguments(submit_, {"t", "--server", "a,b", "--server=c"}).ok());
  EXPECT_THAT(absl::GetFlag(FLAGS_server), ElementsAre("a", "b", "c"));
}

TEST_F(SubcommandTest, ATimeHasAUnit) {
  ASSERT_TRUE(ParseArguments(submit_, {"t", "--timeout=2m"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_timeout).duration(), absl::Minutes(2));
  EXPECT_THAT(Error(submit_, {"t", "--timeout", "5"}),
              HasSubstr("--timeout: \"5\" is no value for it: it has no unit: "
                        "5s or 5ms\n"));
}

TEST_F(SubcommandTest, SaysWhichFlagsWereGiven) {
  const auto arguments =
      ParseArguments(submit_, {"t", "--data", "", "--nojson", "--in-flight=7"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(arguments->flags, ElementsAre("data", "in_flight", "json"));
}

TEST_F(SubcommandTest, AnEmptyValueIsRefusedWhereItIsNoPayload) {
  EXPECT_THAT(Error(submit_, {"t", "--config", ""}),
              HasSubstr("--config: its value is empty"));
  EXPECT_THAT(Error(submit_, {"t", "--server="}),
              HasSubstr("--server: its value is empty"));
  EXPECT_THAT(Error(submit_, {"t", "--server", "a,,b"}),
              HasSubstr("--server: an item of it is empty"));
}

TEST_F(SubcommandTest, AnEmptyArgumentIsRefused) {
  EXPECT_THAT(Error(submit_, {""}), HasSubstr("TASK is empty"));
  EXPECT_THAT(Error(work_, {"t", "", "--", "cat"}), HasSubstr(" is empty"));
}

TEST_F(SubcommandTest, ANegativeNumberIsNoFlag) {
  const auto arguments = ParseArguments(submit_, {"t", "-1"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(arguments->words, ElementsAre("t", "-1"));
}

TEST_F(SubcommandTest, HelpIsAFlagAndNoValue) {
  EXPECT_TRUE(ParseArguments(submit_, {"--help"})->help);
  EXPECT_TRUE(ParseArguments(submit_, {"t", "--json", "-h"})->help);
  for (const char* text : {"--help", "-h"}) {
    const auto arguments = ParseArguments(submit_, {"t", "--data", text});
    ASSERT_TRUE(arguments.ok()) << arguments.status();
    EXPECT_FALSE(arguments->help);
    EXPECT_EQ(absl::GetFlag(FLAGS_data), text);
  }
  EXPECT_FALSE(ParseArguments(work_, {"t", "--", "ls", "--help"})->help);
}

TEST_F(SubcommandTest, AFlagOfGearmanIsSpelledAsHere) {
  EXPECT_THAT(Error(submit_, {"t", "-b"}),
              ::testing::AllOf(HasSubstr("\"-b\" is no flag"),
                               HasSubstr("--background\n")));
  EXPECT_THAT(Error(submit_, {"t", "-h", "localhost"}),
              HasSubstr("--server HOST"));
}

TEST_F(SubcommandTest, AfterTwoDashesNothingIsAFlag) {
  const auto arguments = ParseArguments(submit_, {"--", "--json", "-"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(arguments->words, ElementsAre("--json", "-"));
  EXPECT_THAT(arguments->command, IsEmpty());
}

TEST_F(SubcommandTest, ACommandIsKeptAsItIs) {
  const auto arguments =
      ParseArguments(work_, {"a", "b", "--", "tr", "--", "-d", "x"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(arguments->words, ElementsAre("a", "b"));
  EXPECT_THAT(arguments->command, ElementsAre("tr", "--", "-d", "x"));
}

TEST_F(SubcommandTest, AnUnknownFlagIsAnErrorThatSaysWhatThereIs) {
  const std::string error = Error(submit_, {"t", "--dta", "x"});
  EXPECT_THAT(error, HasSubstr("\"--dta\" is no flag of gearctl submit"));
  EXPECT_THAT(error, HasSubstr("did you mean \"--data\"?"));
  EXPECT_THAT(error, HasSubstr("--in-flight"));
  EXPECT_THAT(error, HasSubstr("Usage: gearctl submit TASK [-]"));
}

TEST_F(SubcommandTest, AnotherSubcommandsFlagIsUnknown) {
  EXPECT_THAT(Error(submit_, {"t", "--concurrency", "3"}),
              HasSubstr("is no flag"));
  EXPECT_THAT(Error(submit_, {"t", "--nodata"}), HasSubstr("is no flag"));
}

TEST_F(SubcommandTest, ABadValueIsAnErrorThatSaysWhatIsExpected) {
  EXPECT_THAT(Error(submit_, {"t", "--in-flight", "many"}),
              HasSubstr("--in-flight: \"many\" is no value for it: expected a "
                        "whole number from 1 to "
                        "1000000\n"));
}

TEST_F(SubcommandTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(Error(submit_, {}), HasSubstr("TASK is missing"));
  EXPECT_THAT(Error(submit_, {"t", "--data"}),
              HasSubstr("--data lacks its value: TEXT"));
  EXPECT_THAT(Error(work_, {"t"}), HasSubstr("-- COMMAND is missing"));
  EXPECT_THAT(Error(work_, {"t", "--"}), HasSubstr("-- COMMAND is missing"));
}

TEST_F(SubcommandTest, WhatIsTooMuchIsNamed) {
  EXPECT_THAT(Error(submit_, {"t", "-", "more"}),
              HasSubstr("\"more\" is too much"));
}

TEST_F(SubcommandTest, FlagsBeforeTheSubcommandMoveBehindIt) {
  EXPECT_THAT(WithSubcommandFirst({"--server", "a", "--json", "status", "x"}),
              ElementsAre("status", "--server", "a", "--json", "x"));
  EXPECT_THAT(WithSubcommandFirst({"--server=a", "status"}),
              ElementsAre("status", "--server=a"));
  EXPECT_THAT(WithSubcommandFirst({"status", "--json"}),
              ElementsAre("status", "--json"));
  EXPECT_THAT(WithSubcommandFirst({"--json"}), ElementsAre("--json"));
  EXPECT_THAT(WithSubcommandFirst({"--server"}), ElementsAre("--server"));
}

TEST_F(SubcommandTest, HelpHasUsageFlagsAndExamplesInEightyColumns) {
  submit_.summary = "submits";
  const std::string description =
      std::string(30, 'x') + " " + std::string(60, 'y');
  submit_.description = description;
  submit_.examples = "gearctl submit t\n";
  const std::string help = HelpText(submit_);
  EXPECT_THAT(help, HasSubstr("Usage: gearctl submit TASK [-] [--FLAG...]\n"));
  EXPECT_THAT(help, HasSubstr("--in-flight N "));
  EXPECT_THAT(help, HasSubstr("--server ADDRESS "));
  EXPECT_THAT(help, HasSubstr("  gearctl submit t\n"));
  EXPECT_THAT(help, HasSubstr("x\nyy"));
  EXPECT_THAT(HelpText(work_),
              HasSubstr("TASK... [--FLAG...] -- COMMAND [ARGUMENT...]\n"));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
