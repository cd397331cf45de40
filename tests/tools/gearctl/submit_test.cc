// gearctl submit, against gearmand and against `gearctl server`.
#include <signal.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

enum class ServerKind { kGearmand, kEmbedded };

class SubmitTest : public ::testing::TestWithParam<ServerKind> {
 protected:
  void SetUp() override {
    if (GetParam() == ServerKind::kGearmand) {
      gearmand_ = std::make_unique<support::GearmandProcess>();
      ASSERT_TRUE(gearmand_->ok());
      server_ = gearmand_->address();
    } else {
      embedded_ = std::make_unique<ServerProcess>();
      server_ = embedded_->address();
    }
    worker_ = std::make_unique<TestWorker>(server_);
    worker_->Register("upper", [](JobContext& context) {
      return absl::AsciiStrToUpper(context.job().data());
    });
    worker_->Register("talk",
                      [](JobContext& context) -> absl::StatusOr<std::string> {
                        context.SendData("first,").IgnoreError();
                        context.SendWarning("careful\x1b[2J").IgnoreError();
                        context.SendStatus(1, 2).IgnoreError();
                        context.SendData("second,").IgnoreError();
                        return std::string("end");
                      });
    worker_->Register("reducer",
                      [](JobContext& context) { return context.reducer(); });
    worker_->Register("feed", [](JobContext& context) {
      return absl::StrCat(context.job().data(), "\n");
    });
    worker_->Register("two-lines", [](JobContext& context) {
      return absl::StrCat(context.job().data(), "\n", context.job().data());
    });
    worker_->Register("data-lines",
                      [](JobContext& context) -> absl::StatusOr<std::string> {
                        context.SendData("first\n").IgnoreError();
                        return std::string("second");
                      });
    worker_->Register("data-fail",
                      [](JobContext& context) -> absl::StatusOr<std::string> {
                        context.SendData("first").IgnoreError();
                        return JobFailed();
                      });
    worker_->Register("nul",
                      [](JobContext&) { return std::string("a\0b", 3); });
    worker_->Register("fail", [](JobContext&) -> absl::StatusOr<std::string> {
      return JobFailed();
    });
    worker_->Register("raise", [](JobContext&) -> absl::StatusOr<std::string> {
      return JobException("no such image");
    });
    worker_->Register("odd",
                      [](JobContext& context) -> absl::StatusOr<std::string> {
                        const char last = context.job().data().back();
                        if ((last - '0') % 2 == 0) return JobFailed();
                        return std::string(context.job().data());
                      });
    worker_->Start();
  }
  void TearDown() override { worker_.reset(); }

  ProgramResult Submit(std::vector<std::string> arguments,
                       std::string input = "") {
    std::vector<std::string> all = {"submit", "--server", server_};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return Gearctl(std::move(all), std::move(input));
  }

  // Submits jobs that nobody does, and lets them time out when the server has
  // accepted them, which a busy machine may do late. `accepted` is printed for
  // each of them then.
  ProgramResult SubmitAndTimeOut(std::vector<std::string> arguments,
                                 const std::string& input,
                                 const std::string& accepted, size_t jobs) {
    arguments.insert(arguments.end(), {"--timeout", ""});
    for (absl::Duration limit = absl::Milliseconds(200);; limit *= 2) {
      arguments.back() = absl::FormatDuration(limit);
      ProgramResult run = Submit(arguments, input);
      const std::vector<std::string> parts =
          absl::StrSplit(run.output + run.error_output, accepted);
      if (parts.size() == jobs + 1 || limit > support::kBound) return run;
    }
  }

  // With redirections of a shell.
  ProgramResult Shell(const std::string& arguments,
                      const std::string& redirections) {
    support::SubprocessOptions options = GearctlOptions({});
    options.argv = {"sh", "-c",
                    absl::StrCat("exec ", kGearctl, " submit --server ",
                                 server_, " ", arguments, " ", redirections)};
    absl::StatusOr<ProgramResult> result =
        support::RunProgram(std::move(options));
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : ProgramResult();
  }

  std::unique_ptr<support::GearmandProcess> gearmand_;
  std::unique_ptr<ServerProcess> embedded_;
  std::string server_;
  std::unique_ptr<TestWorker> worker_;
};

INSTANTIATE_TEST_SUITE_P(Servers, SubmitTest,
                         ::testing::Values(ServerKind::kGearmand,
                                           ServerKind::kEmbedded),
                         [](const auto& kind) {
                           return kind.param == ServerKind::kGearmand
                                      ? "Gearmand"
                                      : "Embedded";
                         });

TEST_P(SubmitTest, PrintsTheResultAndNothingElse) {
  const ProgramResult run = Submit({"upper", "--data", "hello"});
  EXPECT_EQ(run.status.code, 0);
  EXPECT_EQ(run.output, "HELLO");
  EXPECT_THAT(run.error_output, IsEmpty());
}

TEST_P(SubmitTest, TakesThePayloadFromAFileOrStandardInput) {
  const support::TestDirectory directory;
  const std::string path = directory.Write("payload", "from a\nfile");
  EXPECT_EQ(Submit({"upper", "--file", path}).output, "FROM A\nFILE");
  EXPECT_EQ(Submit({"upper", "-"}, "from a pipe").output, "FROM A PIPE");
  EXPECT_EQ(Submit({"upper", "--file", "-"}, "the same").output, "THE SAME");
  EXPECT_EQ(Submit({"upper"}, "not asked for").output, "NOT ASKED FOR");
  EXPECT_EQ(Submit({"upper", "--data", "data"}, "not this").output, "DATA");
}

TEST_P(SubmitTest, NothingIsSentEmptyInSilence) {
  const ProgramResult asked = Submit({"upper", "--data", ""}, "not this");
  EXPECT_EQ(asked.status.code, 0);
  EXPECT_THAT(asked.output + asked.error_output, IsEmpty());
  const ProgramResult dash = Submit({"upper", "-"}, "");
  EXPECT_EQ(dash.status.code, 0);
  EXPECT_THAT(dash.output + dash.error_output, IsEmpty());
  const ProgramResult empty = Submit({"upper"}, "");
  EXPECT_EQ(empty.status.code, 0);
  EXPECT_THAT(empty.error_output, HasSubstr("standard input is empty"));
  for (const char* arguments :
       {"upper", "upper -", "upper --lines", "upper --file -"}) {
    const ProgramResult closed = Shell(arguments, "<&-");
    EXPECT_EQ(closed.status.code, 2) << arguments;
    EXPECT_THAT(closed.error_output, HasSubstr("standard input is closed"));
  }
  // Opened for writing only, as nohup does.
  EXPECT_THAT(Shell("upper", "0>/dev/null").error_output,
              HasSubstr("standard input is closed"));
  const ProgramResult directory = Shell("upper", "</");
  EXPECT_EQ(directory.status.code, 6);
  EXPECT_THAT(directory.error_output, HasSubstr("standard input: "));
}

TEST_P(SubmitTest, AnEmptyValueIsNotTakenForNone) {
  for (const char* flag : {"--file=", "--unique=", "--server=", "--config=",
                           "--epoch=", "--priority=", "--server=a,,b"}) {
    const ProgramResult run = Submit({"upper", flag}, "x");
    EXPECT_EQ(run.status.code, 2) << flag;
    EXPECT_THAT(run.error_output, HasSubstr("is empty")) << flag;
  }
}

TEST_P(SubmitTest, APayloadWithoutEndIsRefusedAtTheLimit) {
  for (const bool lines : {false, true}) {
    std::vector<std::string> arguments = {"upper", "--file", "/dev/zero"};
    if (lines) arguments.push_back("--lines");
    const ProgramResult run = Submit(std::move(arguments));
    EXPECT_EQ(run.status.code, 2) << run.error_output;
    EXPECT_THAT(run.error_output,
                AllOf(HasSubstr("/dev/zero"),
                      HasSubstr("is longer than 67108864 bytes")));
  }
}

TEST_P(SubmitTest, AConfigSetsTheLimitOfAPayload) {
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto", "limits { max_packet_bytes: 2000 }");
  EXPECT_EQ(
      Submit({"upper", "-", "--config", config}, std::string(100, 'x')).output,
      std::string(100, 'X'));
  const ProgramResult run =
      Submit({"upper", "-", "--config", config}, std::string(2001, 'x'));
  EXPECT_EQ(run.status.code, 2);
  EXPECT_THAT(run.error_output,
              AllOf(HasSubstr("standard input"), HasSubstr("2000 bytes")));
}

TEST_P(SubmitTest, ALineOverTheLimitEndsTheLinesBehindIt) {
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto", "limits { max_packet_bytes: 2000 }");
  const ProgramResult run =
      Submit({"upper", "--lines", "-", "--config", config},
             absl::StrCat("one\ntwo\n", std::string(2001, 'x'), "\nfour\n"));
  EXPECT_EQ(run.status.code, 2);
  EXPECT_EQ(run.output, "ONE\nTWO\n");
  EXPECT_THAT(run.error_output, HasSubstr("line 3 is longer than 2000 bytes"));
}

// A program may have no time to wait for room. gearctl has nothing else to do.
TEST_P(SubmitTest, LinesWaitForRoomWhateverAConfigSays) {
  const support::TestDirectory directory;
  for (const char* const when_full : {"BLOCK", "FAIL", "DROP"}) {
    const std::string config = directory.Write(
        "config.textproto",
        absl::StrCat("limits { max_requests_in_flight: 10 when_full: ",
                     when_full, " }"));
    std::string input;
    for (int line = 0; line < 500; ++line) absl::StrAppend(&input, line, "\n");
    const ProgramResult run =
        Submit({"upper", "--lines", "--config", config}, input);
    EXPECT_EQ(run.status.code, 0) << when_full << run.error_output;
    EXPECT_EQ(run.output, input) << when_full;
  }
}

TEST_P(SubmitTest, PrintsDataBeforeTheResultAndWarningsElsewhere) {
  const ProgramResult run = Submit({"talk", "--data", ""});
  EXPECT_EQ(run.status.code, 0);
  EXPECT_EQ(run.output, "first,second,end");
  EXPECT_EQ(run.error_output, "warning: careful\\x1b[2J\n");
}

TEST_P(SubmitTest, AFailedJobIsExitCodeOne) {
  const ProgramResult run = Submit({"fail"});
  EXPECT_EQ(run.status.code, 1);
  EXPECT_THAT(run.output, IsEmpty());
  EXPECT_THAT(run.error_output, HasSubstr("the job failed"));
}

TEST_P(SubmitTest, AnExceptionIsExitCodeOneWithItsText) {
  const ProgramResult run = Submit({"raise"});
  EXPECT_EQ(run.status.code, 1);
  EXPECT_THAT(run.error_output, HasSubstr("no such image"));
}

TEST_P(SubmitTest, ATimeoutIsExitCodeFour) {
  const ProgramResult run = Submit({"nobody", "--timeout", "50ms"});
  EXPECT_EQ(run.status.code, 4);
  // The message has the time that was asked for, and not the measured 50.46ms.
  EXPECT_THAT(run.error_output, HasSubstr(" within 50ms"));
}

// The id that an error output names: "... gearctl job 'ID'".
std::string IdIn(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '\'');
  EXPECT_EQ(parts.size(), 3u) << text;
  return parts.size() == 3 ? parts[1] : "";
}

TEST_P(SubmitTest, AJobThatTimedOutCanBeAskedFor) {
  const ProgramResult run =
      SubmitAndTimeOut({"nobody", "--data", "x", "--unique", "it's"}, "",
                       "the job goes on if a worker has it; to ask: ", 1);
  EXPECT_EQ(run.status.code, 4);
  EXPECT_THAT(run.output, IsEmpty());
  const std::string id = IdIn(
      run.error_output.substr(run.error_output.find("; to ask: gearctl job")));
  // The id names the server, so the message gives the command without a flag.
  const ProgramResult asked = Gearctl({"job", id});
  EXPECT_EQ(asked.output, "queued\n") << asked.error_output;
  EXPECT_EQ(Gearctl({"cancel", id}).status.code, 0);
  const ProgramResult json = SubmitAndTimeOut(
      {"nobody", "--data", "x", "--json"}, "", "\"handle\":", 1);
  EXPECT_EQ(json.status.code, 4);
  EXPECT_THAT(json.output, HasSubstr("\"id\":\"" + server_));
}

TEST_P(SubmitTest, EachLineThatTimedOutCanBeAskedFor) {
  const ProgramResult run =
      SubmitAndTimeOut({"nobody", "--lines"}, "a\nb\n",
                       "the job goes on if a worker has it; to ask: ", 2);
  EXPECT_EQ(run.status.code, 4);
  EXPECT_EQ(run.output, "\n\n");
  size_t ids = 0;
  for (const absl::string_view line : absl::StrSplit(run.error_output, '\n')) {
    if (!absl::StrContains(line, "gearctl job '")) continue;
    ++ids;
    EXPECT_EQ(
        Gearctl({"job", IdIn(std::string(line)), "--server", server_}).output,
        "queued\n");
  }
  EXPECT_EQ(ids, 2u) << run.error_output;
}

TEST_P(SubmitTest, JsonHoldsAllThatBecameOfTheJob) {
  EXPECT_THAT(Submit({"talk", "--json", "--unique", "u"}).output,
              AllOf(StartsWith("{\"task\":\"talk\",\"state\":\"complete\","
                               "\"background\":false,\"handle\":\"H:"),
                    HasSubstr("\"unique\":\"u\""),
                    HasSubstr("\"data\":[\"first,\",\"second,\"],"
                              "\"warnings\":[\"careful\\u001b[2J\"],"
                              "\"result\":\"end\"}\n")));
  const ProgramResult failed = Submit({"raise", "--json"});
  EXPECT_EQ(failed.status.code, 1);
  EXPECT_THAT(failed.output, HasSubstr("\"exception\":\"no such image\","
                                       "\"code\":\"ABORTED\""));
}

TEST_P(SubmitTest, ABackgroundJobIsAskedForByWhatIsPrinted) {
  const ProgramResult run = Submit({"nobody", "--background"});
  EXPECT_EQ(run.status.code, 0);
  const std::string id(absl::StripAsciiWhitespace(run.output));
  EXPECT_THAT(id, StartsWith(server_ + "|H:"));
  EXPECT_EQ(Gearctl({"job", id, "--server", server_}).output, "queued\n");
}

TEST_P(SubmitTest, AnEpochMakesItABackgroundJobThatWaits) {
  const ProgramResult run = Submit({"upper", "--epoch", "+1h"});
  EXPECT_EQ(run.status.code, 0);
  const std::string id(absl::StripAsciiWhitespace(run.output));
  EXPECT_EQ(Gearctl({"job", id, "--server", server_}).output, "queued\n");
}

TEST_P(SubmitTest, AReducerReachesTheWorkerOfTheJob) {
  const ProgramResult run =
      Submit({"reducer", "--data", "x", "--reducer", "count"});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_EQ(run.output, "count");
  EXPECT_EQ(Submit({"reducer", "--data", "x"}).output, "");
}

TEST_P(SubmitTest, APriorityReachesTheServersQueue) {
  Submit({"nobody", "--background", "--priority", "high"});
  EXPECT_THAT(Gearctl({"status", "nobody", "--priorities", "--json", "--server",
                       server_})
                  .output,
              HasSubstr("\"queued\":1,\"running\":0,\"workers\":0,\"high\":1,"
                        "\"normal\":0,\"low\":0}"));
}

TEST_P(SubmitTest, LinesAreJobsAndResultsComeInTheirOrder) {
  std::vector<std::string> lines;
  for (int i = 0; i < 5000; ++i) lines.push_back(absl::StrCat("line ", i));
  const std::string input = absl::StrJoin(lines, "\n") + "\n";
  const ProgramResult run = Submit({"upper", "--lines", "-"}, input);
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_EQ(run.output, absl::AsciiStrToUpper(input));
  EXPECT_THAT(run.error_output, IsEmpty());
}

TEST_P(SubmitTest, ALineThatFailsIsAnEmptyLineAndIsNamed) {
  const ProgramResult run = Submit({"odd", "--lines", "-"}, "1\n2\n3\n4\n5");
  EXPECT_EQ(run.status.code, 1);
  EXPECT_EQ(run.output, "1\n\n3\n\n5\n");
  EXPECT_THAT(run.error_output,
              AllOf(HasSubstr("line 2: "),
                    HasSubstr("1 more line failed as line 2 did: 4\n")));
}

TEST_P(SubmitTest, EqualFailuresOfLinesAreSaidOnce) {
  std::string input;
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&input, i, "\n");
  const ProgramResult run = Submit({"fail", "--lines"}, input);
  EXPECT_EQ(run.status.code, 1);
  EXPECT_EQ(run.output, std::string(2000, '\n'));
  EXPECT_THAT(
      run.error_output,
      AllOf(HasSubstr("line 1: "),
            HasSubstr("1999 more lines failed as line 1 did: 2-2000\n")));
  const std::vector<std::string> said = absl::StrSplit(run.error_output, '\n');
  EXPECT_EQ(said.size(), 3u) << run.error_output;
}

TEST_P(SubmitTest, EachResultOfLinesIsOneLine) {
  // The last line feed of a result is its line's end.
  const ProgramResult ended = Submit({"feed", "--lines"}, "a\nb\n");
  EXPECT_EQ(ended.status.code, 0);
  EXPECT_EQ(ended.output, "a\nb\n");
  // Another line feed would make two lines of a result.
  const ProgramResult broken = Submit({"two-lines", "--lines"}, "a\nb\nc\n");
  EXPECT_EQ(broken.status.code, 6);
  EXPECT_EQ(broken.output, "\n\n\n");
  EXPECT_THAT(broken.error_output,
              AllOf(HasSubstr("line 1: the result has line feeds"),
                    HasSubstr("--null or --json"), HasSubstr(": 2-3\n")));
  // Data before the result counts, too; what a job that fails has sent does
  // not stand for its result.
  EXPECT_EQ(Submit({"data-lines", "--lines"}, "a\n").output, "\n");
  EXPECT_EQ(Submit({"data-fail", "--lines"}, "a\n").output, "\n");
}

TEST_P(SubmitTest, NullEndsPayloadsAndResultsWithANul) {
  const std::string input("a\nb\0c\0", 6);
  const ProgramResult run = Submit({"two-lines", "--lines", "--null"}, input);
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_EQ(run.output, std::string("a\nb\na\nb\0c\nc\0", 12));
  const ProgramResult nul =
      Submit({"nul", "--lines", "--null"}, std::string("a\0", 2));
  EXPECT_EQ(nul.status.code, 6);
  EXPECT_EQ(nul.output, std::string(1, '\0'));
  EXPECT_THAT(nul.error_output, HasSubstr("the result has a NUL"));
  EXPECT_THAT(Submit({"two-lines", "--lines", "--json"}, "a\n").output,
              HasSubstr("\"result\":\"a\\na\""));
}

TEST_P(SubmitTest, LinesInJsonAreNumbered) {
  const std::vector<std::string> lines = absl::StrSplit(
      Submit({"odd", "--lines", "--json", "-"}, "1\n2\n").output, '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0],
              AllOf(StartsWith("{\"line\":1,"), HasSubstr("\"result\":\"1\"")));
  EXPECT_THAT(lines[1], AllOf(StartsWith("{\"line\":2,"),
                              HasSubstr("\"state\":\"failed\"")));
}

TEST_P(SubmitTest, DataOfALinesJobComesBeforeItsResult) {
  const ProgramResult run = Submit({"talk", "--lines", "-"}, "a\nb\n");
  EXPECT_EQ(run.output, "first,second,end\nfirst,second,end\n");
}

TEST_P(SubmitTest, LinesMayBeBackgroundJobs) {
  const ProgramResult run =
      Submit({"nobody", "--lines", "--background", "-"}, "a\nb\n");
  EXPECT_EQ(run.status.code, 0);
  const std::vector<std::string> ids = absl::StrSplit(run.output, '\n');
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_THAT(ids[0], StartsWith(server_));
  EXPECT_NE(ids[0], ids[1]);
}

TEST_P(SubmitTest, AResultIsPrintedBeforeTheNextLineComes) {
  auto gearctl =
      StartGearctl({"submit", "upper", "--lines", "-", "--server", server_});
  gearctl->Write("one\n");
  EXPECT_TRUE(gearctl->WaitForOutput("ONE\n").ok());
  gearctl->Write("two\n");
  EXPECT_TRUE(gearctl->WaitForOutput("TWO\n").ok());
  gearctl->CloseInput();
  EXPECT_EQ(gearctl->Wait()->code, 0);
}

TEST_P(SubmitTest, AnInterruptSaysHowToAskForTheJob) {
  auto gearctl =
      StartGearctl({"submit", "nobody", "--data", "", "--server", server_});
  auto status = StartGearctl({"status", "nobody", "--watch", "--interval",
                              "10ms", "--json", "--server", server_});
  ASSERT_TRUE(status->WaitForOutput("\"queued\":1").ok());
  gearctl->Signal(SIGINT);
  EXPECT_EQ(gearctl->Wait()->code, 130);
  EXPECT_THAT(gearctl->error_output(),
              HasSubstr("; to ask: gearctl job '" + server_));
}

TEST_P(SubmitTest, AnInterruptEndsLinesThoughNoMoreComes) {
  auto gearctl =
      StartGearctl({"submit", "upper", "--lines", "-", "--server", server_});
  gearctl->Write("one\n");
  ASSERT_TRUE(gearctl->WaitForOutput("ONE\n").ok());
  gearctl->Signal(SIGINT);
  EXPECT_EQ(gearctl->Wait()->code, 130);
  EXPECT_THAT(gearctl->error_output(), IsEmpty());  // nothing was given up
}

TEST_P(SubmitTest, AnInterruptOfLinesSaysWhatHasNotEnded) {
  auto gearctl =
      StartGearctl({"submit", "nobody", "--lines", "-", "--server", server_});
  gearctl->Write("one\ntwo\n");
  auto status = StartGearctl({"status", "nobody", "--watch", "--interval",
                              "10ms", "--json", "--server", server_});
  ASSERT_TRUE(status->WaitForOutput("\"queued\":2").ok());
  gearctl->Signal(SIGINT);
  EXPECT_EQ(gearctl->Wait()->code, 130);
  EXPECT_THAT(gearctl->error_output(), HasSubstr("2 of 2 jobs had not ended"));
}

TEST(SubmitUsageTest, MistakesAreExplained) {
  struct Case {
    std::vector<std::string> arguments;
    std::string text;
    int code = 2;
  };
  for (const Case& c : std::vector<Case>{
           {{"t", "--priority", "urgent"}, "not high, normal or low"},
           {{"t", "--epoch", "soon"}, "is not a time"},
           {{"t", "--data", "x", "--reducer", "r", "--priority", "high"},
            "a reduce job has normal priority"},
           {{"t", "--data", "x", "--reducer", "r", "--epoch", "+1h"},
            "no packet has both a reducer and a run_at"},
           {{"t", "--retries", "-1"}, "a whole number from 0 to 999"},
           {{"t", "--retries=2147483647"}, "a whole number from 0 to 999"},
           {{"t", "--retries=9223372036854775808"}, "from 0 to 999"},
           {{"t", "--timeout", "5"}, "it has no unit: 5s or 5ms"},
           {{"t", "--timeout", "nan"}, "expected a time"},
           {{"t", "--timeout", "-1s"}, "expected a time"},
           {{"t", "--timeout", "0"}, "expected a time"},
           {{"t", "--timeout", "9000000000000000000h"}, "expected a time"},
           {{"t", "x"}, "\"x\" is too much: a payload is given by"},
           {{"t", "--data", "x", "-"}, "only one of"},
           {{"t", "--lines", "--data", "x"}, "--lines reads"},
           {{"t", "--null"}, "--null says how --lines ends a line"},
           {{"t", "--data", "x", "-b"}, "--background"},
           {{"t", "--lines", "-", "--unique", "u"}, "join all jobs"},
           {{"t", "--file", "/no/such/file"}, "No such file", 5},
           {{"t", "--server", "gopher://x"}, "gopher"},
           {{"t", "--config", "/no/such.textproto"}, "/no/such", 5},
           {{}, "TASK is missing"}}) {
    std::vector<std::string> arguments = {"submit"};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const ProgramResult run = Gearctl(arguments);
    EXPECT_EQ(run.status.code, c.code) << run.error_output;
    EXPECT_THAT(run.error_output, HasSubstr(c.text));
    EXPECT_THAT(run.output, IsEmpty());
  }
}

TEST(SubmitUsageTest, AServerThatIsNotThereIsExitCodeThree) {
  const support::ReservedPort port;
  const std::string address = absl::StrCat("tcp://127.0.0.1:", port.port());
  const ProgramResult run = Gearctl({"submit", "t", "--server", address});
  EXPECT_EQ(run.status.code, 3);
  EXPECT_THAT(run.error_output, HasSubstr(address));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
