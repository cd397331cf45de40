// gearctl on a pseudo-terminal, as a person has it: what is drawn, drawn again
// after a resize, and what Ctrl-C does.
#include <signal.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
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

constexpr char kCtrlC[] = "\x03";
constexpr char kErase[] = "\r\x1b[K";

class OnATerminalTest : public ::testing::Test {
 protected:
  OnATerminalTest() : worker_(server_.address()) {
    // Reports two steps, ends when it may.
    worker_.Register(
        "steps", [this](JobContext& context) -> absl::StatusOr<std::string> {
          context.SendStatus(1, 4).IgnoreError();
          halfway_.WaitForNotification();
          context.SendStatus(1, 2).IgnoreError();
          end_.WaitForNotification();
          context.SendWarning("almost").IgnoreError();
          return std::string("the result");
        });
    worker_.Start();
  }
  ~OnATerminalTest() override {
    if (!halfway_.HasBeenNotified()) halfway_.Notify();
    if (!end_.HasBeenNotified()) end_.Notify();
  }

  // 40 columns, 10 rows.
  std::unique_ptr<TerminalProcess> Start(std::vector<std::string> arguments) {
    std::vector<std::string> argv = {kGearctl, arguments[0], "--server",
                                     server_.address()};
    argv.insert(argv.end(), arguments.begin() + 1, arguments.end());
    return StartProgram(std::move(argv));
  }
  std::unique_ptr<TerminalProcess> StartProgram(std::vector<std::string> argv) {
    auto process = TerminalProcess::Start(std::move(argv), 40, 10);
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }
  ProgramResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server_.address()});
    return Gearctl(std::move(arguments));
  }

  ServerProcess server_;
  absl::Notification halfway_;
  absl::Notification end_;
  TestWorker worker_;
};

// Whether Expect was fulfilled, with what the terminal showed instead.
#define EXPECT_SHOWS(process, text) \
  EXPECT_EQ((process)->Expect(text), absl::OkStatus())

TEST_F(OnATerminalTest, ABarShowsAJobsProgress) {
  auto gearctl = Start({"submit", "steps", "--data", ""});
  EXPECT_SHOWS(gearctl, absl::StrCat(kErase, "[######                    ",
                                     "]  25% steps"));
  halfway_.Notify();
  EXPECT_SHOWS(gearctl, absl::StrCat(kErase, "[#############             ",
                                     "]  50% steps"));
  end_.Notify();
  // The bar goes before something else is written.
  EXPECT_SHOWS(gearctl, absl::StrCat(kErase, "warning: almost\r\n"));
  EXPECT_SHOWS(gearctl, "the result\r\n");
  EXPECT_EQ(gearctl->Wait()->code, 0);
}

TEST_F(OnATerminalTest, AResizeDrawsTheBarAgain) {
  auto gearctl = Start({"submit", "steps", "--data", ""});
  EXPECT_SHOWS(gearctl, "]  25% steps");
  gearctl->Resize(20, 10);
  EXPECT_SHOWS(gearctl, absl::StrCat(kErase, "[#     ]  25% steps"));
  gearctl->Resize(8, 10);
  EXPECT_SHOWS(gearctl, absl::StrCat(kErase, "  25% s"));
}

TEST_F(OnATerminalTest, WithoutATerminalForItThereIsNoBar) {
  halfway_.Notify();
  end_.Notify();
  const ProgramResult run = Run({"submit", "steps", "--data", ""});
  EXPECT_EQ(run.output, "the result");
  EXPECT_EQ(run.error_output, "warning: almost\n");
}

TEST_F(OnATerminalTest, CtrlCEndsTheWaitForAJob) {
  auto gearctl = Start({"submit", "steps", "--data", ""});
  EXPECT_SHOWS(gearctl, "]  25% steps");
  gearctl->Type(kCtrlC);
  EXPECT_SHOWS(gearctl, absl::StrCat(kErase, "gearctl: the job goes on"));
  EXPECT_EQ(gearctl->Wait()->code, 130);
}

TEST_F(OnATerminalTest, APayloadIsReadFromATerminalOnlyIfAskedFor) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"submit", "steps"},
                                             {"submit", "steps", "--lines"}}) {
    auto refused = Start(arguments);
    EXPECT_SHOWS(refused, "standard input is a terminal");
    EXPECT_EQ(refused->Wait()->code, 2);
  }
  auto worker = Start({"work", "echo", "--", "cat"});
  auto gearctl = Start({"submit", "echo", "-"});
  gearctl->Type("typed\n\x04");        // Ctrl-D
  EXPECT_SHOWS(gearctl, "typed\r\n");  // the terminal's echo
  EXPECT_SHOWS(gearctl, "typed\r\n");  // the result
  EXPECT_EQ(gearctl->Wait()->code, 0);
}

TEST_F(OnATerminalTest, CtrlCEndsTheReadingOfAPayload) {
  auto gearctl = StartProgram(
      {"sh", "-c",
       absl::StrCat("echo begin; exec ", kGearctl, " submit steps - --server ",
                    server_.address())});
  EXPECT_SHOWS(gearctl, "begin");
  gearctl->Type(kCtrlC);
  const auto end = gearctl->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->signal, SIGINT);
}

TEST_F(OnATerminalTest, CtrlCEndsTheReadingOfLines) {
  auto worker = Start({"work", "echo", "--", "cat"});
  auto gearctl = Start({"submit", "echo", "--lines", "-"});
  gearctl->Type("one\n");
  EXPECT_SHOWS(gearctl, "one\r\n");  // the terminal's echo
  EXPECT_SHOWS(gearctl, "one\r\n");  // the result
  gearctl->Type(kCtrlC);
  EXPECT_EQ(gearctl->Wait()->code, 130);
}

TEST_F(OnATerminalTest, CtrlCDrainsAWorker) {
  const support::TestDirectory directory;
  const std::string gate = directory.File("gate");
  auto worker =
      Start({"work", "wait", "--stream", "--", "sh", "-c",
             absl::StrCat("mkfifo ", gate, "; echo begun; cat ", gate)});
  EXPECT_SHOWS(worker, "works on wait");
  auto submit = StartGearctl(
      {"submit", "wait", "--data", "", "--server", server_.address()});
  ASSERT_TRUE(submit->WaitForOutput("begun\n").ok());
  worker->Type(kCtrlC);
  EXPECT_SHOWS(worker, "finishes what runs; interrupt again");
  std::ofstream(gate) << "done\n";
  EXPECT_EQ(worker->Wait()->code, 0);
  EXPECT_EQ(submit->Wait()->code, 0);
  EXPECT_EQ(submit->output(), "begun\ndone\n");
}

TEST_F(OnATerminalTest, CtrlCTwiceAbortsAWorker) {
  auto worker = Start({"work", "wait", "--stream", "--", "sh", "-c",
                       "echo begun; exec sleep 1000"});
  auto submit = StartGearctl(
      {"submit", "wait", "--data", "", "--server", server_.address()});
  ASSERT_TRUE(submit->WaitForOutput("begun\n").ok());
  worker->Type(kCtrlC);
  EXPECT_SHOWS(worker, "interrupt again");
  worker->Type(kCtrlC);
  EXPECT_EQ(worker->Wait()->code, 130);
}

TEST_F(OnATerminalTest, AWatchedTableIsAScreenThatIsGivenBack) {
  auto gearctl = Start({"status", "--watch", "--interval", "20ms"});
  EXPECT_SHOWS(gearctl, "\x1b[?1049h");  // another screen
  EXPECT_SHOWS(gearctl, "steps       0        0        1");
  Run({"submit", "queued", "--background"});
  EXPECT_SHOWS(gearctl, "queued       1        0        0");
  gearctl->Type(kCtrlC);
  EXPECT_SHOWS(gearctl, "\x1b[?1049l");  // the one before
  EXPECT_EQ(gearctl->Wait()->code, 0);
}

TEST_F(OnATerminalTest, AResizeDrawsAWatchedTableAgain) {
  // The task's row is there from the start, wherever the worker is by now.
  Run({"submit", "steps", "--background"});
  // Nothing but the resize draws it for a day.
  auto gearctl = Start({"status", "--watch", "--interval", "24h"});
  EXPECT_SHOWS(gearctl, "TASK   QUEUED  RUNNING  WORKERS  CHANGE/");
  gearctl->Resize(20, 3);
  EXPECT_SHOWS(gearctl, "TASK   QUEUED  RUNNI\x1b[K\x1b[J");
}

TEST_F(OnATerminalTest, AWatchedJobIsABarUntilItEnds) {
  const std::string id = Run({"submit", "steps", "--background"}).output;
  auto gearctl = Start(
      {"job", id.substr(0, id.size() - 1), "--watch", "--interval", "20ms"});
  EXPECT_SHOWS(gearctl, "25%");
  halfway_.Notify();
  EXPECT_SHOWS(gearctl, "50%");
  end_.Notify();
  EXPECT_SHOWS(gearctl, absl::StrCat(kErase, "ended\r\n"));
  EXPECT_EQ(gearctl->Wait()->code, 0);
}

TEST_F(OnATerminalTest, AHangUpEndsAWatch) {
  auto gearctl = Start({"status", "--watch", "--interval", "24h"});
  EXPECT_SHOWS(gearctl, "WORKERS");
  kill(gearctl->pid(), SIGHUP);
  EXPECT_EQ(gearctl->Wait()->code, 0);
}

// Returns the shell's status of a pipeline's first program.
std::string FirstOfPipeline(const std::string& command) {
  support::SubprocessOptions options;
  options.argv = {"bash", "-c", command + "; echo ${PIPESTATUS[0]} >&2"};
  const auto run = support::RunProgram(std::move(options));
  EXPECT_TRUE(run.ok()) << run.status();
  return run.ok() ? run->error_output : "";
}

TEST_F(OnATerminalTest, AClosedPipeEndsItQuietly) {
  EXPECT_EQ(FirstOfPipeline(absl::StrCat(kGearctl, " status --watch --json ",
                                         "--interval 10ms --server ",
                                         server_.address(), " | head -n 1")),
            "141\n");
  auto worker = Start({"work", "echo", "--stream", "--", "yes"});
  EXPECT_EQ(
      FirstOfPipeline(absl::StrCat(kGearctl, " submit echo --data x --server ",
                                   server_.address(), " | head -n 1")),
      "141\n");
}

TEST_F(OnATerminalTest, AClosedPipeEndsItWhereTheSignalIsIgnored) {
  EXPECT_EQ(
      FirstOfPipeline(absl::StrCat(
          "trap '' PIPE; ", kGearctl, " status --watch --json ",
          "--interval 10ms --server ", server_.address(), " | head -n 1")),
      "141\n");
}

TEST_F(OnATerminalTest, ClosedStandardOutputIsAnErrorNotASocket) {
  support::SubprocessOptions options;
  options.argv = {
      "sh", "-c",
      absl::StrCat(kGearctl, " ping --server ", server_.address(), " >&-")};
  const auto run = support::RunProgram(std::move(options));
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->status.code, 6);
  EXPECT_THAT(run->error_output, HasSubstr("standard output"));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
