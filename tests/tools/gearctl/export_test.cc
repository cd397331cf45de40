// gearctl export, scraped over a real socket.
#include <signal.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/http_get.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using support::GearmandProcess;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// `gearctl export` on a free port.
class ExportProcess {
 public:
  explicit ExportProcess(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"export", "--listen", "127.0.0.1:0",
                                         "--interval", "20ms"});
    process_ = StartGearctl(std::move(arguments));
    const absl::Status listens = process_->WaitForOutput("/metrics\n");
    EXPECT_TRUE(listens.ok()) << listens;
    const std::string url = process_->output();
    absl::string_view port = url;
    EXPECT_TRUE(absl::ConsumePrefix(&port, "http://127.0.0.1:")) << url;
    EXPECT_TRUE(absl::ConsumeSuffix(&port, "/metrics\n")) << url;
    int number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(port, &number)) << url;
    port_ = static_cast<uint16_t>(number);
  }

  uint16_t port() const { return port_; }
  Subprocess& process() { return *process_; }
  std::string Scrape() const {
    const auto answer = support::HttpGet(port_, "/metrics");
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->body : "";
  }
  // Waits until a scrape has this line.
  bool WaitForLine(const std::string& line) const {
    return support::WaitFor([&] {
      return absl::StrContains(absl::StrCat("\n", Scrape()),
                               absl::StrCat("\n", line, "\n"));
    });
  }

 private:
  std::unique_ptr<Subprocess> process_;
  uint16_t port_ = 0;
};

void Queue(const std::string& task, const GearmandProcess& server) {
  EXPECT_EQ(Gearctl({"submit", task, "--background", "--data", "x", "--server",
                     server.address()})
                .status.code,
            0);
}

TEST(ExportTest, EachScrapeHasTheQueuesOfEveryServer) {
  GearmandProcess first;
  GearmandProcess second;
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());
  Queue("resize", first);
  Queue("build", second);
  ExportProcess exporter(
      {"--server", absl::StrCat(first.address(), ",", second.address())});
  const std::string resize = absl::StrCat(
      "gearman_jobs{task=\"resize\","
      "server=\"",
      first.address(), "\"} ");
  EXPECT_TRUE(exporter.WaitForLine(resize + "1"));
  EXPECT_TRUE(exporter.WaitForLine(absl::StrCat(
      "gearman_jobs{task=\"build\",server=\"", second.address(), "\"} 1")));
  Queue("resize", first);
  EXPECT_TRUE(exporter.WaitForLine(resize + "2"));
  const std::string up =
      absl::StrCat("gearman_server_up{server=\"", second.address(), "\"} ");
  EXPECT_TRUE(exporter.WaitForLine(up + "1"));
  second.Kill();
  EXPECT_TRUE(exporter.WaitForLine(up + "0"));
  const absl::Status told =
      exporter.process().WaitForErrorOutput("no queue sizes: ");
  EXPECT_TRUE(told.ok()) << told;
  EXPECT_THAT(exporter.process().error_output(), HasSubstr(second.address()));
}

TEST(ExportTest, AServerThatHangsDelaysNoOther) {
  const support::RawListener first;
  const support::RawListener second;
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  Queue("build", server);
  ExportProcess exporter({"--timeout", "1h", "--server",
                          absl::StrCat(first.address(), ",", second.address(),
                                       ",", server.address())});
  const std::string build = absl::StrCat(
      "gearman_jobs{task=\"build\",server=\"", server.address(), "\"} ");
  EXPECT_TRUE(exporter.WaitForLine(build + "1"));
  Queue("build", server);
  EXPECT_TRUE(exporter.WaitForLine(build + "2"));
  server.Kill();
  EXPECT_TRUE(exporter.WaitForLine(
      absl::StrCat("gearman_server_up{server=\"", server.address(), "\"} 0")));
}

TEST(ExportTest, ASignalEndsItAndClosesThePort) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  for (const int signal : {SIGINT, SIGTERM}) {
    ExportProcess exporter({"--server", server.address()});
    exporter.process().Signal(signal);
    const auto end = exporter.process().Wait();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_EQ(end->code, 0);
    EXPECT_FALSE(support::HttpGet(exporter.port(), "/metrics").ok());
  }
}

TEST(ExportTest, APortThatIsTakenIsAnErrorThatNamesIt) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  ExportProcess exporter({"--server", server.address()});
  const std::string address = absl::StrCat("127.0.0.1:", exporter.port());
  const ProgramResult run =
      Gearctl({"export", "--listen", address, "--server", server.address()});
  EXPECT_EQ(run.status.code, 3);
  EXPECT_THAT(run.error_output,
              AllOf(HasSubstr(address),
                    HasSubstr("another process listens there already")));
  EXPECT_EQ(run.output, "");
}

TEST(ExportTest, AnAddressThatCantBeRightIsAnError) {
  for (const char* const address : {"jobs", "127.0.0.1:70000", ":9464"}) {
    const ProgramResult run =
        Gearctl({"export", "--listen", address, "--server", "127.0.0.1"});
    EXPECT_EQ(run.status.code, 2) << address;
    EXPECT_THAT(run.error_output,
                AllOf(HasSubstr("listen"), HasSubstr(address)));
  }
}

TEST(ExportTest, AServerMustHaveALimitOfTime) {
  const ProgramResult run =
      Gearctl({"export", "--timeout", "inf", "--server", "127.0.0.1"});
  EXPECT_EQ(run.status.code, 2);
  EXPECT_THAT(run.error_output,
              AllOf(HasSubstr("--timeout inf"), HasSubstr("such as 2s")));
}

TEST(ExportTest, TheUrlInJsonIsAnObject) {
  const support::ReservedPort port;
  const auto process =
      StartGearctl({"export", "--listen", "127.0.0.1:0,localhost:0", "--json",
                    "--server", absl::StrCat("127.0.0.1:", port.port())});
  const absl::Status listens = process->WaitForOutput("localhost");
  ASSERT_TRUE(listens.ok()) << listens;
  ASSERT_TRUE(process->WaitForOutput("}\n{\"url\"").ok());
  process->Signal(SIGTERM);
  EXPECT_EQ(process->Wait()->code, 0);
  EXPECT_THAT(
      process->output(),
      MatchesRegex("\\{\"url\":\"http://127.0.0.1:[0-9]+/metrics\"\\}\n"
                   "\\{\"url\":\"http://localhost:[0-9]+/metrics\"\\}\n"));
}

TEST(ExportTest, TheConfigsServersAndLimitsCountAndItsSinksDoNot) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  Queue("resize", server);
  Queue("build", server);
  const support::ReservedPort port;
  const support::TestDirectory directory;
  ExportProcess exporter(
      {"--config",
       directory.Write(
           "config.textproto",
           absl::StrCat("servers: \"", server.address(),
                        "\" queue_metrics { max_tasks: 1 } metrics { "
                        "prometheus { listen: \"127.0.0.1:",
                        port.port(), "\" } }"))});
  EXPECT_TRUE(exporter.WaitForLine(absl::StrCat(
      "gearman_jobs{task=\"other\",server=\"", server.address(), "\"} 1")));
  EXPECT_FALSE(support::HttpGet(port.port(), "/metrics").ok());
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
