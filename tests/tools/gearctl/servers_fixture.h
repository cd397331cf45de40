// ServersTest: gearctl beside gearmand (the parameter is true) and beside
// `gearctl server` (false).
#ifndef GEARMAN_TESTS_TOOLS_GEARCTL_SERVERS_FIXTURE_H_
#define GEARMAN_TESTS_TOOLS_GEARCTL_SERVERS_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {

class ServersTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      gearmand_ = std::make_unique<support::GearmandProcess>();
      ASSERT_TRUE(gearmand_->ok());
      server_ = gearmand_->address();
    } else {
      embedded_ = std::make_unique<ServerProcess>();
      server_ = embedded_->address();
    }
  }

  ProgramResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server_});
    return Gearctl(std::move(arguments));
  }
  // A background job that waits; its handle.
  std::string Queue(const std::string& task) {
    const std::string output = Run({"submit", task, "--background"}).output;
    const std::vector<std::string> fields = absl::StrSplit(output, '|');
    EXPECT_EQ(fields.size(), 3u) << output;
    return fields.size() == 3 ? fields[1] : "";
  }

  std::unique_ptr<support::GearmandProcess> gearmand_;
  std::unique_ptr<ServerProcess> embedded_;
  std::string server_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TESTS_TOOLS_GEARCTL_SERVERS_FIXTURE_H_
