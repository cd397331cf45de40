// The screens of docs/guide/gearctl.md are what gearctl prints. Each test types
// the commands of one screen, with a real gearmand, and compares. Written anew
// by
//
//   GEARCTL_WRITE="$PWD/docs/guide/gearctl.md" bazel run
//   //tests/tools/gearctl:screens_test
//
// Addresses, times, random uniques and dates differ from run to run. The
// page has fixed ones in their place (Fixed).
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/http_get.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using support::WaitFor;

constexpr char kPage[] = "docs/guide/gearctl.md";
constexpr char kFence[] = "```";

std::string ReadPage(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Mark(absl::string_view name) {
  return absl::StrCat("<!-- screen ", name, " -->\n\n", kFence, "text\n");
}

std::string Absolute(const std::string& path) {
  char* const resolved = realpath(path.c_str(), nullptr);
  EXPECT_NE(resolved, nullptr) << path;
  std::string absolute = resolved == nullptr ? "" : resolved;
  free(resolved);  // NOLINT: realpath allocates
  return absolute;
}

// A text with each match of `pattern` replaced.
std::string Replaced(const std::string& text, const std::string& pattern,
                     const std::string& with) {
  return std::regex_replace(text, std::regex(pattern), with);
}

// A text with its first date replaced by one day, and other dates by the next.
std::string WithFixedDates(const std::string& text) {
  static const std::regex date("[0-9]{4}-[0-9]{2}-[0-9]{2}(?=T)");
  std::smatch first;
  if (!std::regex_search(text, first, date)) return text;
  return std::regex_replace(
      absl::StrReplaceAll(text, {{first.str(), "2030-01-01"}}),
      std::regex("(?!2030-01-01)[0-9]{4}-[0-9]{2}-[0-9]{2}(?=T)"),
      "2030-01-02");
}

// A terminal, and a gearmand that is called jobs-1.lan.
class Screen : public ::testing::Test {
 protected:
  Screen() {
    EXPECT_TRUE(gearmand_.ok());
    // A port of five digits makes a line with the address as long as one with
    // "jobs-1.lan:4730".
    EXPECT_GE(gearmand_.port(), 10000);
    setenv("GEARMAN_SERVERS", gearmand_.address().c_str(), /*replace=*/1);
    const std::string program = Absolute(kGearctl);
    setenv(
        "PATH",
        absl::StrCat(program.substr(0, program.rfind('/')), ":", getenv("PATH"))
            .c_str(),
        /*replace=*/1);
  }

  // Types a command, and shows it with what it prints. `last` is the end of
  // what the newest command in the background prints because of it.
  void Type(const std::string& command, int exit_code = 0,
            const std::string& last = "") {
    const auto run = support::RunProgram(Shell(command));
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->status.code, exit_code) << command << "\n" << run->output;
    Show(command, run->output);
    if (!last.empty()) {
      Subprocess& worker = *background_.back();
      ASSERT_TRUE(worker.WaitForOutput(last).ok());
      shown_ += worker.output().substr(background_shown_);
    }
    if (exit_code != 0) Show("echo $?", absl::StrCat(exit_code, "\n"));
  }
  // Types a command that goes on in the background, and shows what it prints
  // at first, which ends with `text`.
  void TypeInBackground(const std::string& command, const std::string& text) {
    absl::StatusOr<std::unique_ptr<Subprocess>> process =
        Subprocess::Start(Shell(command));
    ASSERT_TRUE(process.ok()) << process.status();
    const absl::Status said = (*process)->WaitForOutput(text);
    ASSERT_TRUE(said.ok()) << said;
    background_.push_back(*std::move(process));
    const std::string output = background_.back()->output();
    background_shown_ = output.size();
    Show(absl::StrCat(command, " &"), output);
  }
  void StartWork(const std::string& command) {
    TypeInBackground(command, absl::StrCat(gearmand_.address(), "\n"));
  }
  // Types a command that waits, and Ctrl-C as soon as it has printed `until`.
  void TypeAndInterrupt(const std::string& command, const std::string& until,
                        int exit_code) {
    // `exec`: the signal reaches gearctl itself.
    auto process = Subprocess::Start(Shell(absl::StrCat("exec ", command)));
    ASSERT_TRUE(process.ok()) << process.status();
    ASSERT_TRUE((*process)->WaitForOutput(until).ok());
    const std::string before = (*process)->output();
    (*process)->Signal(SIGINT);
    const auto status = (*process)->Wait();
    ASSERT_TRUE(status.ok()) << status.status();
    EXPECT_EQ(status->code, exit_code) << (*process)->output();
    Show(command, absl::StrCat(before, "^C",
                               (*process)->output().substr(before.size())));
    if (exit_code != 0) Show("echo $?", absl::StrCat(exit_code, "\n"));
  }
  void Show(absl::string_view command, const std::string& output) {
    absl::StrAppend(&shown_, "$ ", command, "\n", output);
    if (shown_.back() != '\n') shown_ += '\n';
  }
  void Clear() { shown_.clear(); }
  bool Shows(absl::string_view text) const {
    return absl::StrContains(shown_, text);
  }
  // gearmand's list of tasks has this line.
  bool StatusIs(const std::string& line) {
    const auto lines = gearmand_.Admin("status");
    return lines.ok() && std::count(lines->begin(), lines->end(), line) == 1;
  }

  // Compares the screen with the page, or writes it. Two screens whose
  // `shape` is equal count as equal.
  template <typename Shape>
  void Compare(const std::string& name, Shape shape) {
    const char* const write = getenv("GEARCTL_WRITE");
    const std::string path = write != nullptr ? write : kPage;
    std::string page = ReadPage(path);
    const std::string mark = Mark(name);
    const size_t begin = page.find(mark);
    ASSERT_NE(begin, std::string::npos) << path << " has no " << mark;
    const size_t text = begin + mark.size();
    const size_t end = page.find(kFence, text);
    ASSERT_NE(end, std::string::npos) << path;
    const std::string screen = Fixed();
    if (write == nullptr) {
      EXPECT_EQ(shape(page.substr(text, end - text)), shape(screen));
      return;
    }
    page.replace(text, end - text, screen);
    std::ofstream(path) << page;
  }
  void Compare(const std::string& name) {
    Compare(name, [](const std::string& screen) { return screen; });
  }

  support::GearmandProcess gearmand_{
      {"--job-handle-prefix=H:jobs-1"}};  // not this machine's name
  const support::TestDirectory folder_;
  std::vector<std::unique_ptr<Subprocess>> background_;

 private:
  support::SubprocessOptions Shell(const std::string& command) {
    support::SubprocessOptions options;
    options.argv = {"bash", "-c", absl::StrCat("exec 2>&1; ", command)};
    options.directory = folder_.path();
    return options;
  }
  // The text that was shown, with fixed texts in the place of what differs.
  std::string Fixed() const {
    std::string text = absl::StrReplaceAll(
        shown_,
        {{absl::StrCat("127.0.0.1:", gearmand_.port()), "jobs-1.lan:4730"},
         {"(127.0.0.1)", "(192.0.2.1)"}});
    text = Replaced(text, "[0-9a-f]{32}", "5b8c1f0e7a2d4c66b09e3f1d8a75c2e4");
    text = Replaced(text, "answered in [0-9.]+[mu]?s", "answered in 325us");
    text = Replaced(text, "( up +)[0-9.]+[mu]?s", "$01325us");
    return WithFixedDates(text);
  }

  std::string shown_;
  size_t background_shown_ = 0;
};

TEST_F(Screen, Submit) {
  StartWork("gearctl work upper -- tr a-z A-Z");
  Type("gearctl submit upper --data hello");
  Type("printf 'one\\ntwo\\nthree\\n' | gearctl submit upper --lines");
  Type("gearctl submit upper --data hello --json");
  Compare("submit");
}

TEST_F(Screen, Work) {
  StartWork("gearctl work check -- grep -c error");
  Type("printf 'an error\\nno news\\n' | gearctl submit check");
  Type("gearctl submit check --data 'no news'", /*exit_code=*/1,
       /*last=*/"exit code 1\n");
  Compare("work");
}

TEST_F(Screen, Queues) {
  Type("gearctl submit report --data july --background --unique july");
  Type(
      "gearctl submit report --data august --background --unique august "
      "--priority low");
  Type("gearctl status");
  Type("gearctl status --priorities");
  Type("gearctl status --json");
  Type("gearctl jobs");
  Type("gearctl jobs --uniques");
  Compare("queues");
}

TEST_F(Screen, Workers) {
  StartWork("gearctl work upper lower -- cat");
  EXPECT_TRUE(WaitFor([this] {
    return StatusIs("upper\t0\t0\t1") && StatusIs("lower\t0\t0\t1");
  }));
  Type("gearctl workers");
  Compare("workers");
}

TEST_F(Screen, OneJob) {
  absl::Notification go_on;
  TestWorker worker(gearmand_.address());
  worker.Register("film",
                  [&](JobContext& context) -> absl::StatusOr<std::string> {
                    const absl::Status sent = context.SendStatus(40, 100);
                    if (!sent.ok()) return sent;
                    go_on.WaitForNotification();
                    return std::string("done");
                  });
  worker.Start();
  Type("gearctl submit film --data holidays --background");
  EXPECT_TRUE(WaitFor([&] {
    const ProgramResult seen =
        Gearctl({"job", "H:jobs-1:1", "--server", gearmand_.address()});
    return absl::StrContains(seen.output, "40");
  }));
  Type("gearctl job H:jobs-1:1");
  Type("gearctl submit report --data july --background --unique july");
  Type("gearctl job --unique july");
  Type("gearctl cancel H:jobs-1:2");
  Type("gearctl job H:jobs-1:2");
  Type("gearctl jobs");
  Type("gearctl status");
  StartWork("gearctl work report -- cat");
  EXPECT_TRUE(WaitFor([this] { return StatusIs("report\t0\t0\t1"); }));
  Type("gearctl job H:jobs-1:2", /*exit_code=*/5);
  go_on.Notify();
  Compare("job");
}

TEST_F(Screen, Pause) {
  StartWork("gearctl work resize --control control/host-1 -- cat");
  Type("gearctl pause control/host-1 resize");
  EXPECT_TRUE(WaitFor([this] { return StatusIs("resize\t0\t0\t0"); }));
  Type("gearctl status");
  Type("gearctl resume control/host-1 resize");
  EXPECT_TRUE(WaitFor([this] { return StatusIs("resize\t0\t0\t1"); }));
  Type("gearctl status");
  Compare("pause");
}

TEST_F(Screen, Health) {
  const support::ReservedPort nobody;
  Type("gearctl ping --count 2 --interval 10ms");
  Type("gearctl health");
  // The page calls the other server jobs-2.lan.
  const auto run = support::RunProgram(GearctlOptions(
      {"health", "--server",
       absl::StrCat(gearmand_.address(), ",127.0.0.1:", nobody.port())}));
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->status.code, 3);
  Show("gearctl health --server jobs-1.lan,jobs-2.lan",
       absl::StrReplaceAll(
           run->output,
           {{absl::StrCat("127.0.0.1:", nobody.port()), "jobs-2.lan:4730"},
            {"(127.0.0.1)", "(192.0.2.2)"}}));
  Show("echo $?", "3\n");
  Compare("health");
}

TEST_F(Screen, Schedule) {
  const std::string lines =
      "# NAME  TIMES       TASK    DATA\n"
      "nightly 30 2 * * *  report  all\n";
  folder_.Write("jobs.cron", lines);
  folder_.Write("wrong.cron", "nightly 61 2 * * * report\n");
  Show("cat jobs.cron", lines);
  Type("gearctl schedule jobs.cron --next 2");
  Type("gearctl schedule wrong.cron", /*exit_code=*/2);
  Compare("schedule");
}

TEST_F(Screen, Export) {
  StartWork("gearctl work upper -- tr a-z A-Z");
  // The page has the default port, and curl. The test takes a free port, and
  // HttpGet in the place of curl.
  const auto serves = StartGearctl(
      {"export", "--listen", "127.0.0.1:0", "--server", gearmand_.address()});
  ASSERT_TRUE(serves->WaitForOutput("/metrics\n").ok());
  const std::string url = serves->output();
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(
      absl::StripSuffix(absl::StripPrefix(url, "http://127.0.0.1:"),
                        "/metrics\n"),
      &port));
  Show("gearctl export &",
       absl::StrCat("http://127.0.0.1:9464/metrics\n", serves->error_output()));
  std::string samples;
  ASSERT_TRUE(WaitFor([&] {
    const auto answer =
        support::HttpGet(static_cast<uint16_t>(port), "/metrics");
    samples.clear();
    for (const absl::string_view line :
         absl::StrSplit(answer.ok() ? answer->body : "", '\n')) {
      if (absl::StartsWith(line, "gearman_")) {
        absl::StrAppend(&samples, line, "\n");
      }
    }
    return absl::StrContains(samples, "gearman_workers");
  }));
  Show("curl -s http://127.0.0.1:9464/metrics | grep ^gearman_", samples);
  Compare("export");
}

// A measurement differs in all its numbers: only its form is compared.
TEST_F(Screen, Bench) {
  Type("gearctl bench --jobs 1000");
  Compare("bench", [](const std::string& screen) {
    std::string form = Replaced(screen, "#+", "");
    form = Replaced(form, "[0-9]+([.][0-9]+)?(ns|us|ms|s)?", "N");
    form = Replaced(form, " +", " ");
    form = Replaced(form, "( ?N)+\n", " N\n");
    return Replaced(form, "(<= N [|][^\n]*\n)+", "<= N |\n");
  });
}

TEST_F(Screen, ErrorOfAJob) {
  StartWork("gearctl work broken -- false");
  Type("gearctl submit broken --data x", /*exit_code=*/1,
       /*last=*/"exit code 1\n");
  Compare("exit 1");
}

TEST_F(Screen, ErrorOfTheCommandLine) {
  Type("gearctl submit upper --prority high", /*exit_code=*/2);
  Compare("exit 2");
}

TEST_F(Screen, ErrorWithoutAServer) {
  ASSERT_TRUE(gearmand_.Stop().ok());
  Type("gearctl status", /*exit_code=*/3);
  Compare("exit 3");
}

TEST_F(Screen, ErrorOfATimeout) {
  // A busy machine may need longer until the job is accepted. Then the screen
  // is typed again, at a server that counts its jobs from 1 again.
  EXPECT_TRUE(WaitFor([this] {
    Clear();
    Type("gearctl submit nobody --data x --timeout 200ms", /*exit_code=*/4);
    return Shows("accepted, but no result") || !gearmand_.Restart().ok();
  }));
  Compare("exit 4");
}

TEST_F(Screen, ErrorOfWhatIsNotThere) {
  Type("gearctl cancel H:jobs-1:99", /*exit_code=*/5);
  Type("gearctl submit upper --file photo.jpg", /*exit_code=*/5);
  Compare("exit 5");
}

TEST_F(Screen, ErrorOfARefusal) {
  Type("gearctl create report");
  Type("gearctl maxqueue report 1");
  Type("gearctl submit report --data july --background --unique july");
  Type("gearctl submit report --data august --background", /*exit_code=*/6);
  Compare("exit 6");
}

TEST_F(Screen, Interrupt) {
  // The first page shows that gearctl knows the job's handle.
  StartWork(
      "gearctl work report --stream -- sh -c 'echo page 1 of 7; sleep 1000'");
  TypeAndInterrupt("gearctl submit report --data july", "page 1 of 7\n",
                   /*exit_code=*/130);
  Compare("exit 130");
}

TEST(Page, HasNoScreenWithoutATest) {
  const std::string page = ReadPage(kPage);
  const std::set<std::string> tested = {
      "submit", "work",     "queues", "workers", "job",     "pause",
      "health", "schedule", "export", "bench",   "exit 1",  "exit 2",
      "exit 3", "exit 4",   "exit 5", "exit 6",  "exit 130"};
  std::set<std::string> shown;
  const std::regex mark("<!-- screen ([^>]*) -->");
  for (std::sregex_iterator at(page.begin(), page.end(), mark), end; at != end;
       ++at) {
    EXPECT_TRUE(shown.insert((*at)[1]).second) << (*at)[1];
  }
  EXPECT_EQ(shown, tested);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
