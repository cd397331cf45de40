// The examples at a server where an earlier run has left jobs, as a run does
// that a Ctrl-C has ended.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

class LeftJobs : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(gearmand_.ok()); }
  // Two jobs of `task` wait at the server.
  void Leave(const std::string& task) {
    ClientOptions options;
    options.servers = {gearmand_.address()};
    const auto client = Client::Create(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    for (const char* const data : {"first", "second"}) {
      const absl::Status status =
          (*client)->Wait((*client)->SubmitBackgroundJob(task, data));
      ASSERT_TRUE(status.ok()) << status;
    }
  }
  std::string OutputOf(std::vector<std::string> argv) {
    support::SubprocessOptions options;
    options.argv = std::move(argv);
    options.argv.push_back(gearmand_.address());
    const auto result = support::RunProgram(std::move(options));
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return "";
    EXPECT_TRUE(result->status.ok())
        << result->status.ToString() << result->error_output;
    return result->output;
  }

  support::GearmandProcess gearmand_;
};

TEST_F(LeftJobs, DelayedWaitsForItsOwn) {
  Leave("remind");
  const std::string output = OutputOf({"examples/delayed/delayed", "1"});
  EXPECT_THAT(output, HasSubstr(" second\n"));
  EXPECT_THAT(output, HasSubstr(" tea is ready\nnot before its time\n"));
}

TEST_F(LeftJobs, RetryReadsEachDeadLetter) {
  Leave("resize-failed");
  OutputOf({"examples/retry/retry"});
}

}  // namespace
}  // namespace gearman
