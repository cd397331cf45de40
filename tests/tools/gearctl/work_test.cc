// gearctl work, against gearmand.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/failing_calls.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class WorkTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(gearmand_.ok()); }

  std::unique_ptr<Subprocess> Work(std::vector<std::string> arguments) {
    std::vector<std::string> all = {"work", "--server", gearmand_.address()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return StartGearctl(std::move(all));
  }
  ProgramResult Submit(std::vector<std::string> arguments,
                       std::string input = "") {
    std::vector<std::string> all = {"submit", "--server", gearmand_.address()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return Gearctl(std::move(all), std::move(input));
  }
  // Starts it by a shell that runs `command` first.
  static void UnderShell(const std::string& command,
                         support::SubprocessOptions* options) {
    std::vector<std::string> argv = {
        "sh", "-c", absl::StrCat(command, "; exec \"$@\""), "sh"};
    argv.insert(argv.end(), options->argv.begin(), options->argv.end());
    options->argv = std::move(argv);
  }
  std::unique_ptr<Subprocess> StartSubmit(std::vector<std::string> arguments) {
    std::vector<std::string> all = {"submit", "--server", gearmand_.address()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return StartGearctl(std::move(all));
  }

  support::GearmandProcess gearmand_;
};

TEST_F(WorkTest, TheCommandMakesTheResultOfThePayload) {
  auto worker = Work({"upper", "--", "tr", "a-z", "A-Z"});
  EXPECT_EQ(Submit({"upper", "--data", "hello"}).output, "HELLO");
  EXPECT_EQ(Submit({"upper"}).output, "");
  EXPECT_THAT(worker->output(), IsEmpty());
}

TEST_F(WorkTest, LargePayloadsBlockNeitherSide) {
  auto worker = Work({"upper", "--", "tr", "a-z", "A-Z"});
  const std::string payload(20 << 20, 'x');
  const ProgramResult run = Submit({"upper", "-"}, payload);
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_EQ(run.output, absl::AsciiStrToUpper(payload));
}

TEST_F(WorkTest, SeveralTasksAreToldApartByTheEnvironment) {
  auto worker = Work({"a", "b", "--", "sh", "-c",
                      "printf '%s %s %s' \"$GEARMAN_TASK\" \"$GEARMAN_UNIQUE\" "
                      "\"${GEARMAN_HANDLE%%:*}\""});
  EXPECT_EQ(Submit({"a", "--unique", "u"}).output, "a u H");
  EXPECT_EQ(Submit({"b", "--unique", "v"}).output, "b v H");
}

TEST_F(WorkTest, AnExitCodeFailsTheJobAndIsSaid) {
  auto worker = Work({"t", "--", "sh", "-c", "echo why >&2; exit 3"});
  EXPECT_EQ(Submit({"t"}).status.code, 1);
  EXPECT_TRUE(
      worker->WaitForErrorOutput("of t failed: sh ended with exit code 3")
          .ok());
  EXPECT_THAT(worker->error_output(), HasSubstr("why\n"));
}

TEST_F(WorkTest, StreamSendsOutputOnAsItComes) {
  const support::TestDirectory directory;
  const std::string gate = directory.File("gate");
  auto worker = Work({"t", "--stream", "--", "sh", "-c",
                      absl::StrCat("mkfifo ", gate, "; echo first; read x <",
                                   gate, "; echo second")});
  auto submit = StartSubmit({"t", "--data", ""});
  EXPECT_TRUE(submit->WaitForOutput("first\n").ok());
  std::ofstream(gate) << "go\n";
  EXPECT_EQ(submit->Wait()->code, 0);
  EXPECT_EQ(submit->output(), "first\nsecond\n");
}

TEST_F(WorkTest, ConcurrencyRunsJobsSideBySide) {
  const support::TestDirectory directory;
  // Each job ends when the other one has begun.
  auto worker = Work({"meet", "--concurrency", "2", "--", "sh", "-c",
                      absl::StrCat("cd ", directory.path(),
                                   "; read me; read other; echo >$other & "
                                   "read begun <$me; wait")});
  for (const char* name : {"a", "b"}) {
    ASSERT_EQ(mkfifo(directory.File(name).c_str(), 0600), 0);
  }
  auto a = StartSubmit({"meet", "--data", "a\nb\n"});
  EXPECT_EQ(Submit({"meet", "--data", "b\na\n"}).status.code, 0);
  EXPECT_EQ(a->Wait()->code, 0);
}

TEST_F(WorkTest, CountEndsItAfterSoManyJobs) {
  auto worker = Work({"t", "--count", "2", "--", "cat"});
  Submit({"t", "--background"});
  Submit({"t", "--background"});
  Submit({"t", "--background"});
  EXPECT_EQ(worker->Wait()->code, 0);
  EXPECT_THAT(
      Gearctl({"status", "t", "--json", "--server", gearmand_.address()})
          .output,
      HasSubstr("\"queued\":1,\"running\":0"));
}

TEST_F(WorkTest, AnInterruptLetsWhatRunsEnd) {
  const support::TestDirectory directory;
  const std::string gate = directory.File("gate");
  auto worker = Work({"t", "--stream", "--", "sh", "-c",
                      absl::StrCat("mkfifo ", gate, "; echo begun; read x <",
                                   gate, "; echo done")});
  auto submit = StartSubmit({"t", "--data", ""});
  ASSERT_TRUE(submit->WaitForOutput("begun").ok());
  worker->Signal(SIGINT);
  ASSERT_TRUE(worker->WaitForErrorOutput("finishes what runs").ok());
  std::ofstream(gate) << "go\n";
  EXPECT_EQ(worker->Wait()->code, 0);
  EXPECT_EQ(submit->Wait()->code, 0);
  EXPECT_EQ(submit->output(), "begun\ndone\n");
}

TEST_F(WorkTest, ASecondInterruptEndsTheCommandAndGivesTheJobBack) {
  auto worker =
      Work({"t", "--stream", "--", "sh", "-c", "echo begun; exec sleep 1000"});
  auto submit = StartSubmit({"t", "--data", ""});
  ASSERT_TRUE(submit->WaitForOutput("begun").ok());
  worker->Signal(SIGTERM);
  ASSERT_TRUE(worker->WaitForErrorOutput("finishes what runs").ok());
  worker->Signal(SIGTERM);
  EXPECT_EQ(worker->Wait()->code, 130);
  EXPECT_THAT(worker->error_output(),
              AllOf(HasSubstr("was given back to " + gearmand_.address()),
                    Not(HasSubstr("failed"))));
  // gearmand has still to see that the connection has ended.
  std::string jobs;
  EXPECT_TRUE(support::WaitFor([&] {
    jobs = Gearctl({"jobs", "--json", "--server", gearmand_.address()}).output;
    return absl::StrContains(jobs, "\"state\":\"queued\"");
  })) << jobs;
  EXPECT_THAT(jobs, HasSubstr("\"retries\":1"));
}

TEST_F(WorkTest, AJobThatIsLostWithItsServerHasNotFailed) {
  auto worker =
      Work({"t", "--stream", "--", "sh", "-c", "echo begun; exec sleep 1000"});
  auto submit = StartSubmit({"t", "--data", ""});
  ASSERT_TRUE(submit->WaitForOutput("begun").ok());
  gearmand_.Kill();
  const absl::Status said = worker->WaitForErrorOutput(
      absl::StrCat("was lost with the connection to ", gearmand_.address()));
  EXPECT_TRUE(said.ok()) << said;
  EXPECT_THAT(worker->error_output(), Not(HasSubstr("of t failed")));
}

TEST_F(WorkTest, ACommandsEndIsSeenWhereThereIsNoPidfd) {
  // An old kernel, a filter or a lack of descriptors causes such errors.
  for (const int error : support::CallErrors()) {
    support::SubprocessOptions options =
        GearctlOptions({"work", "--server", gearmand_.address(), "t", "--count",
                        "1", "--", "cat"});
    support::FailingCalls calls;
    calls.Fail({"pidfd_open", 1, error, /*and_later=*/true}, &options);
    const auto worker = Subprocess::Start(std::move(options));
    ASSERT_TRUE(worker.ok()) << worker.status();
    EXPECT_EQ(Submit({"t", "--data", "done"}).output, "done");
    EXPECT_EQ((*worker)->Wait()->code, 0) << std::strerror(error);
  }
}

TEST_F(WorkTest, AnExitCodeIsSeenWhereTheParentIgnoresChildren) {
  support::SubprocessOptions options =
      GearctlOptions({"work", "--server", gearmand_.address(), "t", "--count",
                      "1", "--", "false"});
  options.argv.insert(options.argv.begin(), {"env", "--ignore-signal=CHLD"});
  const auto worker = Subprocess::Start(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(Submit({"t"}).status.code, 1);
}

TEST_F(WorkTest, WhereTheSystemRefusesToStartCommandsNoJobIsLost) {
  support::SubprocessOptions options =
      GearctlOptions({"work", "--server", gearmand_.address(), "t",
                      "--concurrency", "20", "--", "cat"});
  std::vector<support::FailingCall> refused;
  for (uint64_t nth = 3; nth <= 20; nth += 3) {
    refused.push_back({"clone", nth, EAGAIN});
    refused.push_back({"pipe2", 5 * nth, ENFILE});
    refused.push_back({"eventfd", 2 * nth, ENOMEM});
  }
  support::FailingCalls calls;
  calls.FailEach(refused, &options);
  const auto worker = Subprocess::Start(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE((*worker)->WaitForErrorOutput("works on").ok());
  std::string lines;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&lines, i, "\n");
  const ProgramResult run = Submit({"t", "--lines", "-"}, lines);
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_EQ(run.output, lines);
  const absl::Status said = (*worker)->WaitForErrorOutput("can't run cat");
  EXPECT_TRUE(said.ok()) << said;
}

TEST_F(WorkTest, TheLimitOfDescriptorsIsRaisedAsFarAsItGoes) {
  support::SubprocessOptions options = GearctlOptions(
      {"work", "--server", gearmand_.address(), "t", "--concurrency", "30",
       "--count", "1", "--", "sh", "-c", "ulimit -n"});
  UnderShell("ulimit -S -n 40", &options);
  const auto worker = Subprocess::Start(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  int limit = 0;
  EXPECT_TRUE(absl::SimpleAtoi(Submit({"t"}).output, &limit));
  EXPECT_GT(limit, 5 * 30);
}

TEST_F(WorkTest, ACommandThatCantBeExecutedIsAnErrorAtOnce) {
  const support::TestDirectory directory;
  struct Case {
    std::string command;
    int code;
    std::string text;
  };
  for (const Case& c : std::vector<Case>{
           {"no-such-program", 5, "no-such-program"},
           {directory.path(), 2, "is a directory"},
           {directory.Write("script", "#!/bin/sh\n"), 2, "chmod +x"}}) {
    auto worker = Work({"t", "--", c.command});
    EXPECT_EQ(worker->Wait()->code, c.code) << c.command;
    EXPECT_THAT(worker->error_output(), HasSubstr(c.text));
  }
}

TEST_F(WorkTest, ACommandThatCantBeStartedAnyMoreFailsNoJob) {
  const support::TestDirectory directory;
  const std::string script =
      directory.Write("script", "#!/bin/sh\necho done\n");
  ASSERT_EQ(chmod(script.c_str(), 0700), 0);
  for (const char* concurrency : {"1", "3"}) {
    ASSERT_EQ(chmod(script.c_str(), 0700), 0);
    auto worker = Work({"t", "--concurrency", concurrency, "--", script});
    ASSERT_TRUE(worker->WaitForErrorOutput("works on").ok());
    ASSERT_EQ(chmod(script.c_str(), 0), 0);
    auto submit = StartSubmit({"t", "--data", ""});
    EXPECT_EQ(worker->Wait()->code, 6) << worker->error_output();
    EXPECT_THAT(worker->error_output(),
                AllOf(HasSubstr("can't run " + script),
                      HasSubstr("given back to their servers")));
    auto other = Work({"t", "--", "echo", "by another"});
    EXPECT_EQ(submit->Wait()->code, 0) << submit->error_output();
    EXPECT_EQ(submit->output(), "by another\n");
  }
}

TEST_F(WorkTest, ACommandEndsWithAWorkerThatIsKilled) {
  const support::TestDirectory directory;
  const std::string gate = directory.File("gate");
  ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
  for (const char* concurrency : {"1", "3"}) {
    const int pipe = open(gate.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ASSERT_GE(pipe, 0);
    // The shell, and a program that it waits for.
    auto worker = Work({"t", "--concurrency", concurrency, "--", "sh", "-c",
                        "exec 5>$0; echo >&5; sleep 1000; true", gate});
    Submit({"t", "--background", "--data", ""});
    pollfd ready{pipe, POLLIN, 0};
    const int bound =
        static_cast<int>(absl::ToInt64Milliseconds(support::kBound));
    ASSERT_EQ(poll(&ready, 1, bound), 1);
    char byte;
    ASSERT_EQ(read(pipe, &byte, 1), 1);
    // Not the group, in which no command is.
    worker->Signal(SIGKILL);
    // Readable: no process has the other end any more.
    ASSERT_EQ(poll(&ready, 1, bound), 1);
    EXPECT_NE(ready.revents & POLLHUP, 0);
    close(pipe);
    auto other = Work({"t", "--count", "1", "--", "true"});
    EXPECT_EQ(other->Wait()->code, 0);
  }
}

TEST_F(WorkTest, AScriptWithoutAnInterpreterIsTheShells) {
  const support::TestDirectory directory;
  const std::string script = directory.Write("script", "tr a-z A-Z\n");
  ASSERT_EQ(chmod(script.c_str(), 0700), 0);
  auto worker = Work({"t", "--", script});
  EXPECT_EQ(Submit({"t", "--data", "hello"}).output, "HELLO");
}

TEST_F(WorkTest, NumbersThatMakeNoSenseAreRefused) {
  for (const char* flag : {"--concurrency=0", "--concurrency=2147483648",
                           "--count=0", "--count=-1", "--count=many"}) {
    auto worker = Work({"t", flag, "--", "cat"});
    EXPECT_EQ(worker->Wait()->code, 2) << flag;
    EXPECT_THAT(worker->error_output(), HasSubstr("expected a whole number"));
  }
}

TEST_F(WorkTest, AConcurrencyOfOneCountsAgainstAConfig) {
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto", "worker { concurrency: 2 }");
  const std::string gate = directory.File("gate");
  ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
  auto worker =
      Work({"t", "--config", config, "--concurrency", "1", "--stream", "--",
            "sh", "-c", absl::StrCat("echo begun; read x <", gate)});
  auto first = StartSubmit({"t", "--data", ""});
  ASSERT_TRUE(first->WaitForOutput("begun").ok());
  Submit({"t", "--background", "--data", ""});
  EXPECT_THAT(
      Gearctl({"status", "t", "--json", "--server", gearmand_.address()})
          .output,
      HasSubstr("\"queued\":1,\"running\":1"));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
