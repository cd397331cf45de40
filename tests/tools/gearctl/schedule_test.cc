// gearctl schedule against a real gearmand and the embedded server.
#include <signal.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
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
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;

// The lines of an output, without the last, empty one.
std::vector<std::string> Lines(const std::string& output) {
  return absl::StrSplit(output, '\n', absl::SkipEmpty());
}

// Jobs of a task that the servers have.
int64_t JobsOf(const std::string& task,
               const std::vector<GearmandProcess*>& servers) {
  int64_t jobs = 0;
  for (GearmandProcess* const server : servers) {
    const auto status = server->Admin("status");
    EXPECT_TRUE(status.ok()) << status.status();
    if (!status.ok()) return -1;
    for (const std::string& row : *status) {
      const std::vector<std::string> cells = absl::StrSplit(row, '\t');
      int64_t total = 0;
      if (cells.size() == 4 && cells[0] == task &&
          absl::SimpleAtoi(cells[1], &total)) {
        jobs += total;
      }
    }
  }
  return jobs;
}

// Uniques that begin with `prefix`, as often as the servers list them.
std::vector<std::string> UniquesOf(
    const std::string& prefix, const std::vector<GearmandProcess*>& servers) {
  std::vector<std::string> uniques;
  for (GearmandProcess* const server : servers) {
    const auto rows = server->Admin("show unique jobs");
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok()) return {};
    for (const std::string& row : *rows) {
      if (absl::StartsWith(row, prefix)) uniques.push_back(row);
    }
  }
  return uniques;
}

// Runs two gearctl schedule at once until both have submitted the ticks of a
// minute and later ones, so that answers have come. Expects one job of each
// tick of the line that they share. The nearest ticks may be missed.
void ExpectOneJobOfEachTick(std::vector<GearmandProcess*> servers,
                            const std::vector<std::string>& more_arguments) {
  std::string addresses;
  for (const GearmandProcess* const server : servers) {
    absl::StrAppend(&addresses, addresses.empty() ? "" : ",",
                    server->address());
  }
  const support::TestDirectory directory;
  std::vector<std::unique_ptr<Subprocess>> processes;
  for (const std::string own : {"own-1", "own-2"}) {
    const std::string file = directory.Write(
        own, absl::StrCat("both @every 1s both\n", own, " @every 1s ", own));
    std::vector<std::string> arguments = {
        "schedule", file, "--server", addresses, "--lead", "1m", "--json"};
    arguments.insert(arguments.end(), more_arguments.begin(),
                     more_arguments.end());
    processes.push_back(StartGearctl(std::move(arguments)));
  }
  // The margin leaves 50 ticks of the first minute.
  ASSERT_TRUE(support::WaitFor([&] {
    return JobsOf("own-1", servers) >= 55 && JobsOf("own-2", servers) >= 55 &&
           JobsOf("both", servers) >= 55;
  }));
  for (const auto& process : processes) {
    process->Signal(SIGTERM);
    const auto end = process->Wait();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_EQ(end->code, 0) << process->error_output();
    EXPECT_THAT(process->output(),
                MatchesRegex("\\{\"accepted\":[1-9][0-9]*,\"missed\":[0-9]+,"
                             "\"unknown\":[0-9]+\\}\n"));
  }
  // A server may still read the last bytes of a connection that is closed.
  std::vector<std::string> uniques;
  EXPECT_TRUE(support::WaitFor([&] {
    uniques = UniquesOf("both@", servers);
    return JobsOf("both", servers) == static_cast<int64_t>(uniques.size());
  }));
  EXPECT_GE(uniques.size(), 55u);
  EXPECT_THAT(std::set<std::string>(uniques.begin(), uniques.end()),
              SizeIs(uniques.size()));
}

TEST(ScheduleTest, TwoAtOnceLeaveOneJobOfEachTick) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  ExpectOneJobOfEachTick({&server}, {});
}

TEST(ScheduleTest, SettingsOfAnotherProgramDoNotPartTheJobsOfATick) {
  GearmandProcess first;
  GearmandProcess second;
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());
  const support::TestDirectory directory;
  const std::string config =
      directory.Write("config.textproto",
                      "server_selection { random {} } drive_mode: CALLER_ONLY");
  ExpectOneJobOfEachTick({&first, &second}, {"--config", config});
}

TEST(ScheduleTest, AJobHasItsDataAndRunsWhenItIsDue) {
  ServerProcess server;
  absl::Notification ran;
  std::string data;
  absl::Time time;
  TestWorker worker(server.address());
  worker.Register("tick",
                  [&](JobContext& context) -> absl::StatusOr<std::string> {
                    if (!ran.HasBeenNotified()) {
                      time = absl::Now();
                      data = std::string(context.job().data());
                      ran.Notify();
                    }
                    return std::string();
                  });
  worker.Start();
  const absl::Time start = absl::Now();
  const auto process =
      StartGearctl({"schedule", "-", "--server", server.address(), "--lead",
                    "1m", "--margin", "2s"});
  process->Write("seconds @every 1s tick two  words\n");
  process->CloseInput();
  ASSERT_TRUE(ran.WaitForNotificationWithTimeout(support::kBound));
  EXPECT_EQ(data, "two  words");
  // Ticks begin behind the margin.
  EXPECT_GE(time - start, absl::Seconds(2));
  process->Signal(SIGINT);
  const auto end = process->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 0);
  EXPECT_THAT(process->output(), IsEmpty());
  EXPECT_THAT(process->error_output(),
              ContainsRegex("gearctl: [0-9]+ ticks accepted, [0-9]+ missed, "
                            "[0-9]+ unknown\n"));
}

TEST(ScheduleTest, TicksWithoutAServerAreMissedAndTold) {
  const support::ReservedPort port;
  const support::TestDirectory directory;
  const auto process = StartGearctl(
      {"schedule", directory.Write("jobs.cron", "seconds @every 1s tick"),
       "--server", absl::StrCat("127.0.0.1:", port.port()), "--lead", "2s",
       "--margin", "1s"});
  const absl::Status told = process->WaitForErrorOutput("is missed");
  EXPECT_TRUE(told.ok()) << told;
  EXPECT_THAT(process->error_output(), HasSubstr("schedule \"seconds\""));
  process->Signal(SIGTERM);
  EXPECT_EQ(process->Wait()->code, 0);
  EXPECT_THAT(process->error_output(),
              ContainsRegex("gearctl: 0 ticks accepted, [1-9][0-9]* missed, "
                            "[0-9]+ unknown\n"));
}

TEST(ScheduleTest, TicksThatAServerHasNotAnsweredAreCountedAtTheEnd) {
  support::RawListener silent;
  const support::TestDirectory directory;
  const auto process = StartGearctl(
      {"schedule", directory.Write("jobs.cron", "seconds @every 1s tick"),
       "--server", silent.address(), "--lead", "1h", "--margin", "10m"});
  auto server = silent.Accept();
  ASSERT_TRUE(server.ok()) << server.status();
  // A packet of a tick names its task.
  absl::StatusOr<std::string> packet = std::string();
  while (packet.ok() && !absl::StrContains(*packet, "tick")) {
    packet = server->ReceivePacket();
  }
  ASSERT_TRUE(packet.ok()) << packet.status();
  process->Signal(SIGTERM);
  EXPECT_EQ(process->Wait()->code, 0);
  EXPECT_THAT(process->error_output(),
              ContainsRegex("gearctl: 0 ticks accepted, 0 missed, "
                            "[1-9][0-9]* unknown\n"));
}

TEST(ScheduleTest, NextTimesArePrintedInTheirZones) {
  // No server is asked.
  const ProgramResult run =
      Gearctl({"schedule", "-", "--next", "2"},
              "CRON_TZ=Europe/Berlin\nnoon 0 12 15 6 * report\n"
              "CRON_TZ=UTC\nhours @every 1h tick x\n");
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  const std::vector<std::string> lines = Lines(run.output);
  ASSERT_THAT(lines, SizeIs(5)) << run.output;
  EXPECT_THAT(lines[0], MatchesRegex("NAME +TIME +ZONE +TASK"));
  for (const int line : {1, 2}) {
    EXPECT_THAT(
        lines[line],
        MatchesRegex(
            "noon +[0-9]{4}-06-15T12:00:00\\+02:00 +Europe/Berlin +report"));
  }
  EXPECT_NE(lines[1], lines[2]);
  EXPECT_THAT(lines[3],
              MatchesRegex("hours +[-0-9]+T[0-9]{2}:00:00\\+00:00 +UTC +tick"));
}

TEST(ScheduleTest, NextTimesInJsonFollowEachOther) {
  const absl::Time before = absl::Now();
  const ProgramResult run = Gearctl({"schedule", "-", "--next", "3", "--json"},
                                    "hours @every 1h tick x\n");
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  const std::vector<std::string> lines = Lines(run.output);
  ASSERT_THAT(lines, SizeIs(3)) << run.output;
  std::vector<absl::Time> times;
  for (const std::string& line : lines) {
    EXPECT_THAT(line, MatchesRegex("\\{\"name\":\"hours\",\"time\":\"[^\"]+\","
                                   "\"zone\":\"UTC\",\"task\":\"tick\"\\}"));
    const std::vector<std::string> cells = absl::StrSplit(line, '"');
    ASSERT_GT(cells.size(), 7u);
    std::string error;
    ASSERT_TRUE(absl::ParseTime(absl::RFC3339_sec, cells[7],
                                &times.emplace_back(), &error))
        << error;
  }
  EXPECT_GT(times[0], before);
  EXPECT_LE(times[0], absl::Now() + absl::Hours(1));
  EXPECT_EQ(times[1] - times[0], absl::Hours(1));
  EXPECT_EQ(times[2] - times[1], absl::Hours(1));
}

TEST(ScheduleTest, AFileWithAMistakeSubmitsNothing) {
  GearmandProcess server;
  ASSERT_TRUE(server.ok());
  const support::TestDirectory directory;
  const std::string file =
      directory.Write("jobs.cron", "a @every 1m tick\nb 61 * * * * tick\n");
  const ProgramResult run =
      Gearctl({"schedule", file, "--server", server.address()});
  EXPECT_EQ(run.status.code, 2);
  EXPECT_THAT(run.error_output,
              AllOf(StartsWith(absl::StrCat("gearctl: ", file, ":2: ")),
                    HasSubstr("schedule \"b\""), HasSubstr("minute \"61\"")));
  EXPECT_EQ(JobsOf("tick", {&server}), 0);
  const ProgramResult input = Gearctl({"schedule", "-"}, "a\n");
  EXPECT_EQ(input.status.code, 2);
  EXPECT_THAT(input.error_output, HasSubstr("standard input:1: "));
}

TEST(ScheduleTest, FlagsAndFilesThatCantBeRightAreRefused) {
  const support::TestDirectory directory;
  const std::string missing = directory.File("missing.cron");
  const ProgramResult none = Gearctl({"schedule", missing});
  EXPECT_EQ(none.status.code, 5);
  EXPECT_THAT(none.error_output, HasSubstr(missing));
  const ProgramResult margin =
      Gearctl({"schedule", "-", "--lead", "5s"}, "a @hourly t\n");
  EXPECT_EQ(margin.status.code, 2);
  EXPECT_THAT(margin.error_output,
              HasSubstr("--margin (10s) must be less than --lead (5s)"));
  const ProgramResult scheme = Gearctl(
      {"schedule", "-", "--server", "carrier-pigeon://loft"}, "a @hourly t\n");
  EXPECT_EQ(scheme.status.code, 2);
  EXPECT_THAT(scheme.error_output, HasSubstr("carrier-pigeon"));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
