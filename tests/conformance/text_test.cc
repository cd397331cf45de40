// The text commands of the port, and text beside packets.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/conformance/fixture.h"

namespace gearman {
namespace conformance {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class TextConformance : public ConformanceTest {};
INSTANTIATE_TEST_SUITE_P(Servers, TextConformance,
                         ::testing::ValuesIn(Variants()), VariantName);

TEST_P(TextConformance, ListsAreEmptyAtFirst) {
  Peer& admin = Connect();
  EXPECT_EQ(admin.AskList("status\r\n"), ".\n");
  EXPECT_EQ(admin.AskList("prioritystatus\r\n"), ".\n");
  EXPECT_EQ(admin.AskList("show jobs\r\n"), ".\n");
  EXPECT_EQ(admin.AskList("show unique jobs\r\n"), ".\n");
}

TEST_P(TextConformance, StatusCountsQueuedAndRunningJobsAndWorkers) {
  Peer& admin = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(admin, "f", "1", "", 1);
  Submit(admin, "f", "2", "", 2, Command::kSubmitJobHighBg);
  Submit(admin, "f", "3", "", 3, Command::kSubmitJobLowBg);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", ""));
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t3\t1\t1\n.\n");
  EXPECT_EQ(admin.AskList("prioritystatus\r\n"), "f\t0\t1\t1\t1\n.\n");
}

TEST_P(TextConformance, NamesAreListedAsTheyAre) {
  Peer& admin = Connect();
  Submit(admin, "a: b %s", "u %s", "", 1, Command::kSubmitJobBg);
  EXPECT_EQ(admin.AskList("status\r\n"), "a: b %s\t1\t0\t0\n.\n");
  EXPECT_EQ(admin.AskList("show unique jobs\r\n"), "u %s\n.\n");
}

// Trap 59.
TEST_P(TextConformance, NamesWithControlCharacters) {
  Peer& peer = Connect();
  if (OnGearmand(Difference::kControlCharacters)) {
    Submit(peer, "a\tb", "u\tv", "", 1, Command::kSubmitJobBg);
    EXPECT_EQ(peer.AskList("status\r\n"), "a\tb\t1\t0\t0\n.\n");
    EXPECT_EQ(peer.AskList("show unique jobs\r\n"), "u\tv\n.\n");
    return;
  }
  for (const char* name : {"a\tb", "a\nb"}) {
    EXPECT_THAT(peer.Call(Command::kSubmitJobBg, {name, "", ""}),
                IsError("INVALID_ARGS"));
    EXPECT_THAT(peer.Call(Command::kCanDo, {name}), IsError("INVALID_ARGS"));
    EXPECT_THAT(peer.Call(Command::kSetClientId, {name}),
                IsError("INVALID_ARGS"));
  }
  EXPECT_EQ(peer.AskList("status\r\n"), ".\n");
  Submit(peer, "f", "u\tv", "", 1, Command::kSubmitJobBg);
  EXPECT_EQ(peer.AskList("show unique jobs\r\n"), "u\\x09v\n.\n");
}

TEST_P(TextConformance, JobsAreShownWithTheirFlags) {
  Peer& admin = Connect();
  Submit(admin, "f", "u1", "", 1);
  EXPECT_EQ(admin.AskList("show jobs\r\n"), "H:test:1\t0\t0\t0\n.\n");
  EXPECT_EQ(admin.AskList("show unique jobs\r\n"), "u1\n.\n");
  Peer& client = Connect();
  Submit(client, "f", "u2", "", 2, Command::kSubmitJobBg);
  const std::string jobs = admin.AskList("show jobs\r\n");
  EXPECT_THAT(jobs, HasSubstr("H:test:1\t0\t0\t0\n"));
  EXPECT_THAT(jobs, HasSubstr("H:test:2\t0\t0\t1\n"));
}

TEST_P(TextConformance, WorkersListsEachConnection) {
  Peer& admin = Connect();
  ConnectWorker({"f"});
  const std::string workers = admin.AskList("workers\r\n");
  EXPECT_THAT(workers, HasSubstr(" - : f\n"));
  EXPECT_THAT(workers, HasSubstr(" - :\n"));
}

// Trap 60.
TEST_P(TextConformance, VersionPidAndVerbosityAreLines) {
  Peer& admin = Connect();
  if (OnGearmand(Difference::kVersionText)) {
    EXPECT_THAT(admin.Ask("version\r\n"),
                ContainsRegex("^OK [0-9]+[.][0-9]+[.]"));
  } else {
    EXPECT_THAT(admin.Ask("version\r\n"), StartsWith("OK gearman_sdk-"));
  }
  EXPECT_THAT(admin.Ask("getpid\r\n"), MatchesRegex("OK [0-9]+\n"));
  EXPECT_THAT(admin.Ask("verbose\r\n"), MatchesRegex("OK [A-Z]+\n"));
}

TEST_P(TextConformance, TheLinesOfAnotherProtocolAreNoCommands) {
  Peer& peer = Connect();
  if (OnGearmand(Difference::kOtherProtocols)) {
    EXPECT_THAT(peer.Ask("HEAD / HTTP/1.1\r\n"), StartsWith("ERR "));
  } else {
    peer.SendBytes("HEAD / HTTP/1.1\r\n");
    EXPECT_TRUE(peer.ClosedByServer());
  }
}

TEST_P(TextConformance, CaseDoesNotCountInCommands) {
  Peer& admin = Connect();
  EXPECT_EQ(admin.AskList("STATUS\r\n"), ".\n");
  EXPECT_EQ(admin.AskList("Show Jobs\r\n"), ".\n");
}

TEST_P(TextConformance, UnknownCommandsAreRefused) {
  Peer& admin = Connect();
  EXPECT_THAT(admin.Ask("frobnicate\r\n"), StartsWith("ERR UNKNOWN_COMMAND "));
  EXPECT_THAT(admin.Ask("shutdown\r\n"), StartsWith("ERR UNKNOWN_COMMAND "));
  EXPECT_THAT(admin.Ask("show pages\r\n"),
              StartsWith("ERR UNKNOWN_SHOW_ARGUMENTS"));
  EXPECT_THAT(admin.Ask("create\r\n"), StartsWith("ERR INVALID_ARGUMENTS "));
  EXPECT_THAT(admin.Ask("maxqueue\r\n"), StartsWith("ERR INVALID_ARGUMENTS "));
  EXPECT_EQ(admin.AskList("status\r\n"), ".\n");
}

TEST_P(TextConformance, FunctionsAreCreatedAndDropped) {
  Peer& admin = Connect();
  EXPECT_EQ(admin.Ask("create function f\r\n"), "OK\r\n");
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t0\t0\t0\n.\n");
  EXPECT_EQ(admin.Ask("drop function f\r\n"), "OK\r\n");
  EXPECT_EQ(admin.AskList("status\r\n"), ".\n");
  EXPECT_THAT(admin.Ask("drop function f\r\n"), StartsWith("ERR "));
}

// Trap 55.
TEST_P(TextConformance, DropTakesEachSpellingAndSaysSoEachTime) {
  Peer& admin = Connect();
  EXPECT_EQ(admin.Ask("create function f\r\n"), "OK\r\n");
  EXPECT_EQ(admin.Ask("create function F\r\n"), "OK\r\n");
  EXPECT_EQ(admin.Ask("drop function f\r\n"), "OK\r\n");
  EXPECT_EQ(admin.ReceiveLine(), "OK\r\n");
  EXPECT_EQ(admin.AskList("status\r\n"), ".\n");
}

TEST_P(TextConformance, FunctionInUseIsNotDropped) {
  Peer& admin = Connect();
  ConnectWorker({"f"});
  EXPECT_THAT(admin.Ask("drop function f\r\n"), StartsWith("ERR "));
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t0\t0\t1\n.\n");
}

TEST_P(TextConformance, DroppingAFunctionWithJobs) {
  Peer& client = Connect();
  Peer& admin = Connect();
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(admin.Ask("drop function f\r\n"), "OK\r\n");
  if (OnGearmand(Difference::kDroppingAFunctionWithJobs)) {
    EXPECT_THAT(client.Drain(), IsEmpty());
    EXPECT_THAT(Status(admin, 1)[0], "1");
  } else {
    EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
    EXPECT_THAT(Status(admin, 1)[0], "0");
  }
}

// Trap 52.
TEST_P(TextConformance, CreatingAFunctionWithABareLineFeed) {
  Peer& admin = Connect();
  EXPECT_EQ(admin.Ask("create function resize\n"), "OK\r\n");
  EXPECT_EQ(admin.AskList("status\r\n"),
            OnGearmand(Difference::kCreatingAFunctionWithBareLineFeed)
                ? "resiz\t0\t0\t0\n.\n"
                : "resize\t0\t0\t0\n.\n");
}

TEST_P(TextConformance, QueuedJobThatIsCancelledFails) {
  Peer& client = Connect();
  Peer& admin = Connect();
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(admin.Ask("cancel job H:test:1\r\n"), "OK\r\n");
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
  EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob), NoJob());
  EXPECT_THAT(admin.Ask("cancel job H:test:99\r\n"), StartsWith("ERR "));
}

// Trap 57.
TEST_P(TextConformance, RunningJobThatIsCancelledGoesOnForItsWorker) {
  Peer& client = Connect();
  Peer& admin = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  EXPECT_EQ(admin.Ask("cancel job H:test:1\r\n"), "OK\r\n");
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
  EXPECT_THAT(worker.Drain(), IsEmpty());
}

// Trap 5.
TEST_P(TextConformance, TextAndPacketsMixOnOneConnection) {
  Peer& both = Connect();
  EXPECT_EQ(both.AskList("status\r\n"), ".\n");
  Submit(both, "f", "u", "", 1);
  EXPECT_EQ(both.AskList("status\r\n"), "f\t1\t0\t0\n.\n");
  EXPECT_EQ(both.Call(Command::kEchoReq, {"x"}),
            Packet(Command::kEchoRes, {"x"}));
}

TEST_P(TextConformance, LineOfMoreThanFiveWordsEndsTheConnection) {
  Peer& admin = Connect();
  admin.SendBytes("a b c d e f\r\n");
  EXPECT_TRUE(admin.ClosedByServer());
  EXPECT_EQ(Connect().AskList("status\r\n"), ".\n");
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
