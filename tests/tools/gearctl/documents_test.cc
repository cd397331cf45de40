#include "gearman/tools/gearctl/documents.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tools/gearctl/subcommand.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

support::ProgramResult RunProgram(std::vector<std::string> argv) {
  support::SubprocessOptions options;
  options.argv = std::move(argv);
  auto result = support::RunProgram(std::move(options));
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : support::ProgramResult();
}

TEST(ManPageTest, TheOneInTheTreeIsMadeOfTheTable) {
  EXPECT_EQ(FileText("tools/gearctl/gearctl.1"), ManPage(Subcommands()))
      << "bazel run //tools/gearctl -- man > tools/gearctl/gearctl.1";
}

TEST(ManPageTest, HasEverySubcommandFlagAndExitCode) {
  const std::string page = FileText("tools/gearctl/gearctl.1");
  for (const Subcommand& subcommand : Subcommands()) {
    EXPECT_THAT(page,
                HasSubstr(absl::StrCat("\n.SS \"gearctl ", subcommand.name)));
    for (const std::string& flag : FlagsOf(subcommand)) {
      EXPECT_THAT(page, HasSubstr(absl::StrCat(
                            "\n\\fB\\-\\-",
                            absl::StrReplaceAll(FlagName(flag), {{"-", "\\-"}}),
                            "\\fR")));
    }
  }
  for (const ExitCodeMeaning& meaning : ExitCodes()) {
    EXPECT_THAT(page,
                HasSubstr(absl::StrCat("\n\\fB", int{meaning.code}, "\\fR\n")));
  }
}

TEST(ManPageTest, NoTextIsTakenForARequest) {
  Subcommand odd;
  odd.name = "odd";
  odd.summary = "summary";
  odd.description = ".so /etc/passwd";
  odd.examples = "'quoted'\n.dots\\n\n";
  const std::string page = ManPage({odd});
  EXPECT_THAT(page, HasSubstr("\n\\&.so /etc/passwd\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&'quoted'\n\\&.dots\\en\n"));
}

// Returns the words that bash offers after these words.
std::vector<std::string> BashOffers(const std::vector<std::string>& words) {
  const support::TestDirectory directory;
  const std::string script =
      directory.Write("gearctl.bash", BashCompletion(Subcommands()));
  std::vector<std::string> argv = {
      "bash",
      "--norc",
      "-eu",
      "-c",
      "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "
      "_gearctl || true; for word in ${COMPREPLY[@]+\"${COMPREPLY[@]}\"}; do "
      "echo \"$word\"; done",
      "bash",
      script,
      "gearctl"};
  argv.insert(argv.end(), words.begin(), words.end());
  const support::ProgramResult run = RunProgram(argv);
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_THAT(run.error_output, IsEmpty());
  return absl::StrSplit(run.output, '\n', absl::SkipEmpty());
}

TEST(BashCompletionTest, OffersEverySubcommandFirst) {
  std::vector<std::string> names = {"help"};
  for (const Subcommand& subcommand : Subcommands()) {
    names.emplace_back(subcommand.name);
  }
  EXPECT_THAT(BashOffers({""}), ::testing::UnorderedElementsAreArray(names));
  EXPECT_THAT(BashOffers({"su"}), ElementsAre("submit"));
  EXPECT_THAT(BashOffers({"help", "su"}), ElementsAre("submit"));
}

TEST(BashCompletionTest, OffersEachSubcommandsFlags) {
  for (const Subcommand& subcommand : Subcommands()) {
    std::vector<std::string> flags;
    for (const std::string& flag : FlagsOf(subcommand)) {
      flags.push_back(absl::StrCat("--", FlagName(flag)));
    }
    EXPECT_THAT(BashOffers({std::string(subcommand.name), "--"}),
                IsSupersetOf(flags));
  }
  EXPECT_THAT(BashOffers({"ping", "--"}), Not(Contains("--data")));
}

TEST(BashCompletionTest, OffersValuesWhereItKnowsThem) {
  EXPECT_THAT(BashOffers({"submit", "t", "--priority", "h"}),
              ElementsAre("high"));
  EXPECT_THAT(BashOffers({"submit", "t", "--priority", "=", "h"}),
              ElementsAre("high"));
  EXPECT_THAT(BashOffers({"submit", "t", "--priority", "="}),
              ElementsAre("high", "normal", "low"));
  EXPECT_THAT(BashOffers({"completion", ""}), ElementsAre("bash", "zsh"));
  const support::TestDirectory directory;
  const std::string path = directory.Write("payload.txt", "");
  EXPECT_THAT(BashOffers({"submit", "t", "--file", directory.File("pay")}),
              ElementsAre(path));
  EXPECT_THAT(BashOffers({"submit", "t", "--unique", ""}), IsEmpty());
  EXPECT_THAT(BashOffers({"schedule", directory.File("pay")}),
              ElementsAre(path));
  EXPECT_THAT(BashOffers({"schedule", "--ne"}), ElementsAre("--next"));
}

TEST(BashCompletionTest, SeesTheSubcommandBehindFlags) {
  EXPECT_THAT(BashOffers({"--json", "status", "--wat"}),
              ElementsAre("--watch"));
}

TEST(ZshCompletionTest, HasEverySubcommandAndItsFlags) {
  const std::string script = ZshCompletion(Subcommands());
  EXPECT_THAT(script, ::testing::StartsWith("#compdef gearctl\n"));
  for (const Subcommand& subcommand : Subcommands()) {
    EXPECT_THAT(script,
                HasSubstr(absl::StrCat("\n    '", subcommand.name, ":")));
    const size_t part =
        script.find(absl::StrCat("\n    ", subcommand.name, ")\n"));
    ASSERT_NE(part, std::string::npos) << subcommand.name;
    const std::string its = script.substr(part, script.find(";;", part) - part);
    for (const std::string& flag : FlagsOf(subcommand)) {
      EXPECT_THAT(its, HasSubstr(absl::StrCat("--", FlagName(flag))));
    }
  }
}

TEST(ZshCompletionTest, ZshReadsIt) {
  if (RunProgram({"sh", "-c", "command -v zsh"}).status.code != 0) {
    GTEST_SKIP() << "there is no zsh here";
  }
  const support::TestDirectory directory;
  const std::string script =
      directory.Write("_gearctl", ZshCompletion(Subcommands()));
  const support::ProgramResult run = RunProgram({"zsh", "-n", script});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
