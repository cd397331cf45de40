// The benchmark of floods itself, with tiny numbers: that it runs, against both
// servers. Its figures say nothing here.
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace benchmarks {
namespace {

using ::testing::ContainsRegex;

constexpr char kFlood[] = "benchmarks/flood/flood";
// p50 / p99 / max
constexpr char kFigures[] = "[0-9.]+ / [0-9.]+ / [0-9.]+";

std::string OutputOf(const std::string& only) {
  support::SubprocessOptions options;
  options.argv = {kFlood,
                  absl::StrCat("--only=", only),
                  "--rounds=1",
                  "--seconds=0.05",
                  "--scale=0.001",
                  "--connections=2",
                  "--set_up_seconds=100"};
  auto program = support::Subprocess::Start(std::move(options));
  EXPECT_TRUE(program.ok()) << program.status();
  const absl::StatusOr<support::ExitStatus> end =
      (*program)->Wait(absl::Seconds(280));
  EXPECT_TRUE(end.ok() && end->ok())
      << end.status() << (*program)->output() << (*program)->error_output();
  return (*program)->output();
}

class FloodTest : public testing::TestWithParam<std::string> {};

TEST_P(FloodTest, HasARowWithFiguresOfBothServers) {
  EXPECT_THAT(OutputOf(GetParam()),
              ContainsRegex(absl::StrCat("\\| ", GetParam(), " \\| 2 \\| ",
                                         kFigures, "[^|]* \\| ", kFigures)));
}

INSTANTIATE_TEST_SUITE_P(Kinds, FloodTest,
                         testing::Values("none", "grab", "drop, unknown",
                                         "status", "prioritystatus", "workers",
                                         "show jobs", "show unique jobs",
                                         "joined updates"),
                         [](const auto& info) {
                           std::string name;
                           for (const char c : info.param) {
                             if (c != ' ' && c != ',') name += c;
                           }
                           return name;
                         });

// Bounded floods have a number of jobs, and may be over before this process
// goes on.
TEST(BoundedFloodTest, HasARowOfBothServers) {
  const std::string cell =
      absl::StrCat("(", kFigures,
                   "[^|]*|the flood was over before the first "
                   "echo)");
  for (const std::string kind : {"submit", "drop, small"}) {
    EXPECT_THAT(OutputOf(kind),
                ContainsRegex(absl::StrCat("\\| ", kind, " \\| 2 \\| ", cell,
                                           " \\| ", cell, " \\|")));
  }
}

TEST(HandshakesTest, HasARowOfTheEmbeddedServerAlone) {
  EXPECT_THAT(OutputOf("handshakes"),
              ContainsRegex(absl::StrCat("\\| handshakes \\| 2 \\| ", kFigures,
                                         "[^|]* \\| - \\|")));
}

TEST(PoisonTest, HasARowOfEachServerWhoseOtherJobsAreAllDone) {
  const std::string table = OutputOf("poison");
  for (const char* const server : {"embedded server", "gearmand"}) {
    EXPECT_THAT(table, ContainsRegex(absl::StrCat(
                           "\\| ", server,
                           " \\| [1-9][0-9]* \\| [1-9][0-9]* \\| [0-9.]+ \\| "
                           "(met|missed: under 0.9) \\|")));
  }
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman
