// The pages of the examples: the test runs each command of a page, in the order
// of the page, as a reader would, and compares the output with the one that the
// page shows. Commands and output are the blocks marked `console`; a line that
// begins with "$ " is a command.
//
// Ports, handles, uniques and times differ from run to run. A page shows those
// of one run.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

struct Step {
  std::string command;
  std::string shown;
};

// Stands before the exit code of a step in the output of the script.
constexpr char kMark[] = "---- exit code ";

// Replaces the parts that differ from run to run: a script of sed.
constexpr char kSame[] =
    "s/[0-9]{4}-[0-9]{2}-[0-9]{2}T/DATE/g\n"
    "s/[0-9]{2}:[0-9]{2}:[0-9]{2}/TIME/g\n"
    "s/H:[^:| ]+:[0-9]+/HANDLE/g\n"
    "s/[0-9a-f]{32}/UNIQUE/g\n"
    "s/[0-9]+ of 1000/STEP of 1000/\n"
    "s/[0-9.]+ s, /TIME, /\n"
    "s/[0-9]+ jobs\\/s/SPEED/\n"
    "s/answered in [0-9.]+[mu]?s/answered in TIME/\n"
    "s/TIME[.0-9]*[+-][0-9:]+/TIME/g\n";

std::string Output(std::vector<std::string> argv, std::string input = "") {
  support::SubprocessOptions options;
  options.argv = std::move(argv);
  options.input = std::move(input);
  const auto result = support::RunProgram(std::move(options));
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return "";
  EXPECT_TRUE(result->status.ok()) << result->status.ToString() << "\n"
                                   << result->output << result->error_output;
  return result->output;
}

std::string WithoutDifferences(absl::string_view text) {
  return Output({"sed", "-E", kSame}, absl::StrCat(text, "\n"));
}

std::vector<Step> StepsOf(absl::string_view page) {
  std::vector<Step> steps;
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    if (absl::StartsWith(line, "```")) {
      inside = line == "```console";
    } else if (inside && absl::ConsumePrefix(&line, "$ ")) {
      steps.push_back({std::string(line), ""});
    } else if (inside && !steps.empty()) {
      absl::StrAppend(&steps.back().shown, line, "\n");
    }
  }
  return steps;
}

// One shell does all steps, so that variables and background jobs live on.
std::string ScriptOf(const std::vector<Step>& steps) {
  std::string script;
  for (const Step& step : steps) {
    absl::string_view command = step.command;
    // The output of a background job would come anywhere, so it is thrown away.
    if (absl::ConsumeSuffix(&command, "&")) {
      absl::StrAppend(&script, ">/dev/null 2>&1 ", command, "&\n");
    } else {
      absl::StrAppend(&script, "{ ", command, "\n} 2>&1 </dev/null\n");
    }
    absl::StrAppend(&script, "printf '\\n", kMark, "%d\\n' $?\n");
  }
  return script;
}

class ExamplePage : public ::testing::TestWithParam<const char*> {
 protected:
  // One gearmand for all pages, because it takes half a second to start.
  static void SetUpTestSuite() { gearmand_ = new support::GearmandProcess; }
  static void TearDownTestSuite() {
    delete gearmand_;
    gearmand_ = nullptr;
  }

  ExamplePage() {
    const std::string name = GetParam();
    // The folder of a checkout in which everything is built. Ports in configs
    // are the test's.
    Output({"bash", "-ec", R"(
        mkdir -p "$1/.bazel" "$1/$2"
        ln -s "$PWD" "$1/.bazel/bin"
        for file in "$2"/*; do
          case $file in
            *.textproto) sed "$3" "$file" >"$1/$file" ;;
            *) ln -s "$PWD/$file" "$1/$file" ;;
          esac
        done)",
            "bash", folder_.path(), absl::StrCat("examples/", name),
            absl::StrCat("s/:4730/:", gearmand_->port(), "/;s/:4731/:",
                         other_.port(), "/;s/:9464/:", metrics_.port(), "/")});
  }

  std::string ToTestPorts(absl::string_view text) const {
    return absl::StrReplaceAll(text, {{"4730", absl::StrCat(gearmand_->port())},
                                      {"4731", absl::StrCat(other_.port())}});
  }
  std::string ToPagePorts(absl::string_view text) const {
    return absl::StrReplaceAll(text,
                               {{absl::StrCat(":", gearmand_->port()), ":4730"},
                                {absl::StrCat(":", other_.port()), ":4731"}});
  }

  static support::GearmandProcess* gearmand_;
  const support::ReservedPort other_;
  const support::ReservedPort metrics_;
  const support::TestDirectory folder_;
};

support::GearmandProcess* ExamplePage::gearmand_ = nullptr;

TEST_P(ExamplePage, ShowsWhatHappens) {
  ASSERT_TRUE(gearmand_->ok());
  const absl::StatusOr<std::string> page =
      folder_.Read(absl::StrCat("examples/", GetParam(), "/README.md"));
  ASSERT_TRUE(page.ok()) << page.status();
  const std::vector<Step> steps = StepsOf(*page);
  ASSERT_FALSE(steps.empty());

  support::SubprocessOptions options;
  options.argv = {"bash", "-c", ToTestPorts(ScriptOf(steps))};
  options.directory = folder_.path();
  const auto result = support::RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  const std::string output = ToPagePorts(result->output);
  absl::string_view rest = output;
  for (const Step& step : steps) {
    const std::pair<absl::string_view, absl::string_view> printed_and_more =
        absl::StrSplit(rest, absl::MaxSplits(absl::StrCat("\n", kMark), 1));
    const std::pair<absl::string_view, absl::string_view> code_and_more =
        absl::StrSplit(printed_and_more.second, absl::MaxSplits('\n', 1));
    rest = code_and_more.second;
    EXPECT_EQ(code_and_more.first, "0") << step.command;
    EXPECT_EQ(
        WithoutDifferences(absl::StripSuffix(printed_and_more.first, "\n")),
        WithoutDifferences(absl::StripSuffix(step.shown, "\n")))
        << step.command;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Examples, ExamplePage,
    ::testing::Values("background", "config", "delayed", "event_loop",
                      "gearmand", "in_flight", "metrics_sink", "migration",
                      "progress", "retry", "service", "streaming", "tls",
                      "tracing", "typed", "word_count"),
    [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace gearman
