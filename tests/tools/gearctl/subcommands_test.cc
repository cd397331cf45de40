#include "gearman/tools/gearctl/subcommands.h"

#include <set>
#include <string>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/tools/gearctl/subcommand.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(SubcommandsTest, EachIsFoundByItsNameAndDoesSomething) {
  for (const Subcommand& subcommand : Subcommands()) {
    EXPECT_EQ(FindSubcommand(subcommand.name), &subcommand) << subcommand.name;
    EXPECT_NE(subcommand.run, nullptr) << subcommand.name;
    EXPECT_LE(subcommand.min_words, subcommand.max_words) << subcommand.name;
  }
  EXPECT_EQ(FindSubcommand("nothing"), nullptr);
}

TEST(SubcommandsTest, EachFlagExistsAndIsDescribed) {
  for (const Subcommand& subcommand : Subcommands()) {
    std::set<std::string> seen;
    for (const std::string& flag : FlagsOf(subcommand)) {
      EXPECT_NE(absl::FindCommandLineFlag(flag), nullptr) << flag;
      EXPECT_FALSE(FlagHelp(flag).empty()) << flag;
      EXPECT_TRUE(seen.insert(flag).second) << subcommand.name << " " << flag;
    }
  }
}

TEST(SubcommandsTest, CommonFlagsAreTakenOnlyWhereTheyMeanSomething) {
  struct Case {
    const char* subcommand;
    std::vector<std::string> words;
  };
  for (const Case& c :
       std::vector<Case>{{"work", {"t", "--timeout", "5s", "--", "cat"}},
                         {"work", {"t", "--json", "--", "cat"}},
                         {"server", {"--server", "localhost:4731"}},
                         {"server", {"--timeout=5s"}},
                         {"man", {"--json"}},
                         {"completion", {"bash", "--server", "a"}}}) {
    const absl::Status status =
        ParseArguments(*FindSubcommand(c.subcommand), c.words).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.subcommand << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is no flag of"));
  }
}

TEST(SubcommandsTest, EachHasExamplesThatAreCommandsOfItsOwn) {
  for (const Subcommand& subcommand : Subcommands()) {
    const std::vector<absl::string_view> examples =
        absl::StrSplit(subcommand.examples, '\n', absl::SkipEmpty());
    EXPECT_FALSE(examples.empty()) << subcommand.name;
    for (const absl::string_view example : examples) {
      EXPECT_TRUE(
          absl::StrContains(example, absl::StrCat("gearctl ", subcommand.name)))
          << example;
    }
    EXPECT_THAT(HelpText(subcommand), HasSubstr("Examples:\n  "));
  }
}

TEST(SubcommandsTest, HelpFitsATerminal) {
  std::string all = HelpText(Subcommands());
  for (const Subcommand& subcommand : Subcommands()) {
    all += HelpText(subcommand);
  }
  for (const absl::string_view line : absl::StrSplit(all, '\n')) {
    EXPECT_THAT(std::string(line), SizeIs(::testing::Le(80)));
  }
}

TEST(SubcommandsTest, HelpListsAllOfThemAndTheExitCodes) {
  const std::string help = HelpText(Subcommands());
  for (const Subcommand& subcommand : Subcommands()) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("\n  ", subcommand.name, " ")));
  }
  for (const ExitCodeMeaning& meaning : ExitCodes()) {
    EXPECT_THAT(help, HasSubstr(std::string(meaning.meaning)));
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
