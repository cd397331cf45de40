// Tests of the limits of ServerEngine: the commands that it refuses, and the
// memory for peers that repeat them.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/work_meter.h"
#include "gearman/tests/sdk/embedded/engine_fixture.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/text/safe_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::RequestPacket;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using ServerEngineLimitsTest = ServerEngineTest;

// --- jobs and bytes ----------------------------------------------------------

TEST_F(ServerEngineLimitsTest, RefusesJobsBeyondItsLimits) {
  options.queue.max_jobs = 2;
  options.queue.max_bytes = 10;
  EnginePeer& client = Connect(Submit("f", "u", "12345"));
  client.Received();
  EXPECT_THAT(Ask(client, Submit("f", "", "123456")),
              ElementsAre(StartsWith("ERROR QUEUE_ERROR|")));
  // A submission that joins a job takes no room.
  EXPECT_THAT(Ask(client, Submit("f", "u", "123456")),
              ElementsAre("JOB_CREATED H:1"));
  EXPECT_THAT(Ask(client, Submit("g", "", "")), ElementsAre("JOB_CREATED H:2"));
  EXPECT_THAT(Ask(client, Submit("g", "", "")),
              ElementsAre(StartsWith("ERROR QUEUE_ERROR|")));
}

TEST_F(ServerEngineLimitsTest, AsManyMayJoinAsThereMayBeJobs) {
  options.queue.max_jobs = 2;
  EnginePeer& client = Connect(Submit("f", "u", ""));
  client.Received();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Ask(client, Submit("f", "u", "")),
                ElementsAre("JOB_CREATED H:1"));
  }
  EXPECT_THAT(Ask(client, Submit("f", "u", "")),
              ElementsAre(StartsWith("ERROR QUEUE_ERROR|")));
  // Nobody waits for a background job.
  EXPECT_THAT(Ask(client, RequestPacket(18, {"f", "u", ""})),
              ElementsAre("JOB_CREATED H:1"));
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Send(Complete("H:1", "done"));
  EXPECT_THAT(client.Received(), SizeIs(3));
  EXPECT_THAT(Ask(client, Submit("f", "u", "") + Submit("f", "u", "")),
              ElementsAre("JOB_CREATED H:2", "JOB_CREATED H:2"));
}

TEST_F(ServerEngineLimitsTest, OnePacketDoesNotBecomeMoreThanMayWait) {
  options.max_output_bytes = 100000;
  std::string joins;
  for (int i = 0; i < 1000; ++i) joins += Submit("f", "u", "");
  EnginePeer& client = Connect(joins);
  client.Received();
  EnginePeer& other = Connect(Submit("f", "u", ""));
  other.Received();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Received();
  EXPECT_TRUE(worker.Send(RequestPacket(28, {"H:1", std::string(10000, 'x')})));
  // The thousand copies would be ten million bytes.
  EXPECT_EQ(client.connection()->failure().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_LE(client.connection()->output_bytes(), 120000u);
  EXPECT_TRUE(other.connection()->failure().ok());
  EXPECT_THAT(other.Received(), SizeIs(1));
}

TEST_F(ServerEngineLimitsTest, RefusesNamesThatNoAssignmentCouldHold) {
  EnginePeer& client = Connect();
  EXPECT_THAT(Ask(client, Submit(std::string(8000, 'f'), "", "")),
              ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|")));
  EXPECT_THAT(Ask(client, Submit("f", std::string(65, 'u'), "")),
              ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|")));
  EXPECT_THAT(
      Ask(client, RequestPacket(37, {"f", "", std::string(65, 'r'), "", ""})),
      ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|")));
  // The largest that are taken reach a worker.
  const std::string function(7900, 'f');
  client.Send(RequestPacket(
      37, {function, std::string(64, 'u'), std::string(64, 'r'), "", "data"}));
  EXPECT_THAT(client.Received(), ElementsAre("JOB_CREATED H:1"));
  EnginePeer& worker = Connect(CanDo(function) + RequestPacket(39));
  EXPECT_THAT(worker.Received(),
              ElementsAre(StartsWith("JOB_ASSIGN_ALL H:1|")));
  EXPECT_THAT(Ask(worker, CanDo(std::string(8000, 'f'))),
              ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|")));
  EXPECT_THAT(Ask(worker, RequestPacket(23, {std::string(60000, 'f'), "9"})),
              ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|")));
  // Progress of so many digits is refused as well.
  EXPECT_THAT(
      Ask(worker, RequestPacket(12, {"H:1", "1", std::string(8000, '9')})),
      ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|")));
  EXPECT_TRUE(client.connection()->failure().ok());
}

// --- names -------------------------------------------------------------------

TEST_F(ServerEngineLimitsTest, RefusesNamesThatWouldForgeRowsOfLists) {
  EnginePeer& peer = Connect();
  for (const std::string name :
       {"two\nlines", "a\tb", "\r", "bell\a", "\x7f"}) {
    for (const uint32_t submit : {7u, 18u, 21u, 32u, 33u, 34u}) {
      EXPECT_THAT(Ask(peer, RequestPacket(submit, {name, "", ""})),
                  ElementsAre(StartsWith("ERROR INVALID_ARGS|")));
    }
    EXPECT_THAT(Ask(peer, RequestPacket(36, {name, "", "1", ""})),
                ElementsAre(StartsWith("ERROR INVALID_ARGS|")));
    EXPECT_THAT(Ask(peer, RequestPacket(37, {name, "", "r", "", ""})),
                ElementsAre(StartsWith("ERROR INVALID_ARGS|")));
    EXPECT_THAT(Ask(peer, CanDo(name)),
                ElementsAre(StartsWith("ERROR INVALID_ARGS|")));
    EXPECT_THAT(Ask(peer, RequestPacket(23, {name, "9"})),
                ElementsAre(StartsWith("ERROR INVALID_ARGS|")));
    EXPECT_THAT(Ask(peer, RequestPacket(22, {name})),
                ElementsAre(StartsWith("ERROR INVALID_ARGS|")));
  }
  EXPECT_THAT(Ask(peer, CanDo(std::string("nul\0", 4))),
              ElementsAre(StartsWith("ERROR INVALID_ARGS|")));
  peer.Send("create function a\tb\r\n");
  EXPECT_THAT(peer.ReceivedBytes(), StartsWith("ERR INVALID_ARGUMENTS "));
  peer.Send("status\r\nworkers\r\n");
  EXPECT_EQ(peer.ReceivedBytes(), ".\n0 test - :\n.\n");
  // Other bytes are nobody's business.
  peer.Send(
      CanDo("gr\xc3\xbc\xc3\x9f"
            "e \xff"));
  EXPECT_THAT(peer.Received(), IsEmpty());
}

TEST_F(ServerEngineLimitsTest, ListsShowOneRowForEachHostileNameOrRefuseIt) {
  EnginePeer& peer = Connect();
  size_t rows = 0;
  for (const support::HostileName& name : support::HostileNames()) {
    SCOPED_TRACE(name.safe);
    peer.Send(CanDo(name.name) + RequestPacket(22, {name.name}));
    EXPECT_EQ(peer.Received().empty(), name.listable);
    if (name.listable) ++rows;
    EXPECT_THAT(Ask(peer, Submit(name.name, name.name.substr(0, 60), "")),
                ElementsAre(StartsWith(name.listable ? "JOB_CREATED"
                                                     : "ERROR INVALID_ARGS")));
  }
  const auto lines_of = [&peer](const std::string& command) {
    peer.Send(command + "\r\n");
    const std::vector<std::string> lines =
        absl::StrSplit(peer.ReceivedBytes(), '\n');
    for (const std::string& line : lines) {
      EXPECT_TRUE(IsListable(absl::StrReplaceAll(line, {{"\t", ""}}))) << line;
    }
    return lines.size() - 2;  // without the end
  };
  EXPECT_EQ(lines_of("status"), rows);
  EXPECT_EQ(lines_of("prioritystatus"), rows);
  EXPECT_EQ(lines_of("show unique jobs"), rows);
  EXPECT_EQ(lines_of("workers"), 1u);
}

TEST_F(ServerEngineLimitsTest, AUniqueForgesNoRow) {
  EnginePeer& peer = Connect(Submit("f", ".", "") + Submit("f", "a\n.", "") +
                             Submit("f", "a.b", ""));
  peer.Received();
  peer.Send("show unique jobs\r\n");
  EXPECT_EQ(peer.ReceivedBytes(), "\\x2e\na\\x0a.\na.b\n.\n");
  // The unique itself is what it was.
  EXPECT_THAT(Ask(peer, RequestPacket(41, {"a\n."})),
              ElementsAre("STATUS_RES_UNIQUE a\n.|1|0|0|0|1"));
}

TEST_F(ServerEngineLimitsTest, NamesOfGoneWorkersAreKeptUpToALimit) {
  const auto bytes = [this] { return engine().queue().memory(); };
  auto worker = std::make_unique<EnginePeer>(&engine());
  const std::string rest(7000, 'f');
  // 56 MB of names.
  for (int i = 0; i < 8000; ++i) worker->Send(CanDo(absl::StrCat(i, rest)));
  EXPECT_GT(bytes(), 56000000u);
  worker = nullptr;
  // With their records.
  EXPECT_LE(bytes(), kMaxIdleNameBytes + kMaxIdleNameBytes / 4);
  EXPECT_GT(bytes(), kMaxIdleNameBytes - 8000);
  // The oldest have gone.
  EXPECT_EQ(engine().queue().FindFunction(absl::StrCat("7999", rest)), nullptr);
  EXPECT_NE(engine().queue().FindFunction(absl::StrCat("0", rest)), nullptr);
}

TEST_F(ServerEngineLimitsTest, NamesCountInBytes) {
  options.queue.max_memory = 20000;
  EnginePeer& peer = Connect(CanDo(std::string(7000, 'f')));
  peer.Send(CanDo(std::string(7000, 'g')));
  EXPECT_THAT(peer.Received(), IsEmpty());
  EXPECT_THAT(Ask(peer, CanDo(std::string(7000, 'h'))),
              ElementsAre(StartsWith("ERROR QUEUE_ERROR|Too many functions")));
}

// --- functions ---------------------------------------------------------------

TEST_F(ServerEngineLimitsTest,
       WorkersWithFewFunctionsFindRoomBesideGreedyOnes) {
  options.queue.max_functions = 1000;
  options.workers.max_abilities = 100;
  std::vector<EnginePeer*> greedy;
  for (int i = 0; i < 10; ++i) {
    greedy.push_back(&Connect());
    for (int n = 0; n < 100; ++n) {
      greedy.back()->Send(CanDo(absl::StrCat(i, "-", n)));
    }
    // Nothing that was allowed before is refused.
    EXPECT_THAT(greedy.back()->Received(), IsEmpty());
  }
  EnginePeer& eleventh = Connect();
  for (int n = 0; n < 100; ++n) eleventh.Send(CanDo(absl::StrCat("11-", n)));
  EXPECT_THAT(eleventh.Received(), Not(IsEmpty()));
  // A worker that comes back with what it has always done.
  for (int i = 0; i < 20; ++i) {
    EnginePeer& worker = Connect(CanDo(absl::StrCat("honest-", i)));
    EXPECT_THAT(worker.Received(), IsEmpty()) << i;
  }
  // The functions of all workers together have a limit.
  for (int i = 0; i < 2000; ++i) Connect(CanDo(absl::StrCat("many-", i)));
  EXPECT_LE(engine().queue().Functions().size(), 1250u);
}

TEST_F(ServerEngineLimitsTest, ARefusedSubmitLeavesNoFunction) {
  options.queue.max_jobs = 1;
  EnginePeer& client = Connect(Submit("f", "", ""));
  client.Received();
  EXPECT_THAT(Ask(client, Submit("g", "", "")),
              ElementsAre(StartsWith("ERROR QUEUE_ERROR|")));
  EXPECT_EQ(engine().queue().FindFunction("g"), nullptr);
  EXPECT_THAT(engine().queue().Functions(), SizeIs(1));
}

TEST_F(ServerEngineLimitsTest, AFunctionRegisteredAgainIsOneWithANewLimit) {
  EnginePeer& worker = Connect();
  for (int i = 0; i < 1000; ++i) {
    worker.Send(CanDo("f") + RequestPacket(23, {"f", "5000"}));
  }
  worker.Send(RequestPacket(23, {"f", "7000"}));
  EXPECT_THAT(worker.connection()->functions(), ElementsAre("f"));
  worker.Send(SubmitBackground("f", "") + Grab());
  EXPECT_EQ(engine().next_deadline(), kStart + absl::Seconds(7));
  // The count, as in gearmand, is the number of registrations, and one CANT_DO
  // ends them all.
  EXPECT_EQ(engine().queue().FindFunction("f")->workers, 2001u);
  worker.Send(RequestPacket(2, {"f"}));
  EXPECT_EQ(engine().queue().FindFunction("f")->workers, 0u);
}

TEST_F(ServerEngineLimitsTest, AFunctionRegisteredAgainIsTriedFirst) {
  EnginePeer& worker = Connect(CanDo("f") + CanDo("g") + CanDo("f"));
  EXPECT_THAT(worker.connection()->functions(), ElementsAre("f", "g"));
  worker.Send(SubmitBackground("g", "") + SubmitBackground("f", ""));
  worker.Received();
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("JOB_ASSIGN H:2|f|"));
}

TEST_F(ServerEngineLimitsTest, AWorkerHasNoMoreFunctionsThanTheLimit) {
  options.workers.max_abilities = 2;
  EnginePeer& worker = Connect(CanDo("f") + CanDo("g"));
  EXPECT_THAT(worker.Received(), IsEmpty());
  EXPECT_THAT(
      Ask(worker, CanDo("h")),
      ElementsAre("ERROR QUEUE_ERROR|Too many functions of one worker: h"));
  EXPECT_EQ(engine().queue().FindFunction("h"), nullptr);
  // A function that the worker has may be registered again, and a new one in
  // the place of another.
  EXPECT_THAT(Ask(worker, CanDo("f") + RequestPacket(2, {"g"}) + CanDo("h")),
              IsEmpty());
  EXPECT_THAT(worker.connection()->functions(), ElementsAre("h", "f"));
}

TEST_F(ServerEngineLimitsTest, ForgetsTheNameThatIsUnusedForTheLongestTime) {
  options.queue.max_functions = 3;
  EnginePeer& client = Connect();
  EnginePeer& worker = Connect(CanDo("held"));
  int jobs = 0;
  const auto use = [&](const std::string& function) {
    client.Send(SubmitBackground(function, ""));
    EXPECT_THAT(client.Received(), ElementsAre(StartsWith("JOB_CREATED ")));
    worker.Send(CanDo(function) + Grab());
    const std::string handle = absl::StrCat("H:", ++jobs);
    worker.Send(Complete(handle, "") + RequestPacket(2, {function}));
    worker.Received();
  };
  use("a");
  use("b");
  use("a");
  use("c");
  JobQueue& queue = engine().queue();
  EXPECT_EQ(queue.FindFunction("b"), nullptr);
  EXPECT_NE(queue.FindFunction("a"), nullptr);
  EXPECT_NE(queue.FindFunction("held"), nullptr);
  // Thousands of names are no more than the limit.
  for (int i = 0; i < 1000; ++i) use(absl::StrCat("once-", i));
  EXPECT_THAT(queue.Functions(), SizeIs(3));
}

TEST_F(ServerEngineLimitsTest, RefusesAFunctionWhenAllAreInUse) {
  options.queue.max_functions = 4;
  EnginePeer& admin = Connect("create function limited\r\n");
  admin.Send("maxqueue limited 5\r\n");
  EnginePeer& worker = Connect(CanDo("registered"));
  EnginePeer& client = Connect(SubmitBackground("waiting", ""));
  client.Send(SubmitBackground("running", ""));
  client.Received();
  EnginePeer& holder = Connect(CanDo("running") + Grab());
  holder.Send(RequestPacket(2, {"running"}));
  EXPECT_THAT(Ask(client, SubmitBackground("more", "")),
              ElementsAre("ERROR QUEUE_ERROR|Too many functions"));
  EXPECT_THAT(Ask(worker, CanDo("more")),
              ElementsAre("ERROR QUEUE_ERROR|Too many functions: more"));
  admin.ReceivedBytes();
  admin.Send("create function more\r\n");
  EXPECT_EQ(admin.ReceivedBytes(), "ERR QUEUE_ERROR Too many functions\r\n");
  EXPECT_EQ(engine().queue().FindFunction("more"), nullptr);
  // The function "registered" comes free.
  worker.Leave();
  EXPECT_THAT(Ask(client, SubmitBackground("more", "")),
              ElementsAre(StartsWith("JOB_CREATED ")));
}

// --- all connections together --------------------------------------------------

// The end of a job whose worker has left makes output for those who wait. It
// may be too much for the server while the worker's connection is taken apart.
TEST_F(ServerEngineLimitsTest, AConnectionThatIsGoneIsNotClosedAgain) {
  constexpr int kWaiting = 600;
  // A packet with a long handle takes more memory than its waiter had.
  options.queue.handle_prefix = std::string(kMaxHandlePrefixBytes, 'H');
  options.queue.max_runs = 1;
  options.max_connection_memory = 1 << 20;
  EnginePeer& client = Connect();
  std::string packets;
  for (int i = 0; i < kWaiting; ++i) packets += Submit("f", "u", "");
  EXPECT_TRUE(client.Send(packets, 1 << 16));
  engine().Weigh(*client.connection());
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  int functions = 1;
  while (engine().connection_memory() < options.max_connection_memory - 2000) {
    worker.Send(CanDo(absl::StrCat("g", functions++)));
    engine().Weigh(*worker.connection());
  }
  while (engine().NextWithOutput() != nullptr) {
  }
  // The turn ends when some of the waiting ones have been told.
  engine().meter().StartTurn(cost::kAbility * functions + 1180);
  worker.Leave();
  ASSERT_TRUE(engine().has_background_work());
  for (int outputs = 0; engine().NextWithOutput() != nullptr; ++outputs) {
    ASSERT_LE(outputs, 1) << "the list of outputs has no end";
  }
  while (engine().has_background_work()) {
    engine().meter().StartTurn();
    engine().DoBackgroundWork();
  }
  EXPECT_EQ(engine().queue().size(), 0u);
  EXPECT_TRUE(client.connection()->failure().ok());
  EXPECT_THAT(client.Received(), SizeIs(2 * kWaiting));
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
