// The example of a service, deployed as docs/guide/getting_started.md says.
#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/http_get.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

class ServiceExample : public ::testing::Test {
 protected:
  ServiceExample() {
    EXPECT_TRUE(gearmand_.ok());
    // The example's own config, with another port for Prometheus. The servers
    // come from the environment.
    const auto shown = source_.Read("service.textproto");
    EXPECT_TRUE(shown.ok()) << shown.status();
    const std::string content = absl::StrReplaceAll(
        *shown, {{":9464", absl::StrCat(":", metrics_.port())}});
    EXPECT_NE(content, *shown);
    config_ = folder_.Write("service.textproto", content);
  }

  support::SubprocessOptions Options(std::vector<std::string> arguments,
                                     const std::string& servers) {
    support::SubprocessOptions options;
    options.argv = {"env", absl::StrCat("GEARMAN_SERVERS=", servers),
                    "examples/service/service"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return options;
  }

  // Reads the example's files.
  struct Source {
    absl::StatusOr<std::string> Read(const std::string& name) const {
      support::SubprocessOptions options;
      options.argv = {"cat", absl::StrCat("examples/service/", name)};
      auto result = support::RunProgram(std::move(options));
      if (!result.ok()) return result.status();
      return result->output;
    }
  };

  Source source_;
  support::GearmandProcess gearmand_;
  support::ReservedPort metrics_;
  support::TestDirectory folder_;
  std::string config_;
};

TEST_F(ServiceExample, WorksIsScrapedAndEndsOrderly) {
  auto service =
      support::Subprocess::Start(Options({config_}, gearmand_.address()));
  ASSERT_TRUE(service.ok()) << service.status();
  ClientOptions options;
  options.servers = {gearmand_.address()};
  options.timeout = support::kBound;
  const auto client = Client::Create(std::move(options));
  ASSERT_TRUE(client.ok()) << client.status();
  const auto result = (*client)->Run("count_lines", "one\ntwo\n");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "2");

  // A worker may count a job when its answer has left.
  EXPECT_TRUE(support::WaitFor([this] {
    const auto scraped = support::HttpGet(metrics_.port(), "/metrics");
    return scraped.ok() &&
           absl::StrContains(scraped->body,
                             "gearman_worker_jobs_processed_total{"
                             "task=\"count_lines\",outcome=\"complete\"} 1");
  }));

  // A health check runs beside it.
  const auto check =
      support::RunProgram(Options({"--check", config_}, gearmand_.address()));
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->status.ok()) << check->error_output;

  (*service)->Signal(SIGTERM);
  const auto ended = (*service)->Wait();
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_TRUE(ended->ok()) << (*service)->error_output();
}

TEST_F(ServiceExample, ChecksItsConfigAndItsServers) {
  const auto up =
      support::RunProgram(Options({"--check", config_}, gearmand_.address()));
  ASSERT_TRUE(up.ok()) << up.status();
  EXPECT_TRUE(up->status.ok()) << up->error_output;
  EXPECT_THAT(up->output, HasSubstr(absl::StrCat(gearmand_.address(), " up")));

  const support::ReservedPort nobody;
  const auto down = support::RunProgram(
      Options({"--check", config_}, absl::StrCat("127.0.0.1:", nobody.port())));
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_EQ(down->status.code, 1);
  EXPECT_THAT(down->error_output, HasSubstr("no server can be reached"));

  const std::string wrong = folder_.Write("wrong.textproto", "worker { a: 1 }");
  const auto refused =
      support::RunProgram(Options({"--check", wrong}, gearmand_.address()));
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->status.code, 1);
  EXPECT_THAT(refused->error_output, HasSubstr("unknown field \"a\""));
}

}  // namespace
}  // namespace gearman
