// gearctl's subcommands that ask and steer servers, against gearmand and
// against `gearctl server`.
#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/test_directory.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gearman/tests/tools/gearctl/servers_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

INSTANTIATE_TEST_SUITE_P(Servers, ServersTest, ::testing::Bool(),
                         [](const auto& gearmand) {
                           return gearmand.param ? "Gearmand" : "Embedded";
                         });

TEST_P(ServersTest, StatusIsATableOfTasks) {
  Queue("resize");
  Queue("resize");
  EXPECT_EQ(Run({"status"}).output,
            "TASK    QUEUED  RUNNING  WORKERS\n"
            "resize       2        0        0\n");
}

TEST_P(ServersTest, StatusOfOneTaskLeavesOutTheOthers) {
  Queue("resize");
  Queue("build");
  EXPECT_EQ(Run({"status", "build", "--json"}).output,
            absl::StrCat("{\"server\":\"", server_,
                         "\",\"task\":\"build\",\"queued\":1,\"running\":0,"
                         "\"workers\":0}\n"));
  const ProgramResult missing = Run({"status", "build", "bild"});
  EXPECT_EQ(missing.status.code, 5);
  EXPECT_THAT(missing.error_output,
              HasSubstr("no server knows a task \"bild\""));
  EXPECT_THAT(Run({"status", "mend", "build", "bild"}).error_output,
              HasSubstr("no server knows the tasks \"bild\", \"mend\""));
}

TEST_P(ServersTest, WatchGoesOnUntilItIsInterrupted) {
  auto watch = StartGearctl(
      {"status", "--watch", "--interval", "10ms", "--server", server_});
  ASSERT_TRUE(watch->WaitForOutput("CHANGE/S").ok());
  Queue("resize");
  ASSERT_TRUE(watch->WaitForOutput("resize       1        0        0").ok());
  // From the second look on a change is known.
  ASSERT_TRUE(watch->WaitForOutput("+0.0").ok());
  watch->Signal(SIGINT);
  EXPECT_EQ(watch->Wait()->code, 0);
  EXPECT_THAT(watch->output(), Not(HasSubstr("\x1b")));
}

TEST_P(ServersTest, WorkersAreListedWithTheirTasks) {
  auto worker =
      StartGearctl({"work", "b", "a", "--server", server_, "--", "cat"});
  // The worker is there when its first job is done.
  EXPECT_EQ(Run({"submit", "a", "--data", "x"}).output, "x");
  const ProgramResult table = Run({"workers"});
  EXPECT_THAT(table.output, AllOf(StartsWith("ID "), HasSubstr("gearctl"),
                                  HasSubstr("127.0.0.1")));
  // The newest first; with gearmand 2.0 the one that gave a job goes last.
  const bool last = gearmand_ != nullptr && gearmand_->major_version() >= 2;
  EXPECT_THAT(
      Run({"workers", "--json"}).output,
      AllOf(HasSubstr(absl::StrCat("\"id\":\"gearctl\",\"tasks\":",
                                   last ? R"(["b","a"])" : R"(["a","b"])")),
            HasSubstr("\"tasks\":[]")));
}

TEST_P(ServersTest, AJobIsAskedForByHandleOrUnique) {
  Run({"submit", "t", "--background", "--unique", "report-7"});
  EXPECT_EQ(Run({"job", Queue("t")}).output, "queued\n");
  EXPECT_EQ(Run({"job", "--unique", "report-7"}).output, "queued\n");
  EXPECT_EQ(Run({"job", "--unique", "report-7", "--json"}).output,
            "{\"job\":\"report-7\",\"state\":\"queued\",\"numerator\":0,"
            "\"denominator\":0,\"clients\":0}\n");
}

TEST_P(ServersTest, AJobThatNoServerKnowsIsExitCodeFive) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"job", "H:nowhere:9"},
                                             {"job", "--unique", "u"},
                                             {"job", "H:nowhere:9", "--watch"},
                                             {"cancel", "H:nowhere:9"}}) {
    const ProgramResult run = Run(arguments);
    EXPECT_EQ(run.status.code, 5) << run.error_output;
    EXPECT_THAT(run.output, IsEmpty());
  }
}

TEST_P(ServersTest, CancelledJobsAreGone) {
  const std::string first = Queue("t");
  const std::string id(
      absl::StripAsciiWhitespace(Run({"submit", "t", "--background"}).output));
  const ProgramResult run = Run({"cancel", first, id});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  auto worker = StartGearctl({"work", "t", "--server", server_, "--", "cat"});
  EXPECT_EQ(Run({"submit", "t", "--data", "x"}).output, "x");
  EXPECT_EQ(Run({"job", first}).status.code, 5);
  EXPECT_EQ(Run({"job", id}).status.code, 5);
}

TEST_P(ServersTest, MaxQueueRefusesWhatIsMore) {
  Queue("t");
  EXPECT_EQ(Run({"maxqueue", "t", "2"}).status.code, 0);
  Queue("t");
  const ProgramResult full = Run({"submit", "t", "--background"});
  EXPECT_EQ(full.status.code, 6);
  EXPECT_THAT(full.error_output, HasSubstr("queue"));
  EXPECT_EQ(Run({"maxqueue", "t", "9", "8", "7"}).status.code, 0);
  EXPECT_EQ(Run({"submit", "t", "--background"}).status.code, 0);
}

TEST_P(ServersTest, TasksAreCreatedAndDropped) {
  EXPECT_EQ(Run({"create", "one", "two"}).status.code, 0);
  EXPECT_THAT(Run({"status"}).output,
              AllOf(HasSubstr("one "), HasSubstr("two ")));
  EXPECT_EQ(Run({"drop", "one"}).status.code, 0);
  EXPECT_THAT(Run({"status"}).output,
              AllOf(Not(HasSubstr("one ")), HasSubstr("two ")));
  const ProgramResult again = Run({"drop", "one"});
  EXPECT_EQ(again.status.code, 5);
  EXPECT_THAT(again.error_output, HasSubstr("task \"one\""));
}

TEST_P(ServersTest, PingTellsTheTimeOfEachAnswer) {
  const ProgramResult run = Run({"ping", "--count", "2", "--interval", "10ms"});
  EXPECT_EQ(run.status.code, 0);
  EXPECT_THAT(run.output, MatchesRegex("(tcp://127.0.0.1:[0-9]+ answered in "
                                       "[0-9.]+(us|ms|s)\n){2}"));
  EXPECT_THAT(Run({"ping", "--json"}).output,
              MatchesRegex("\\{\"server\":\"tcp://127.0.0.1:[0-9]+\","
                           "\"round_trip_us\":[0-9.]+\\}\n"));
}

TEST_P(ServersTest, OneServerOfTwoIsShownAndTheOtherIsExitCodeThree) {
  const support::ReservedPort port;
  const std::string dead = absl::StrCat("tcp://127.0.0.1:", port.port());
  Queue("resize");
  for (const char* subcommand :
       {"status", "jobs", "workers", "version", "ping", "health"}) {
    const ProgramResult run = Gearctl(
        {subcommand, "--server", absl::StrCat(dead, ",", server_), "--json"});
    EXPECT_EQ(run.status.code, 3) << subcommand << run.error_output;
    EXPECT_THAT(run.output, HasSubstr(server_)) << subcommand;
    EXPECT_THAT(run.output + run.error_output, HasSubstr(dead)) << subcommand;
  }
}

TEST_P(ServersTest, HealthIsExitCodeZeroWhenAllAnswer) {
  EXPECT_EQ(Run({"health"}).status.code, 0);
  EXPECT_THAT(Run({"health", "--json"}).output, HasSubstr("\"state\":\"up\""));
}

TEST_P(ServersTest, AHandleThatTwoServersKnowIsAmbiguous) {
  // The two servers are of one kind, so both count from 1.
  ServerProcess other;
  ServerProcess third;
  const std::string both = absl::StrCat(other.address(), ",", third.address());
  std::string handle;
  for (const ServerProcess* server : {&other, &third}) {
    const std::vector<std::string> fields = absl::StrSplit(
        Gearctl({"submit", "t", "--background", "--server", server->address()})
            .output,
        '|');
    handle = fields[1];
  }
  const ProgramResult run = Gearctl({"cancel", handle, "--server", both});
  EXPECT_EQ(run.status.code, 6);
  EXPECT_THAT(run.error_output, HasSubstr("several servers have a job"));
  EXPECT_EQ(Gearctl({"cancel", absl::StrCat(other.address(), "|", handle, "|"),
                     "--server", both})
                .status.code,
            0);
  EXPECT_EQ(Gearctl({"job", handle, "--server", third.address()}).output,
            "queued\n");
}

// Registers every hostile name with a server that takes them all.
support::RawConnection RegisterHostileNames(uint16_t port) {
  constexpr uint32_t kCanDo = 1;
  constexpr uint32_t kEchoRequest = 16;
  auto worker = support::RawConnection::Connect(port);
  EXPECT_TRUE(worker.ok()) << worker.status();
  for (const support::HostileName& name : support::HostileNames()) {
    EXPECT_TRUE(worker->Send(support::RequestPacket(kCanDo, {name.name})).ok());
  }
  EXPECT_TRUE(worker->Send(support::RequestPacket(kEchoRequest, {"x"})).ok());
  // The names are known when it answers.
  EXPECT_TRUE(worker->ReceivePacket().ok());
  return *std::move(worker);
}

TEST(GearmandTest, NamesThatSpoilAListHideNoOthers) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  const support::RawConnection worker = RegisterHostileNames(gearmand.port());
  const ProgramResult table =
      Gearctl({"status", "--server", gearmand.address()});
  EXPECT_EQ(table.status.code, 0) << table.error_output;
  EXPECT_TRUE(support::IsSafeLines(table.output)) << table.output;
  EXPECT_THAT(table.error_output,
              AllOf(StartsWith("gearctl: warning: "),
                    HasSubstr(gearmand.address()), HasSubstr("be read")));
  EXPECT_TRUE(support::IsSafeLines(table.error_output)) << table.error_output;
  const ProgramResult json =
      Gearctl({"status", "--json", "--server", gearmand.address()});
  EXPECT_EQ(json.status.code, 0);
  for (const support::HostileName& name : support::HostileNames()) {
    if (absl::StrContains(name.name, "\n")) continue;
    if (name.safe.size() < 200) {
      EXPECT_THAT(table.output, HasSubstr(absl::StrCat("\n", name.safe, " ")));
    }
    // Whole, however long.
    const bool plain =
        std::all_of(name.name.begin(), name.name.end(), absl::ascii_isalnum);
    if (plain) {
      EXPECT_THAT(json.output, HasSubstr(absl::StrCat("\"", name.name, "\"")));
    }
  }
  const ProgramResult workers =
      Gearctl({"workers", "--server", gearmand.address()});
  EXPECT_EQ(workers.status.code, 0) << workers.error_output;
  EXPECT_TRUE(support::IsSafeLines(workers.output)) << workers.output;
}

TEST(GearmandTest, VersionIsGearmandsOwn) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  EXPECT_THAT(
      Gearctl({"version", "--json", "--server", gearmand.address()}).output,
      HasSubstr(
          absl::StrCat("\",\"pid\":", gearmand.pid(), ",\"log_level\":\"")));
}

TEST(GearmandTest, ShutdownNamesTheSignalThatDoesIt) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  const ProgramResult run =
      Gearctl({"shutdown", "--server", gearmand.address()});
  EXPECT_EQ(run.status.code, 6);
  EXPECT_THAT(
      run.error_output,
      HasSubstr(absl::StrCat("SIGTERM to its process ", gearmand.pid())));
}

TEST(ServerTest, SaysThatItIsForDevelopment) {
  ServerProcess server;
  EXPECT_THAT(server.process().error_output(),
              HasSubstr("for development: jobs are in memory only"));
  server.process().Signal(SIGINT);
  EXPECT_EQ(server.process().Wait()->code, 0);
}

TEST(ServerTest, SaysHowManyJobsEndWithIt) {
  ServerProcess server;
  Gearctl({"submit", "t", "--background", "--server", server.address()});
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait()->code, 0);
  EXPECT_THAT(server.process().error_output(), HasSubstr("1 jobs end with"));
}

TEST(ServerTest, AnAddressInUseIsAnErrorThatNamesIt) {
  ServerProcess server;
  const ProgramResult run = Gearctl({"server", "--listen", server.address()});
  EXPECT_NE(run.status.code, 0);
  EXPECT_THAT(run.error_output, HasSubstr(server.address()));
}

TEST(ServerTest, ItsOptionsComeFromAConfig) {
  const support::TestDirectory directory;
  ServerProcess server(
      {"--config",
       directory.Write("config.textproto",
                       "embedded_server { job_handle_prefix: \"J\" }")});
  EXPECT_THAT(
      Gearctl({"submit", "t", "--background", "--server", server.address()})
          .output,
      HasSubstr("|J:1|"));
}

TEST(ServerTest, AHandleMayHaveABar) {
  const support::TestDirectory directory;
  ServerProcess server(
      {"--config",
       directory.Write("config.textproto",
                       "embedded_server { job_handle_prefix: \"a|b|H\" }")});
  const std::string id(absl::StripAsciiWhitespace(
      Gearctl({"submit", "t", "--background", "--data", "", "--server",
               server.address()})
          .output));
  EXPECT_THAT(id, HasSubstr("|a%7cb%7cH:1|"));
  for (const std::string& name : {std::string("a|b|H:1"), id}) {
    EXPECT_EQ(Gearctl({"job", name, "--server", server.address()}).output,
              "queued\n");
  }
  EXPECT_EQ(
      Gearctl({"cancel", "a|b|H:1", "--server", server.address()}).status.code,
      0);
  // A word that is meant as an id, and is none, is refused as an id.
  const ProgramResult broken =
      Gearctl({"job", server.address() + "|H:1", "--server", server.address()});
  EXPECT_EQ(broken.status.code, 2);
  EXPECT_THAT(broken.error_output, HasSubstr("is no job id"));
}

TEST(ServersOfAConfigTest, GearmansVariableCountsWhereOursIsNotSet) {
  ServerProcess server;
  const support::ReservedPort port;
  const std::string dead = absl::StrCat("127.0.0.1:", port.port());
  support::SubprocessOptions options = GearctlOptions({"ping"});
  options.environment["GEARMAN_SERVER"] = server.address();
  const auto run = support::RunProgram(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_THAT(run->output, StartsWith(server.address())) << run->error_output;
  options.environment["GEARMAN_SERVERS"] = dead;
  EXPECT_EQ(support::RunProgram(options)->status.code, 3);
  options.environment["GEARMAN_SERVERS"] = "";
  options.environment["GEARMAN_SERVER"] = "127.0.0.1:nonsense";
  const auto wrong = support::RunProgram(options);
  ASSERT_TRUE(wrong.ok()) << wrong.status();
  EXPECT_EQ(wrong->status.code, 2);
  EXPECT_THAT(wrong->error_output,
              HasSubstr("environment variable GEARMAN_SERVER: servers[0]"));
}

TEST(NoServerTest, NoAnswerIsNoEmptyTable) {
  const support::ReservedPort port;
  const std::string dead = absl::StrCat("127.0.0.1:", port.port());
  for (const char* subcommand : {"status", "workers", "jobs", "version"}) {
    const ProgramResult run = Gearctl({subcommand, "--server", dead});
    EXPECT_EQ(run.status.code, 3) << subcommand;
    EXPECT_THAT(run.output, IsEmpty()) << subcommand;
    EXPECT_THAT(run.error_output, HasSubstr(dead)) << subcommand;
  }
}

TEST(NoServerTest, EqualFailuresAreSaidOnce) {
  const support::ReservedPort port;
  const std::string dead = absl::StrCat("127.0.0.1:", port.port());
  for (const char* subcommand : {"drop", "create", "cancel"}) {
    const ProgramResult run =
        Gearctl({subcommand, "one", "two", "three", "--server", dead});
    EXPECT_EQ(run.status.code, 3) << subcommand;
    const std::vector<std::string> parts =
        absl::StrSplit(run.error_output, "refused");
    EXPECT_EQ(parts.size(), 2u) << run.error_output;
    EXPECT_THAT(run.error_output,
                AllOf(HasSubstr("one"), HasSubstr("two"), HasSubstr("three")));
  }
}

// A program's config: gearctl has neither its sink nor its plugin nor its
// library, and needs only its servers.
TEST(ServersOfAConfigTest, WhatGearctlDoesNotHaveIsIgnoredWithALine) {
  ServerProcess server;
  const support::TestDirectory directory;
  const std::string config = directory.Write(
      "program.textproto",
      absl::StrCat("servers: \"", server.address(),
                   "\"\nmetrics { prometheus { listen: \"127.0.0.1:9464\" } "
                   "}\nretry {\n plugin { [type.googleapis.com/acme.Retry] { "
                   "tries: 3 } } }\nplugin_libraries: \"/no/such.so\""));
  for (const char* const subcommand : {"ping", "status"}) {
    const ProgramResult run = Gearctl({subcommand, "--config", config});
    EXPECT_EQ(run.status.code, 0) << run.error_output;
    EXPECT_THAT(run.error_output, StartsWith("gearctl: ignores what it does "
                                             "not have: "));
    EXPECT_THAT(run.error_output, HasSubstr(absl::StrCat(
                                      config, ":2:11: metrics[0].prometheus")));
    EXPECT_THAT(run.error_output,
                HasSubstr(absl::StrCat(config, ":4:2: retry.plugin")));
    EXPECT_THAT(run.error_output, HasSubstr("/no/such.so"));
    EXPECT_EQ(
        std::count(run.error_output.begin(), run.error_output.end(), '\n'), 1)
        << run.error_output;
  }
  const std::string misspelt = directory.Write(
      "misspelt.textproto",
      "servres: \"a\" metrics { prometheus { listen: \"127.0.0.1:9464\" } }");
  const ProgramResult run = Gearctl({"ping", "--config", misspelt});
  EXPECT_NE(run.status.code, 0);
  EXPECT_THAT(run.error_output,
              HasSubstr(":1:1: unknown field \"servres\": did you mean"));
}

TEST(ServersOfAConfigTest, FlagBeatsConfigBeatsEnvironment) {
  ServerProcess server;
  const support::TestDirectory directory;
  const std::string config = directory.Write(
      "config.textproto", absl::StrCat("servers: \"", server.address(), "\""));
  const ProgramResult run = Gearctl({"ping", "--config", config});
  EXPECT_EQ(run.status.code, 0) << run.error_output;
  EXPECT_THAT(run.output, StartsWith(server.address()));

  support::SubprocessOptions options;
  options.argv = {kGearctl, "ping"};
  options.environment["GEARMAN_SERVERS"] = server.address();
  EXPECT_THAT(support::RunProgram(options)->output,
              StartsWith(server.address()));
  const support::ReservedPort port;
  options.environment["GEARMAN_SERVERS"] =
      absl::StrCat("127.0.0.1:", port.port());
  EXPECT_EQ(support::RunProgram(options)->status.code, 3);
  options.argv = {kGearctl, "ping", "--config", config};
  EXPECT_EQ(support::RunProgram(options)->status.code, 0);
  options.argv = {kGearctl,   "ping",
                  "--config", config,
                  "--server", absl::StrCat("127.0.0.1:", port.port())};
  EXPECT_EQ(support::RunProgram(options)->status.code, 3);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
