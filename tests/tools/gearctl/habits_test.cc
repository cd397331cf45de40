// Tests of flags of gearman and gearadmin: they are refused, with the right
// spelling.
#include "gearman/tools/gearctl/habits.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

bool IsKnown(absl::string_view flag) {
  return std::any_of(Habits().begin(), Habits().end(),
                     [flag](const Habit& habit) { return habit.flag == flag; });
}

// The flags in the help of a program: the words that begin with a dash.
std::set<std::string> FlagsInHelp(const std::string& program,
                                  const std::string& flag) {
  support::SubprocessOptions options;
  options.argv = {program, flag};
  const auto run = support::RunProgram(std::move(options));
  EXPECT_TRUE(run.ok()) << run.status();
  std::set<std::string> flags;
  if (!run.ok()) return flags;
  for (const absl::string_view line :
       absl::StrSplit(absl::StrCat(run->output, run->error_output), '\n')) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    // "-h [ --host ] arg"
    for (size_t i = 0; i < words.size() && i < 3; ++i) {
      if (words[i].size() > 1 && words[i][0] == '-') flags.insert(words[i]);
    }
  }
  return flags;
}

TEST(HabitsTest, HaveEachFlagOfTheProgramsThatAreInstalled) {
  const std::set<std::string> gearman = FlagsInHelp("gearman", "-H");
  EXPECT_GE(gearman.size(), 15u);
  std::set<std::string> gearadmin = FlagsInHelp("gearadmin", "--help");
  EXPECT_GE(gearadmin.size(), 12u);
  gearadmin.erase("--help");  // means the same here
  for (const auto& flags : {gearman, gearadmin}) {
    for (const std::string& flag : flags) EXPECT_TRUE(IsKnown(flag)) << flag;
  }
}

TEST(HabitsTest, AFlagIsKnownWithItsValueAndAmongOthers) {
  EXPECT_THAT(SpellingOf("--status"), HasSubstr("gearctl status"));
  EXPECT_THAT(SpellingOf("--cancel-job=H:1"), HasSubstr("gearctl cancel"));
  EXPECT_THAT(SpellingOf("-p4730"), HasSubstr("--server HOST:PORT"));
  EXPECT_THAT(SpellingOf("-bI"),
              AllOf(HasSubstr("--background"), HasSubstr("--priority high")));
  // The rest of the word is the value of -f.
  EXPECT_THAT(SpellingOf("-bfI"),
              AllOf(HasSubstr("gearctl submit TASK"), Not(HasSubstr("high"))));
  for (const char* other : {"", "-", "--", "status", "-x", "-bx", "--json"}) {
    EXPECT_THAT(SpellingOf(other), IsEmpty()) << other;
  }
}

// A command line is refused before anything is done, and nothing is printed
// that a script would take for an answer.
void ExpectRefused(std::vector<std::string> arguments,
                   const std::vector<std::string>& spellings) {
  SCOPED_TRACE(::testing::PrintToString(arguments));
  const ProgramResult run = Gearctl(std::move(arguments), "payload");
  EXPECT_EQ(run.status.code, 2);
  EXPECT_THAT(run.output, IsEmpty());
  for (const std::string& spelling : spellings) {
    EXPECT_THAT(run.error_output, HasSubstr(spelling));
  }
}

TEST(HabitsTest, EachIsRefusedWithTheRightSpellingWhereItIsTyped) {
  for (const Habit& habit : Habits()) {
    const std::string here(habit.here);
    std::vector<std::string> typed = {std::string(habit.flag)};
    if (!habit.value.empty()) typed.push_back("value");
    ExpectRefused(typed, {here});
    // No subcommand takes one of them in another meaning.
    for (const char* subcommand : {"submit", "work", "status", "jobs"}) {
      std::vector<std::string> words = {subcommand, "t"};
      words.insert(words.end(), typed.begin(), typed.end());
      ExpectRefused(std::move(words), {here});
    }
  }
}

TEST(HabitsTest, WholeCommandsAreRefusedWithEachSpelling) {
  struct Case {
    std::string typed;
    std::vector<std::string> spellings;
  };
  for (const Case& c : std::vector<Case>{
           {"-f reverse hello", {"gearctl submit TASK"}},
           {"-h localhost -p 4730 -f t -b -u key x",
            {"--server HOST", "--server HOST:PORT", "gearctl submit TASK",
             "--background", "--unique KEY"}},
           {"-w -f t -- wc -l", {"gearctl work TASK -- COMMAND"}},
           {"-w -f t -c 3 wc", {"gearctl work TASK", "--count N"}},
           {"-H", {"gearctl help"}},
           {"--status -h localhost -p 4730", {"gearctl status", "--server"}},
           {"--status --host=localhost", {"gearctl status", "--server HOST"}},
           {"-h localhost --workers", {"gearctl workers"}},
           {"--getpid", {"gearctl version"}},
           {"getpid", {"gearctl version"}},
           {"show-jobs", {"gearctl jobs"}},
           {"cancel-job H:1", {"gearctl cancel HANDLE"}},
           {"--shutdown", {"gearctl shutdown"}},
           {"submit -f t", {"gearctl submit TASK"}},
           {"submit t hello", {"--data TEXT"}},
           {"submit t -n", {"--lines"}},
           {"work t cat", {"-- COMMAND is missing"}},
           {"status -h localhost", {"--server HOST"}},
           {"workers -p 4730", {"--server HOST:PORT"}},
       }) {
    ExpectRefused(absl::StrSplit(c.typed, ' '), c.spellings);
  }
}

TEST(HabitsTest, HelpStaysHelp) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"-h"},
                                             {"--help"},
                                             {"help"},
                                             {"-h", "submit"},
                                             {"submit", "-h"},
                                             {"submit", "t", "--help"},
                                             {"help", "submit"}}) {
    const ProgramResult run = Gearctl(arguments);
    EXPECT_EQ(run.status.code, 0);
    EXPECT_THAT(run.output, HasSubstr("Usage: gearctl "));
    EXPECT_THAT(run.error_output, IsEmpty());
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
