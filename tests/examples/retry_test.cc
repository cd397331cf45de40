// The example of jobs that are tried again, run as its users run it.
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

void ExpectDeadLetter(support::SubprocessOptions options) {
  const auto result = support::RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->status.ok()) << result->error_output;
  EXPECT_EQ(result->output,
            "attempt 1\nattempt 2\nattempt 3\ncat: NOT_FOUND: no image\n");
}

TEST(RetryExample, ReadsADeadLetterFromTheEmbeddedServer) {
  support::SubprocessOptions options;
  options.argv = {"examples/retry/retry"};
  ExpectDeadLetter(std::move(options));
}

TEST(RetryExample, ReadsADeadLetterFromGearmand) {
  const support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  support::SubprocessOptions options;
  options.argv = {"examples/retry/retry", gearmand.address()};
  ExpectDeadLetter(std::move(options));
}

}  // namespace
}  // namespace gearman
