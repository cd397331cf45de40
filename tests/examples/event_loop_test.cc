// The example of an event loop, run as its users run it.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::UnorderedElementsAreArray;

void ExpectReversedLines(support::SubprocessOptions options) {
  std::vector<std::string> reversed;
  for (int i = 1000; i < 2000; ++i) {
    const std::string line = absl::StrCat(i);
    absl::StrAppend(&options.input, line, "\n");
    reversed.emplace_back(line.rbegin(), line.rend());
  }
  const auto result = support::RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->status.ok()) << result->error_output;
  const std::vector<std::string> lines =
      absl::StrSplit(result->output, '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, UnorderedElementsAreArray(reversed));
}

TEST(EventLoopExample, ReversesLinesWithTheEmbeddedServer) {
  support::SubprocessOptions options;
  options.argv = {"examples/event_loop/event_loop"};
  ExpectReversedLines(std::move(options));
}

TEST(EventLoopExample, TheLastLineNeedsNoLineFeed) {
  support::SubprocessOptions options;
  options.argv = {"examples/event_loop/event_loop"};
  options.input = "one\ntwo";
  const auto result = support::RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->status.ok()) << result->error_output;
  EXPECT_EQ(result->output, "eno\nowt\n");
}

TEST(EventLoopExample, ReversesLinesThroughGearmand) {
  const support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  support::SubprocessOptions options;
  options.argv = {"examples/event_loop/event_loop", gearmand.address()};
  ExpectReversedLines(std::move(options));
}

}  // namespace
}  // namespace gearman
