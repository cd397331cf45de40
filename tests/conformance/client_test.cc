// What a client sees: submits, replies, results, status, options.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/conformance/fixture.h"

namespace gearman {
namespace conformance {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ClientConformance : public ConformanceTest {};
INSTANTIATE_TEST_SUITE_P(Servers, ClientConformance,
                         ::testing::ValuesIn(Variants()), VariantName);

// --- submitting ---

TEST_P(ClientConformance, EverySubmitCommandCreatesAJob) {
  Peer& client = Connect();
  Submit(client, "f", "a", "data", 1, Command::kSubmitJob);
  Submit(client, "f", "b", "data", 2, Command::kSubmitJobBg);
  Submit(client, "f", "c", "data", 3, Command::kSubmitJobHigh);
  Submit(client, "f", "d", "data", 4, Command::kSubmitJobHighBg);
  Submit(client, "f", "e", "data", 5, Command::kSubmitJobLow);
  Submit(client, "f", "f", "data", 6, Command::kSubmitJobLowBg);
  EXPECT_EQ(client.Call(Command::kSubmitJobEpoch, {"f", "g", "1", "data"}),
            Created(7));
  EXPECT_EQ(client.Call(Command::kSubmitReduceJob, {"f", "h", "r", "", "data"}),
            Created(8));
  EXPECT_EQ(client.Call(Command::kSubmitReduceJobBackground,
                        {"f", "i", "r", "", "data"}),
            Created(9));
  EXPECT_EQ(client.AskList("status\r\n"), "f\t9\t0\t0\n.\n");
}

TEST_P(ClientConformance, ForegroundJobReturnsEveryPacketOfItsWorker) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"reverse"});
  Submit(client, "reverse", "u", "abc", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "reverse", "abc"));
  worker.SendAll({{Command::kWorkData, {Handle(1), "some"}},
                  {Command::kWorkWarning, {Handle(1), "careful"}},
                  {Command::kWorkStatus, {Handle(1), "1", "2"}},
                  {Command::kWorkComplete, {Handle(1), "cba"}}});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_THAT(client.Drain(),
              ElementsAre(Packet(Command::kWorkData, {Handle(1), "some"}),
                          Packet(Command::kWorkWarning, {Handle(1), "careful"}),
                          Packet(Command::kWorkStatus, {Handle(1), "1", "2"}),
                          Packet(Command::kWorkComplete, {Handle(1), "cba"})));
}

TEST_P(ClientConformance, FailureReachesTheClient) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkFail, {Handle(1)});
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
}

TEST_P(ClientConformance, BackgroundClientHearsNothingAfterTheHandle) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1, Command::kSubmitJobBg);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.SendAll({{Command::kWorkData, {Handle(1), "some"}},
                  {Command::kWorkComplete, {Handle(1), "all"}}});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_THAT(client.Drain(), IsEmpty());
}

// Trap 13.
TEST_P(ClientConformance, PipelinedSubmitsGetTheirHandlesInOrder) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  std::vector<Packet> submits;
  for (int i = 1; i <= 1000; ++i) {
    submits.push_back({Command::kSubmitJob, {"f", "", absl::StrCat(i)}});
  }
  client.SendAll(submits);
  worker.SendAll(std::vector<Packet>(500, Packet(Command::kGrabJob)));
  for (int i = 1; i <= 1000; ++i) {
    ASSERT_EQ(client.Receive(), Created(i));
  }
  EXPECT_THAT(client.Drain(), IsEmpty());
}

// Trap 14.
TEST_P(ClientConformance, ErrorTakesThePlaceOfTheReply) {
  Peer& client = Connect();
  client.SendAll({{Command::kSubmitJob, {"f", "", "1"}},
                  {Command::kSubmitJob, {"f", std::string(65, 'u'), "2"}},
                  {Command::kOptionReq, {"nonsense"}},
                  {Command::kGetStatus, {Handle(1)}},
                  {Command::kSubmitJob, {"f", "", "3"}}});
  EXPECT_EQ(client.Receive(), Created(1));
  EXPECT_EQ(client.Receive(),
            Packet(Command::kError,
                   {"ARGUMENT_TOO_LARGE", "Unique value too large"}));
  EXPECT_EQ(
      client.Receive(),
      Packet(Command::kError,
             {"UNKNOWN_OPTION", "Server does not recognize given option"}));
  EXPECT_EQ(client.Receive(),
            Packet(Command::kStatusRes, {Handle(1), "1", "0", "0", "0"}));
  EXPECT_EQ(client.Receive(), Created(2));
}

// Trap 15.
TEST_P(ClientConformance, FullQueueReadsAsQueueError) {
  Peer& client = Connect();
  Submit(client, "f", "a", "", 1);
  EXPECT_EQ(client.Ask("maxqueue f 1\r\n"), "OK\r\n");
  EXPECT_EQ(client.Call(Command::kSubmitJob, {"f", "b", ""}),
            Packet(Command::kError, {"QUEUE_ERROR", "Job queue is full"}));
  // Another function has its own limit, and joining needs no room.
  Submit(client, "g", "b", "", 2);
  Submit(client, "f", "a", "", 1);
}

TEST_P(ClientConformance, RunningJobsCountForTheLimitOfTheQueue) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "a", "", 1);
  EXPECT_EQ(client.Ask("maxqueue f 1\r\n"), "OK\r\n");
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  EXPECT_THAT(client.Call(Command::kSubmitJob, {"f", "b", ""}),
              IsError("QUEUE_ERROR"));
  worker.Send(Command::kWorkComplete, {Handle(1), ""});
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkComplete, {Handle(1), ""}));
  Submit(client, "f", "b", "", 2);
}

TEST_P(ClientConformance, EachPriorityHasItsLimitComparedWithAllJobs) {
  Peer& client = Connect();
  Submit(client, "f", "a", "", 1);
  EXPECT_EQ(client.Ask("maxqueue f 2 1\r\n"), "OK\r\n");
  EXPECT_THAT(client.Call(Command::kSubmitJob, {"f", "b", ""}),
              IsError("QUEUE_ERROR"));
  Submit(client, "f", "c", "", 2, Command::kSubmitJobHigh);
  EXPECT_THAT(client.Call(Command::kSubmitJobHigh, {"f", "d", ""}),
              IsError("QUEUE_ERROR"));
  // Of two numbers, the low ones have none.
  Submit(client, "f", "e", "", 3, Command::kSubmitJobLow);
}

TEST_P(ClientConformance, EmptyFunctionNameIsAName) {
  Peer& client = Connect();
  Submit(client, "", "u", "data", 1);
  Peer& worker = ConnectWorker({""});
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "", "data"));
}

TEST_P(ClientConformance, NamesAreCaseSensitive) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"F"});
  Submit(client, "f", "u", "", 1);
  Submit(client, "f", "U", "", 2);
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
}

TEST_P(ClientConformance, LongFunctionNameIsTakenWhole) {
  const std::string name(7000, 'n');
  Peer& client = Connect();
  Peer& worker = ConnectWorker({name});
  Submit(client, name, "u", "data", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, name, "data"));
}

TEST_P(ClientConformance, FunctionNameBeyondAllMeasureIsRefused) {
  Peer& client = Connect();
  client.Send(Command::kSubmitJob, {std::string(9000, 'n'), "u", "data"});
  if (OnGearmand(Difference::kLongNames)) {
    EXPECT_TRUE(client.ClosedByServer());
  } else {
    EXPECT_EQ(client.Receive(),
              Packet(Command::kError,
                     {"ARGUMENT_TOO_LARGE", "Function name too large"}));
    EXPECT_THAT(client.Drain(), IsEmpty());
  }
}

// Trap 6, the server's side.
TEST_P(ClientConformance, HandlesMayHoldAnything) {
  options.job_handle_prefix = "H: a\tb:c";
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  const std::string handle = "H: a\tb:c:1";
  EXPECT_EQ(client.Call(Command::kSubmitJob, {"f", "u", ""}),
            Packet(Command::kJobCreated, {handle}));
  EXPECT_EQ(client.Call(Command::kGetStatus, {handle}),
            Packet(Command::kStatusRes, {handle, "1", "0", "0", "0"}));
  EXPECT_EQ(worker.Call(Command::kGrabJob),
            Packet(Command::kJobAssign, {handle, "f", ""}));
  worker.Send(Command::kWorkComplete, {handle, "done"});
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkComplete, {handle, "done"}));
}

// --- payloads ---

TEST_P(ClientConformance, PayloadsOfAllSizesPassUnchanged) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  int n = 0;
  for (const size_t size : {0, 1, 255, 256, 513, 65536, 1 << 20, 16 << 20}) {
    if (GetParam().in_pieces && size > 65536) break;
    std::string payload;
    while (payload.size() < size) payload += all_bytes;
    payload.resize(size);
    Submit(client, "f", "u", payload, ++n);
    worker.Send(Command::kGrabJobUniq);
    ASSERT_EQ(worker.Receive(),
              Packet(Command::kJobAssignUniq, {Handle(n), "f", "u", payload}));
    worker.SendAll({{Command::kWorkData, {Handle(n), payload}},
                    {Command::kWorkComplete, {Handle(n), payload}}});
    ASSERT_EQ(client.Receive(),
              Packet(Command::kWorkData, {Handle(n), payload}));
    ASSERT_EQ(client.Receive(),
              Packet(Command::kWorkComplete, {Handle(n), payload}));
  }
}

TEST_P(ClientConformance, EchoReturnsItsData) {
  Peer& client = Connect();
  for (const std::string& data :
       {std::string(), std::string("a\0b\0", 4), std::string(1 << 20, 'x')}) {
    if (GetParam().in_pieces && data.size() > 65536) break;
    EXPECT_EQ(client.Call(Command::kEchoReq, {data}),
              Packet(Command::kEchoRes, {data}));
  }
}

// --- uniques ---

// Trap 16: every packet arrives once for each submit.
TEST_P(ClientConformance, TwoSubmitsOfOneUniqueOnOneConnectionBothEnd) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "first", 1);
  Submit(client, "f", "u", "second", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", "first"));
  worker.SendAll({{Command::kWorkData, {Handle(1), "some"}},
                  {Command::kWorkComplete, {Handle(1), "all"}}});
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
  const Packet data(Command::kWorkData, {Handle(1), "some"});
  const Packet complete(Command::kWorkComplete, {Handle(1), "all"});
  EXPECT_THAT(client.Drain(), ElementsAre(data, data, complete, complete));
}

TEST_P(ClientConformance, EachConnectionThatJoinedGetsTheResult) {
  const std::string result(100000, 'r');
  Peer& first = Connect();
  Peer& second = Connect();
  Peer& gone = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(first, "f", "u", "", 1);
  Submit(second, "f", "u", "", 1);
  Submit(gone, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  gone.Close();
  worker.Send(Command::kWorkComplete, {Handle(1), result});
  const Packet complete(Command::kWorkComplete, {Handle(1), result});
  EXPECT_EQ(first.Receive(), complete);
  EXPECT_EQ(second.Receive(), complete);
}

TEST_P(ClientConformance, JoinedJobKeepsItsPriority) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "a", "a", 1, Command::kSubmitJobLow);
  Submit(client, "f", "b", "b", 2);
  Submit(client, "f", "a", "a", 1, Command::kSubmitJobHigh);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", "b"));
}

TEST_P(ClientConformance, FinishedJobIsNotJoined) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  // A running one is.
  Submit(client, "f", "u", "", 1);
  worker.Send(Command::kWorkComplete, {Handle(1), ""});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_THAT(client.Drain(), SizeIs(2));
  Submit(client, "f", "u", "", 2);
}

TEST_P(ClientConformance, EmptyUniqueNeverJoins) {
  Peer& client = Connect();
  Submit(client, "f", "", "same", 1);
  Submit(client, "f", "", "same", 2);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {""}),
            Packet(Command::kStatusResUnique, {"", "0", "0", "0", "0", "0"}));
}

TEST_P(ClientConformance, UniqueDashJoinsEqualData) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "-", "data", 1);
  Submit(client, "f", "-", "other", 2);
  Submit(client, "f", "-", "data", 1);
  Submit(client, "g", "-", "data", 3);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"-"}),
            Packet(Command::kStatusResUnique, {"-", "0", "0", "0", "0", "0"}));
  EXPECT_EQ(worker.Call(Command::kGrabJobUniq),
            Packet(Command::kJobAssignUniq, {Handle(1), "f", "-", "data"}));
}

TEST_P(ClientConformance, UniqueDashWithoutDataNeverJoins) {
  Peer& client = Connect();
  Submit(client, "f", "-", "", 1);
  Submit(client, "f", "-", "", 2);
}

TEST_P(ClientConformance, OneUniqueOfTwoFunctionsIsTwoJobs) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  Submit(client, "g", "u", "", 2);
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}).arguments.at(1), "1");
}

// Trap 17, the server's side.
TEST_P(ClientConformance, UniqueOf63BytesJoinsAndArrivesWhole) {
  const std::string unique(63, 'u');
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", unique, "data", 1);
  Submit(client, "f", unique, "data", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJobUniq),
            Packet(Command::kJobAssignUniq, {Handle(1), "f", unique, "data"}));
}

TEST_P(ClientConformance, UniqueOf64BytesIsTaken) {
  const std::string unique(64, 'u');
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", unique, "data", 1);
  if (OnGearmand(Difference::kUniqueOf64Bytes)) {
    Submit(client, "f", unique, "data", 2);
    EXPECT_EQ(
        worker.Call(Command::kGrabJobUniq),
        Packet(Command::kJobAssignUniq, {Handle(1), "f", std::string(63, 'u'),
                                         std::string("\0data", 5)}));
  } else {
    Submit(client, "f", unique, "data", 1);
    EXPECT_EQ(
        worker.Call(Command::kGrabJobUniq),
        Packet(Command::kJobAssignUniq, {Handle(1), "f", unique, "data"}));
  }
}

TEST_P(ClientConformance, UniqueOf65BytesIsRefused) {
  Peer& client = Connect();
  for (const Command command :
       {Command::kSubmitJob, Command::kSubmitJobBg, Command::kSubmitJobHigh,
        Command::kSubmitJobHighBg, Command::kSubmitJobLow,
        Command::kSubmitJobLowBg}) {
    EXPECT_EQ(client.Call(command, {"f", std::string(65, 'u'), ""}),
              Packet(Command::kError,
                     {"ARGUMENT_TOO_LARGE", "Unique value too large"}));
  }
  EXPECT_THAT(client.Call(Command::kSubmitJobEpoch,
                          {"f", std::string(65, 'u'), "1", ""}),
              IsError("ARGUMENT_TOO_LARGE"));
}

// --- status ---

// Traps 24 and 26.
TEST_P(ClientConformance, StatusFollowsTheJob) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  EXPECT_THAT(Status(client, 1), ElementsAre("0", "0", "0", "0"));
  Submit(client, "f", "u", "", 1);
  EXPECT_THAT(Status(client, 1), ElementsAre("1", "0", "0", "0"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", "0", "0"));
  worker.Send(Command::kWorkStatus, {Handle(1), "4294967295", "10"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkStatus, {Handle(1), "4294967295", "10"}));
  EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", "4294967295", "10"));
  worker.Send(Command::kWorkComplete, {Handle(1), ""});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  client.Drain();
  EXPECT_THAT(Status(client, 1), ElementsAre("0", "0", "0", "0"));
}

// Trap 25, the server's side.
TEST_P(ClientConformance, WorkersWordsReachTheClientAndTheirNumberIsKept) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  struct {
    std::string said;
    std::string kept;
  } const cases[] = {{"0.5", "0"},        {"-1", "4294967295"},
                     {"", "0"},           {" 7x", "7"},
                     {"4294967296", "0"}, {"9999999999", "1410065407"},
                     {"nonsense", "0"}};
  for (const auto& test : cases) {
    worker.Send(Command::kWorkStatus, {Handle(1), test.said, test.said});
    EXPECT_THAT(worker.Drain(), IsEmpty());
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkStatus, {Handle(1), test.said, test.said}));
    EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", test.kept, test.kept))
        << test.said;
  }
}

TEST_P(ClientConformance, DenominatorIsReadToItsTenthByte) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkStatus, {Handle(1), "12345678901", "12345678901"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_THAT(client.Receive().arguments,
              ElementsAre(Handle(1), "12345678901", "12345678901"));
  EXPECT_THAT(Status(client, 1),
              ElementsAre("1", "1", "3755744309", "1234567890"));
}

TEST_P(ClientConformance, LongerDenominatorReachesTheClient) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1, Command::kSubmitJob);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkStatus, {Handle(1), "1", "1.33333333333"});
  if (OnGearmand(Difference::kLongDenominator)) {
    // The numerator is kept, nobody is told anything, and later packets may end
    // the worker's connection.
    EXPECT_TRUE(Eventually([&client] { return Status(client, 1)[2] == "1"; }));
    EXPECT_THAT(Status(client, 1), ElementsAre("1", "1", "1", "0"));
    EXPECT_THAT(client.Drain(), IsEmpty());
  } else {
    EXPECT_THAT(worker.Drain(), IsEmpty());
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkStatus, {Handle(1), "1", "1.33333333333"}));
  }
}

TEST_P(ClientConformance, StatusByUniqueCountsThoseWhoWait) {
  Peer& client = Connect();
  Peer& other = Connect();
  Peer& worker = ConnectWorker({"f"});
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}),
            Packet(Command::kStatusResUnique, {"u", "0", "0", "0", "0", "0"}));
  Submit(client, "f", "u", "", 1, Command::kSubmitJobBg);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}),
            Packet(Command::kStatusResUnique, {"u", "1", "0", "0", "0", "0"}));
  Submit(client, "f", "u", "", 1);
  Submit(other, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkStatus, {Handle(1), "3", "4"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  client.Drain();
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}),
            Packet(Command::kStatusResUnique, {"u", "1", "1", "3", "4", "2"}));
}

TEST_P(ClientConformance, AnybodyMayAskForAnyHandle) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  EXPECT_THAT(Status(Connect(), 1), ElementsAre("1", "0", "0", "0"));
}

TEST_P(ClientConformance, HandleMayEndInNul) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(client.Call(Command::kGetStatus, {Handle(1) + std::string(1, 0)}),
            Packet(Command::kStatusRes, {Handle(1), "1", "0", "0", "0"}));
}

TEST_P(ClientConformance, HandleIsMatchedExactly) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  for (const std::string handle :
       {"H:test:01", "H:test:+1", "H:test: 1", "H:test:", "H:test", "H:test:1 ",
        "H:test:11", "h:test:1", "", "1", "H:test:99999999999999999999999"}) {
    EXPECT_EQ(client.Call(Command::kGetStatus, {handle}),
              Packet(Command::kStatusRes, {handle, "0", "0", "0", "0"}));
  }
}

// Trap 8, the server's side.
TEST_P(ClientConformance, StatusQueryOf63BytesIsAnswered) {
  const std::string name(63, 'h');
  Peer& client = Connect();
  EXPECT_EQ(client.Call(Command::kGetStatus, {name}),
            Packet(Command::kStatusRes, {name, "0", "0", "0", "0"}));
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {name}),
            Packet(Command::kStatusResUnique, {name, "0", "0", "0", "0", "0"}));
}

TEST_P(ClientConformance, StatusQueryOf64BytesIsAnswered) {
  const std::string name(64, 'h');
  Peer& client = Connect();
  client.Send(Command::kGetStatus, {name});
  if (OnGearmand(Difference::kLongStatusQuery)) {
    // Nothing comes, and later packets end the connection.
    EXPECT_TRUE(Eventually([&client] {
      client.Send(Command::kGetStatus, {""});
      return client.Readable(absl::ZeroDuration());
    }));
    return;
  }
  EXPECT_EQ(client.Receive(),
            Packet(Command::kStatusRes, {name, "0", "0", "0", "0"}));
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {name}),
            Packet(Command::kStatusResUnique, {name, "0", "0", "0", "0", "0"}));
  Submit(client, "f", name, "", 1);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {name}),
            Packet(Command::kStatusResUnique, {name, "1", "0", "0", "0", "1"}));
}

// --- exceptions ---

// Trap 21.
TEST_P(ClientConformance,
       UnwantedExceptionComesAsFailureWithANulBehindTheHandle) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkFail, {Handle(1) + std::string(1, 0)}));
  EXPECT_THAT(Status(client, 1), ElementsAre("0", "0", "0", "0"));
}

TEST_P(ClientConformance, ExceptionComesToThoseWhoAskedForIt) {
  Peer& client = Connect();
  Peer& other = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  Submit(other, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  // Also after the submit, and in any case.
  EXPECT_EQ(client.Call(Command::kOptionReq, {"ExCePtIoNs"}),
            Packet(Command::kOptionRes, {"ExCePtIoNs"}));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkException, {Handle(1), "why"}));
  EXPECT_EQ(other.Receive().command, Command::kWorkFail);
}

// Trap 22, the server's side.
TEST_P(ClientConformance, ExceptionsOptionEndsWithItsConnection) {
  Peer& before = Connect();
  EXPECT_EQ(before.Call(Command::kOptionReq, {"exceptions"}),
            Packet(Command::kOptionRes, {"exceptions"}));
  before.Close();
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  EXPECT_EQ(client.Receive().command, Command::kWorkFail);
}

TEST_P(ClientConformance, ServerCanSendExceptionsToAll) {
  options.exceptions = true;
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkException, {Handle(1), "why"});
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkException, {Handle(1), "why"}));
}

TEST_P(ClientConformance, UnknownOptionsAreRefused) {
  Peer& client = Connect();
  for (const std::string& option :
       {std::string(), std::string("exception"), std::string("exceptions "),
        std::string(64, 'o'), std::string(200, 'o')}) {
    EXPECT_EQ(
        client.Call(Command::kOptionReq, {option}),
        Packet(Command::kError,
               {"UNKNOWN_OPTION", "Server does not recognize given option"}));
  }
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
