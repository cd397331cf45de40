// gearctl bench, against gearmand and against `gearctl server`.
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class BenchTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(gearmand_.ok()); }
  ProgramResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", gearmand_.address()});
    return Gearctl(std::move(arguments));
  }
  // No task, and so no job, is left at the server.
  void ExpectNothingLeft() { EXPECT_EQ(Run({"status", "--json"}).output, ""); }

  support::GearmandProcess gearmand_;
};

TEST_F(BenchTest, PrintsRatesPercentilesAndAPlot) {
  const ProgramResult run = Run({"bench", "--jobs", "2000"});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_THAT(
      run.output,
      AllOf(HasSubstr("JOBS  FAILED  SECONDS  JOBS/S  MB/S"),
            HasSubstr("2000       0"), HasSubstr("P99.9"), HasSubstr(" |#")));
  ExpectNothingLeft();
}

TEST_F(BenchTest, JsonHasEveryFigure) {
  EXPECT_THAT(Run({"bench", "--jobs", "500", "--json", "--size", "1000",
                   "--workers", "2"})
                  .output,
              AllOf(HasSubstr("\"size\":1000,\"in_flight\":100,\"rate\":0,"
                              "\"submitted\":500,\"succeeded\":500,"
                              "\"failed\":0,\"seconds\":"),
                    HasSubstr("\"jobs_per_second\":"), HasSubstr("\"p50_us\":"),
                    HasSubstr("\"p99_9_us\":"), HasSubstr("\"max_us\":")));
}

TEST_F(BenchTest, BackgroundJobsAreDoneBeforeItEnds) {
  const ProgramResult run = Run({"bench", "--jobs", "2000", "--background"});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  ExpectNothingLeft();
}

TEST_F(BenchTest, ARateSubmitsAtFixedTimes) {
  const ProgramResult run =
      Run({"bench", "--rate", "1000", "--jobs", "100", "--json"});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  // The last one is due after 99 ms, and not earlier.
  EXPECT_THAT(run.output, HasSubstr("\"rate\":1000,\"submitted\":100,"));
  const size_t at = run.output.find("\"seconds\":");
  ASSERT_NE(at, std::string::npos);
  EXPECT_GE(std::stod(run.output.substr(at + 10)), 0.099);
}

TEST_F(BenchTest, ADurationEndsIt) {
  const ProgramResult run = Run({"bench", "--duration", "50ms", "--json"});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_THAT(run.output, HasSubstr("\"failed\":0,"));
}

TEST_F(BenchTest, ATaskOfOthersIsMeasuredAndItsFailuresCounted) {
  TestWorker worker(gearmand_.address());
  worker.Register("t", [](JobContext&) -> absl::StatusOr<std::string> {
    return JobException("broken");
  });
  worker.Start();
  const ProgramResult run = Run({"bench", "t", "--jobs", "10"});
  EXPECT_EQ(run.status.code, 1);
  EXPECT_THAT(run.error_output,
              AllOf(HasSubstr("10 jobs failed"), HasSubstr("broken")));
}

TEST_F(BenchTest, AnInterruptEndsItWithWhatThereIs) {
  auto bench = StartGearctl(
      {"bench", "nobody", "--json", "--server", gearmand_.address()});
  auto status =
      StartGearctl({"status", "nobody", "--watch", "--interval", "10ms",
                    "--json", "--server", gearmand_.address()});
  ASSERT_TRUE(status->WaitForOutput("\"queued\":100").ok());
  bench->Signal(SIGINT);
  EXPECT_EQ(bench->Wait()->code, 130);
  EXPECT_THAT(bench->output(), HasSubstr("\"succeeded\":0,"));
}

TEST_F(BenchTest, APlotIsWrittenToAFile) {
  const support::TestDirectory directory;
  const ProgramResult run =
      Run({"bench", "--jobs", "100", "--svg", directory.File("plot.svg")});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_THAT(*directory.Read("plot.svg"),
              AllOf(StartsWith("<svg "), HasSubstr("100 jobs")));
  EXPECT_EQ(
      Run({"bench", "--jobs", "1", "--svg", "/no/such/folder/x"}).status.code,
      6);
}

// The mode of a program whose own calls do the network I/O.
TEST_F(BenchTest, TheDriveModeOfASharedConfigDoesNotCount) {
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto", "drive_mode: CALLER_ONLY");
  const ProgramResult bench =
      Run({"bench", "--jobs", "100", "--config", config});
  EXPECT_EQ(bench.status.code, 0) << bench.error_output;
  TestWorker worker(gearmand_.address());
  worker.Register("t", [](JobContext&) { return std::string("done"); });
  worker.Start();
  const ProgramResult submit =
      Run({"submit", "t", "--data", "x", "--config", config});
  EXPECT_EQ(submit.output, "done") << submit.error_output;
  const ProgramResult lines = Gearctl({"submit", "t", "--lines", "--config",
                                       config, "--server", gearmand_.address()},
                                      "x\n");
  EXPECT_EQ(lines.output, "done\n") << lines.error_output;
}

TEST_F(BenchTest, ItsTaskIsDroppedAlsoBehindAPrefix) {
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto", "task_prefix: \"staging/\"");
  const ProgramResult run = Run({"bench", "--jobs", "10", "--config", config});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  ExpectNothingLeft();
}

// Orders that come over the task of a config are for the program of the config.
TEST_F(BenchTest, ItsWorkersTakeNoOrders) {
  const support::TestDirectory directory;
  const std::string config = directory.Write(
      "config.textproto", "worker { control_task: \"control/host-1\" }");
  const ProgramResult run = Run({"bench", "--jobs", "10", "--config", config});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  ExpectNothingLeft();
}

// All payloads are equal, and a server would join their jobs.
TEST_F(BenchTest, JobsAreNotJoined) {
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto", "requests { unique_mode: PAYLOAD }");
  const ProgramResult run =
      Run({"bench", "--jobs", "1000", "--background", "--config", config});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  ExpectNothingLeft();
}

TEST_F(BenchTest, JobsWaitForRoomWhateverAConfigSays) {
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto",
                      "limits { max_requests_in_flight: 10 when_full: DROP }");
  for (const char* const flag : {"--rate=1000000", "--in-flight=50"}) {
    const ProgramResult run =
        Run({"bench", flag, "--jobs", "1000", "--config", config});
    EXPECT_EQ(run.status.code, 0) << flag << run.error_output;
  }
}

TEST_F(BenchTest, NumbersThatMakeNoSenseAreRefused) {
  for (const char* flag :
       {"--jobs=0", "--in-flight=0", "--rate=-1", "--rate=nan", "--size=-1",
        "--workers=0", "--duration=-1s", "--duration=inf", "--rate=inf",
        "--jobs=1000000000001", "--size=1073741825", "--in-flight=nan"}) {
    EXPECT_EQ(Run({"bench", flag}).status.code, 2) << flag;
  }
}

TEST(BenchEmbeddedTest, AnEmbeddedServerIsMeasuredToo) {
  ServerProcess server;
  const ProgramResult run =
      Gearctl({"bench", "--jobs", "500", "--server", server.address()});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
}

// A job that ends makes no room: the next one waits until others have left.
TEST(BenchEmbeddedTest, LargePayloadsWaitForRoomInTheOutput) {
  ServerProcess server;
  const support::TestDirectory directory;
  const std::string config = directory.Write(
      "config.textproto", "limits { max_output_bytes: 100000 }");
  const ProgramResult run = Gearctl(
      {"bench", "--size", "1000000", "--jobs", "200", "--in-flight", "50",
       "--json", "--config", config, "--server", server.address()});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_THAT(run.output,
              HasSubstr("\"submitted\":200,\"succeeded\":200,\"failed\":0"));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
