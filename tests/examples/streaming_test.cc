// The example of bodies and pieces, run as its users run it.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

support::ProgramResult RunExample(const std::vector<std::string>& arguments) {
  support::SubprocessOptions options;
  options.argv = {"examples/streaming/streaming"};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  const auto result = support::RunProgram(std::move(options));
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(support::ProgramResult());
}

TEST(StreamingExample, PrintsAFileThatCameThroughAJobServer) {
  const support::TestDirectory directory;
  const std::string content = gearman::testing::PatternBytes(0, 5 << 20);
  const std::string path = directory.Write("file", content);
  const support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{path},
        std::vector<std::string>{path, gearmand.address()}}) {
    const support::ProgramResult result = RunExample(arguments);
    EXPECT_TRUE(result.status.ok()) << result.error_output;
    EXPECT_TRUE(result.output == content) << result.output.size();
  }
}

TEST(StreamingExample, SaysThatThereIsNoFile) {
  const support::ProgramResult result = RunExample({"/no/such/file"});
  EXPECT_EQ(result.status.code, 1);
  EXPECT_THAT(result.error_output, HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace gearman
