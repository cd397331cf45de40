// The demo program, run as its users run it.
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::GearmandProcess;
using support::ProgramResult;
using support::RunProgram;
using support::Subprocess;
using support::SubprocessOptions;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kProgram[] = "examples/word_count/word_count";
constexpr char kInput[] = "/usr/share/common-licenses";

SubprocessOptions WordCount(std::vector<std::string> arguments) {
  SubprocessOptions options;
  options.argv = {kProgram};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  return options;
}

ProgramResult RunToEnd(SubprocessOptions options) {
  absl::StatusOr<ProgramResult> result = RunProgram(std::move(options));
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : ProgramResult();
}

// Counts with other programs: "count word" lines, most frequent first.
std::vector<std::string> IndependentCount(const std::string& paths) {
  SubprocessOptions options;
  options.argv = {
      "sh", "-c",
      absl::StrCat("export LC_ALL=C; find -L ", paths,
                   " -type f -exec cat {} + | tr -cs 'A-Za-z' '\\n' | "
                   "tr A-Z a-z | grep . | sort | uniq -c | "
                   "sort -k1,1nr -k2,2 | awk '{print $1, $2}'")};
  return absl::StrSplit(RunToEnd(std::move(options)).output, '\n',
                        absl::SkipEmpty());
}

// Returns these lines of the program's output, and its last line.
std::vector<std::string> Counted(const ProgramResult& result,
                                 std::string* summary) {
  std::vector<std::string> lines;
  for (absl::string_view line :
       absl::StrSplit(result.output, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    lines.push_back(absl::StrJoin(words, " "));
  }
  if (!lines.empty()) {
    *summary = lines.back();
    lines.pop_back();
  }
  return lines;
}

void ExpectRightTotals(const ProgramResult& result) {
  EXPECT_TRUE(result.status.ok()) << result.error_output;
  std::string summary;
  const std::vector<std::string> counted = Counted(result, &summary);
  const std::vector<std::string> expected = IndependentCount(kInput);
  EXPECT_EQ(counted, expected);
  int64_t words = 0;
  for (const std::string& line : expected) {
    int64_t count = 0;
    ASSERT_TRUE(absl::SimpleAtoi(
        std::vector<std::string>(absl::StrSplit(line, ' '))[0], &count));
    words += count;
  }
  EXPECT_THAT(summary, StartsWith(absl::StrCat(
                           words, " words (", expected.size(), " different)")));
  EXPECT_THAT(summary, HasSubstr(" 0 failed"));
  EXPECT_THAT(summary, HasSubstr("jobs/s"));
}

TEST(WordCountTest, ItsTotalsInProcessEqualAnIndependentCount) {
  ExpectRightTotals(
      RunToEnd(WordCount({"--top=0", "--chunk_bytes=1000", kInput})));
}

TEST(WordCountTest, ItsTotalsThroughGearmandEqualAnIndependentCount) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  ExpectRightTotals(
      RunToEnd(WordCount({"--top=0", "--server=" + server.address(), kInput})));
}

TEST(WordCountTest, MapReduceCountsTheSameInProcess) {
  ExpectRightTotals(RunToEnd(
      WordCount({"--top=0", "--reduce", "--chunk_bytes=1000", kInput})));
}

// The workers do the parts of their own maps, one thread each.
TEST(WordCountTest, MapReduceCountsTheSameThroughGearmand) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  const std::string address = "--server=" + server.address();
  absl::StatusOr<std::unique_ptr<Subprocess>> workers = Subprocess::Start(
      WordCount({address, "--worker", "--workers=2", "--chunk_bytes=1000"}));
  ASSERT_TRUE(workers.ok()) << workers.status();
  ASSERT_TRUE((*workers)->WaitForErrorOutput("working").ok());
  ExpectRightTotals(
      RunToEnd(WordCount({"--top=0", "--reduce", "--chunk_bytes=30", address,
                          "--client", kInput})));
}

TEST(WordCountTest, ItsTwoSidesRunAsSeparateProcesses) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  const std::string address = "--server=" + server.address();
  absl::StatusOr<std::unique_ptr<Subprocess>> worker =
      Subprocess::Start(WordCount({address, "--worker"}));
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE((*worker)->WaitForErrorOutput("working").ok());
  ExpectRightTotals(
      RunToEnd(WordCount({"--top=0", address, "--client", kInput})));
  (*worker)->Signal(SIGINT);
  const auto status = (*worker)->Wait();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->ok()) << status->ToString();
}

TEST(WordCountTest, ItShowsProgress) {
  const ProgramResult result = RunToEnd(WordCount({kInput}));
  EXPECT_THAT(result.error_output, HasSubstr("jobs done"));
}

TEST(WordCountTest, AFileThatCantBeReadIsNamedAndTheRestCounted) {
  const support::TestDirectory directory;
  std::ofstream(directory.path() + "/good") << "one two Two";
  const ProgramResult result = RunToEnd(
      WordCount({directory.path() + "/good", directory.path() + "/missing"}));
  EXPECT_EQ(result.status.code, 1);
  EXPECT_THAT(result.error_output, HasSubstr("/missing"));
  EXPECT_THAT(result.error_output, HasSubstr("cannot read"));
  EXPECT_THAT(result.output, HasSubstr("2 two"));
  EXPECT_THAT(result.output, HasSubstr("3 words (2 different) in 1 files"));
}

TEST(WordCountTest, AMissingServerIsNamed) {
  const support::ReservedPort port;
  const std::string address = absl::StrCat("tcp://127.0.0.1:", port.port());
  const ProgramResult result =
      RunToEnd(WordCount({"--server=" + address, "--client", kInput}));
  EXPECT_EQ(result.status.code, 3);
  EXPECT_THAT(result.error_output, HasSubstr(address));
  EXPECT_THAT(result.error_output, HasSubstr("refused"));
}

TEST(WordCountTest, CtrlCEndsItWithAClearAnswer) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  // No worker: it would wait for ever.
  absl::StatusOr<std::unique_ptr<Subprocess>> client = Subprocess::Start(
      WordCount({"--server=" + server.address(), "--client", kInput}));
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE((*client)->WaitForErrorOutput("jobs done").ok());
  (*client)->Signal(SIGINT);
  const auto status = (*client)->Wait();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->code, 130);
  EXPECT_THAT((*client)->error_output(), HasSubstr("interrupted"));
}

TEST(WordCountTest, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(RunToEnd(WordCount({"--worker", "--client"})).status.code, 2);
  EXPECT_EQ(RunToEnd(WordCount({"--worker"})).status.code, 2);
  EXPECT_EQ(RunToEnd(WordCount({"--server=gopher://x", kInput})).status.code,
            2);
}

TEST(HelloTest, PrintsTheReversedText) {
  SubprocessOptions options;
  options.argv = {"examples/hello"};
  const ProgramResult result = RunToEnd(std::move(options));
  EXPECT_TRUE(result.status.ok()) << result.error_output;
  EXPECT_EQ(result.output, "olleh\n");
}

TEST(HelloTest, SaysWhatIsWrong) {
  SubprocessOptions options;
  options.argv = {"examples/hello", "gopher://x"};
  const ProgramResult result = RunToEnd(std::move(options));
  EXPECT_EQ(result.status.code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.error_output, HasSubstr("gopher"));
}

TEST(HelloTest, TakesServersAsArguments) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  SubprocessOptions options;
  options.argv = {"examples/hello", server.address()};
  const ProgramResult result = RunToEnd(std::move(options));
  EXPECT_TRUE(result.status.ok()) << result.error_output;
  EXPECT_EQ(result.output, "olleh\n");
}

}  // namespace
}  // namespace gearman
