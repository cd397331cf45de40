// Tests of submissions: their replies, limits, results, payloads, and the
// uniques that join them.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/tests/conformance/fixture.h"

namespace gearman {
namespace conformance {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SubmitConformance : public ConformanceTest {};
INSTANTIATE_TEST_SUITE_P(Servers, SubmitConformance,
                         ::testing::ValuesIn(Variants()), VariantName);

// --- submitting ---

TEST_P(SubmitConformance, EverySubmitCommandCreatesAJob) {
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

TEST_P(SubmitConformance, ForegroundJobReturnsEveryPacketOfItsWorker) {
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

TEST_P(SubmitConformance, FailureReachesTheClient) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kWorkFail, {Handle(1)});
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
}

TEST_P(SubmitConformance, BackgroundClientHearsNothingAfterTheHandle) {
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
TEST_P(SubmitConformance, PipelinedSubmitsGetTheirHandlesInOrder) {
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
TEST_P(SubmitConformance, ErrorTakesThePlaceOfTheReply) {
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
TEST_P(SubmitConformance, FullQueueReadsAsQueueError) {
  Peer& client = Connect();
  Submit(client, "f", "a", "", 1);
  EXPECT_EQ(client.Ask("maxqueue f 1\r\n"), "OK\r\n");
  EXPECT_EQ(client.Call(Command::kSubmitJob, {"f", "b", ""}),
            Packet(Command::kError, {"QUEUE_ERROR", "Job queue is full"}));
  // Another function has its own limit, and joining needs no room.
  Submit(client, "g", "b", "", 2);
  Submit(client, "f", "a", "", 1);
}

TEST_P(SubmitConformance, RunningJobsCountForTheLimitOfTheQueue) {
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

TEST_P(SubmitConformance, EachPriorityHasItsLimitComparedWithAllJobs) {
  Peer& client = Connect();
  Submit(client, "f", "a", "", 1);
  EXPECT_EQ(client.Ask("maxqueue f 2 1\r\n"), "OK\r\n");
  EXPECT_THAT(client.Call(Command::kSubmitJob, {"f", "b", ""}),
              IsError("QUEUE_ERROR"));
  Submit(client, "f", "c", "", 2, Command::kSubmitJobHigh);
  EXPECT_THAT(client.Call(Command::kSubmitJobHigh, {"f", "d", ""}),
              IsError("QUEUE_ERROR"));
  // With two numbers, jobs of low priority have no limit.
  Submit(client, "f", "e", "", 3, Command::kSubmitJobLow);
}

TEST_P(SubmitConformance, EmptyFunctionNameIsAName) {
  Peer& client = Connect();
  Submit(client, "", "u", "data", 1);
  Peer& worker = ConnectWorker({""});
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "", "data"));
}

TEST_P(SubmitConformance, NamesAreCaseSensitive) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"F"});
  Submit(client, "f", "u", "", 1);
  Submit(client, "f", "U", "", 2);
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
}

TEST_P(SubmitConformance, LongFunctionNameIsTakenWhole) {
  const std::string name(7000, 'n');
  Peer& client = Connect();
  Peer& worker = ConnectWorker({name});
  Submit(client, name, "u", "data", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, name, "data"));
}

TEST_P(SubmitConformance, FunctionNameBeyondAllMeasureIsRefused) {
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
TEST_P(SubmitConformance, HandlesMayHoldAnything) {
  options.job_handle_prefix =
      OnGearmand(Difference::kControlCharacters) ? "H: a\tb:c" : "H: a b:c";
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  const std::string handle = options.job_handle_prefix + ":1";
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

TEST_P(SubmitConformance, PayloadsOfAllSizesPassUnchanged) {
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

// --- uniques ---

// Trap 16: every packet arrives once for each submit.
TEST_P(SubmitConformance, TwoSubmitsOfOneUniqueOnOneConnectionBothEnd) {
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

TEST_P(SubmitConformance, EachConnectionThatJoinedGetsTheResult) {
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

TEST_P(SubmitConformance, JoinedJobKeepsItsPriority) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "a", "a", 1, Command::kSubmitJobLow);
  Submit(client, "f", "b", "b", 2);
  Submit(client, "f", "a", "a", 1, Command::kSubmitJobHigh);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", "b"));
}

TEST_P(SubmitConformance, FinishedJobIsNotJoined) {
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

TEST_P(SubmitConformance, EmptyUniqueNeverJoins) {
  Peer& client = Connect();
  Submit(client, "f", "", "same", 1);
  Submit(client, "f", "", "same", 2);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {""}),
            Packet(Command::kStatusResUnique, {"", "0", "0", "0", "0", "0"}));
}

TEST_P(SubmitConformance, UniqueDashJoinsEqualData) {
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

TEST_P(SubmitConformance, UniqueDashWithoutDataNeverJoins) {
  Peer& client = Connect();
  Submit(client, "f", "-", "", 1);
  Submit(client, "f", "-", "", 2);
}

TEST_P(SubmitConformance, OneUniqueOfTwoFunctionsIsTwoJobs) {
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  Submit(client, "g", "u", "", 2);
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(client.Call(Command::kGetStatusUnique, {"u"}).arguments.at(1), "1");
}

// Trap 17, the server's side.
TEST_P(SubmitConformance, UniqueOf63BytesJoinsAndArrivesWhole) {
  const std::string unique(63, 'u');
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", unique, "data", 1);
  Submit(client, "f", unique, "data", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJobUniq),
            Packet(Command::kJobAssignUniq, {Handle(1), "f", unique, "data"}));
}

TEST_P(SubmitConformance, UniqueOf64BytesIsTaken) {
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

TEST_P(SubmitConformance, UniqueOf65BytesIsRefused) {
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

TEST_P(SubmitConformance, ReducerOf65BytesIsRefused) {
  Peer& client = Connect();
  EXPECT_THAT(client.Call(Command::kSubmitReduceJob,
                          {"f", "u", std::string(65, 'r'), "", "data"}),
              IsError("ARGUMENT_TOO_LARGE"));
  EXPECT_EQ(client.Call(Command::kSubmitReduceJob,
                        {"f", "u", std::string(64, 'r'), "", "data"}),
            Created(1));
  Peer& worker = ConnectWorker({"f"});
  const Packet all = worker.Call(Command::kGrabJobAll);
  ASSERT_EQ(all.arguments.size(), 5u);
  EXPECT_EQ(all.arguments[3], std::string(64, 'r'));
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
