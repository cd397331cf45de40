// gearctl with standard streams that are full, closed or odd terminals.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/terminal_process.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using support::TerminalProcess;
using ::testing::HasSubstr;
using ::testing::Not;

class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest() : worker_(server_.address()) {
    worker_.Register("upper", [](JobContext& context) {
      return absl::AsciiStrToUpper(context.job().data());
    });
    worker_.Register("steps",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       context.SendStatus(1, 4).IgnoreError();
                       context.SendData("some data\n").IgnoreError();
                       context.SendWarning("careful").IgnoreError();
                       context.SendStatus(5, 0).IgnoreError();
                       return std::string("the result");
                     });
    worker_.Start();
  }

  // Every subcommand that prints something and ends.
  std::vector<std::string> Commands() {
    const std::string id(absl::StripAsciiWhitespace(
        Gearctl({"submit", "queued", "--background", "--data", "", "--server",
                 server_.address()})
            .output));
    return {"help",
            "help submit",
            "--version",
            "man",
            "completion bash",
            "completion zsh",
            "submit upper --data x",
            "submit upper --data x --json",
            "submit steps --data x",
            "submit queued --data x --background",
            "submit upper --lines",
            "submit upper --lines --json",
            "submit upper --lines --null",
            "status",
            "status --json",
            "status --priorities",
            "status --watch --interval 10ms",
            "status --watch --interval 10ms --json",
            "workers",
            "workers --json",
            "jobs",
            "jobs --json",
            "jobs --uniques",
            absl::StrCat("job '", id, "'"),
            absl::StrCat("job --watch --interval 10ms '", id, "'"),
            "ping",
            "ping --count 3 --interval 10ms --json",
            "health",
            "health --json",
            "version",
            "server --listen 127.0.0.1:0",
            "bench --jobs 10",
            "bench --jobs 10 --json"};
  }
  // Runs gearctl in a shell that has run `before`, with some lines as its
  // standard input.
  ProgramResult Shell(const std::string& command,
                      const std::string& redirections,
                      const std::string& before = "true") {
    support::SubprocessOptions options = GearctlOptions({});
    options.argv = {"bash", "-c",
                    absl::StrCat(before, "; ", kGearctl, " ", command, " ",
                                 redirections, "; exit $?")};
    if (!absl::StartsWith(command, "server")) {
      options.environment["GEARMAN_SERVERS"] = server_.address();
    }
    options.input = "one\ntwo\nthree\n";
    absl::StatusOr<ProgramResult> run = support::RunProgram(std::move(options));
    EXPECT_TRUE(run.ok()) << command << run.status();
    return run.ok() ? *std::move(run) : ProgramResult();
  }

  ServerProcess server_;
  TestWorker worker_;
};

TEST_F(StreamsTest, AFullDeviceIsAnErrorOfEachSubcommand) {
  for (const std::string& command : Commands()) {
    const ProgramResult run = Shell(command, ">/dev/full");
    EXPECT_EQ(run.status.code, 6) << command << run.error_output;
    EXPECT_THAT(run.error_output,
                HasSubstr("standard output: No space left on device"))
        << command;
  }
}

TEST_F(StreamsTest, AClosedPipeEndsEachSubcommandQuietly) {
  const support::TestDirectory directory;
  const std::string pipe = directory.File("pipe");
  // Descriptor 4 is the end of a pipe whose reader has gone.
  const std::string before = absl::StrCat("mkfifo ", pipe, "; exec 3<>", pipe,
                                          " 4>", pipe, " 3<&-; rm ", pipe);
  for (const char* ignored : {"", "; trap '' PIPE"}) {
    for (const std::string& command : Commands()) {
      const ProgramResult run =
          Shell(command, ">&4", absl::StrCat(before, ignored));
      EXPECT_EQ(run.status.code, 141) << command << run.error_output;
      EXPECT_THAT(run.error_output, Not(HasSubstr("output"))) << command;
    }
  }
}

TEST_F(StreamsTest, ClosedStandardOutputIsAnErrorOfEachSubcommand) {
  for (const std::string& command : Commands()) {
    const ProgramResult run = Shell(command, ">&-");
    EXPECT_EQ(run.status.code, 6) << command << run.error_output;
    EXPECT_THAT(run.error_output, HasSubstr("standard output: ")) << command;
  }
}

TEST_F(StreamsTest, AClosedStandardErrorChangesNoExitCode) {
  struct Case {
    std::string command;
    int code;
    std::string output;
  };
  for (const Case& c : std::vector<Case>{
           {"submit upper --data x", 0, "X"},
           {"submit upper --lines", 0, "ONE\nTWO\nTHREE\n"},
           {"submit upper -b", 2, ""},
           {"job H:none:1", 5, ""},
           {"submit nobody --data x --timeout 50ms", 4, ""},
           {"submit steps --data x", 0, "some data\nthe result"}}) {
    const ProgramResult run = Shell(c.command, "2>&-");
    EXPECT_EQ(run.status.code, c.code) << c.command;
    EXPECT_EQ(run.output, c.output) << c.command;
  }
}

// On a terminal of one column and one row.
void RunOnATinyTerminal(std::vector<std::string> argv) {
  auto process = TerminalProcess::Start(std::move(argv), 1, 1);
  ASSERT_TRUE(process.ok()) << process.status();
  const auto end = (*process)->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 0) << (*process)->output();
}

TEST_F(StreamsTest, OneColumnAndNonsenseInTheEnvironmentHarmNothing) {
  for (const char* columns :
       {"COLUMNS=-5", "COLUMNS=99999999999999999999", "COLUMNS=x", "LINES=0"}) {
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{
             {"submit", "steps", "--data", "x"},
             {"status"},
             {"bench", "--jobs", "10"},
             {"jobs"}}) {
      std::vector<std::string> argv = {"env", columns, kGearctl};
      argv.insert(argv.end(), command.begin(), command.end());
      argv.insert(argv.end(), {"--server", server_.address()});
      RunOnATinyTerminal(std::move(argv));
    }
  }
}

TEST_F(StreamsTest, ADumbTerminalGetsNoControlSequences) {
  const auto start = [this](const std::string& command) {
    auto process = TerminalProcess::Start(
        {"sh", "-c",
         absl::StrCat("TERM=dumb GEARMAN_SERVERS=", server_.address(), " exec ",
                      kGearctl, " ", command)});
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  };
  auto submit = start("submit steps --data x");
  EXPECT_EQ(submit->Expect("the result"), absl::OkStatus());
  EXPECT_EQ(submit->Wait()->code, 0);
  EXPECT_THAT(submit->output(), Not(HasSubstr("\x1b")));
  auto status = start("status --watch --interval 10ms");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(status->Expect("CHANGE/S"), absl::OkStatus());
  }
  status->Type("\x03");
  EXPECT_EQ(status->Wait()->code, 0);
  EXPECT_THAT(status->output(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
