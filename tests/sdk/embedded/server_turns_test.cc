// A ServerEngine does some of its work in one turn and leaves the rest for
// later turns.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/sdk/embedded/work_meter.h"
#include "gearman/tests/sdk/embedded/engine_fixture.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::RequestPacket;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Small turns, so that a few thousand of anything take many.
constexpr int64_t kTurnUnits = 500;
// A turn may end in the middle of a step that costs so much.
constexpr int64_t kStepUnits = 400;

class ServerTurnsTest : public ServerEngineTest {
 protected:
  // A turn in which the peer sends `bytes`. False: it is busy afterwards.
  bool Turn(EnginePeer& peer, const std::string& bytes) {
    engine().meter().StartTurn(kTurnUnits);
    EXPECT_TRUE(peer.Begin(bytes));
    ExpectShort();
    return !peer.busy();
  }
  // A turn in which the server goes on with what it left.
  bool Continue(EnginePeer& peer) {
    engine().meter().StartTurn(kTurnUnits);
    peer.Continue();
    ExpectShort();
    return !peer.busy();
  }
  // Until the peer is not busy any more; how many turns that took.
  int Finish(EnginePeer& peer) {
    int turns = 0;
    while (peer.busy() && turns < 100000) {
      Continue(peer);
      ++turns;
    }
    EXPECT_FALSE(peer.busy());
    return turns;
  }
  int FinishBackground() {
    int turns = 0;
    while (engine().has_background_work() && turns < 100000) {
      engine().meter().StartTurn(kTurnUnits);
      engine().DoBackgroundWork();
      ExpectShort();
      ++turns;
    }
    return turns;
  }
  void Endless() {
    engine().meter().StartTurn(std::numeric_limits<int64_t>::max());
  }
  // n submissions of `function`, without turns.
  void SubmitMany(EnginePeer& client, const std::string& function, int n,
                  const std::string& unique) {
    Endless();
    std::string packets;
    for (int i = 0; i < n; ++i) packets += Submit(function, unique, "");
    EXPECT_TRUE(client.Send(packets, 1 << 16));
    client.ReceivedBytes();
  }

 private:
  void ExpectShort() {
    EXPECT_GE(engine().meter().left(), -kStepUnits);
    largest_ = std::min(largest_, engine().meter().left());
  }
  int64_t largest_ = 0;
};

// --- lists -------------------------------------------------------------------

TEST_F(ServerTurnsTest, AListOfJobsTakesManyTurnsInWhichJobsComeAndGo) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 3000, "");
  EnginePeer& admin = Connect();
  EXPECT_FALSE(Turn(admin, "show jobs\r\n"));
  // The job at which the list stands, and many others, end; others come.
  Endless();
  EnginePeer& worker = Connect(CanDo("f"));
  std::string answers;
  for (int i = 1; i <= 1000; ++i) {
    answers += Grab() + Complete(absl::StrCat("H:", i), "");
  }
  EXPECT_TRUE(worker.Send(answers));
  SubmitMany(client, "f", 500, "");
  EXPECT_GT(Finish(admin), 10);
  const std::vector<std::string> rows =
      absl::StrSplit(admin.ReceivedBytes(), '\n');
  // Each job that was there all the time, once, in order; then the end.
  ASSERT_GE(rows.size(), 2002u);
  std::vector<std::string> expected;
  for (int i = 1001; i <= 3000; ++i) {
    expected.push_back(absl::StrCat("H:", i, "\t0\t0\t0"));
  }
  expected.push_back(".");
  expected.push_back("");
  EXPECT_TRUE(std::equal(expected.rbegin(), expected.rend(), rows.rbegin()));
}

TEST_F(ServerTurnsTest, EachListEndsThoughEverythingItListsGoes) {
  for (const char* command : {"status", "prioritystatus", "workers",
                              "show jobs", "show unique jobs"}) {
    EnginePeer& admin = Connect();
    auto client = std::make_unique<EnginePeer>(&engine());
    auto worker = std::make_unique<EnginePeer>(&engine());
    Endless();
    std::string packets;
    for (int i = 0; i < 1000; ++i) {
      const std::string function = absl::StrCat("f", i);
      packets += Submit(function, "", "") + CanDo(function);
    }
    EXPECT_TRUE(worker->Send(packets));
    worker->ReceivedBytes();
    EXPECT_FALSE(Turn(admin, absl::StrCat(command, "\r\n"))) << command;
    EXPECT_FALSE(Continue(admin)) << command;
    worker = nullptr;
    client = nullptr;
    FinishBackground();
    Endless();
    EnginePeer& other = Connect();
    for (int i = 0; i < 1000; ++i) {
      other.Send(absl::StrCat("drop function f", i, "\r\n"));
    }
    other.ReceivedBytes();
    Finish(admin);
    const std::string reply = admin.ReceivedBytes();
    EXPECT_EQ(reply.substr(reply.size() - 2), ".\n") << command;
    admin.Leave();
  }
}

TEST_F(ServerTurnsTest, WhatOthersSendDoesNotComeBetweenTheRowsOfAList) {
  EnginePeer& both = Connect();
  SubmitMany(both, "g", 1, "u");
  SubmitMany(both, "f", 2000, "");
  EXPECT_FALSE(Turn(both, "show jobs\r\n"));
  EnginePeer& worker = Connect();
  EXPECT_TRUE(Turn(worker, CanDo("g") + Grab()));
  EXPECT_TRUE(Turn(worker, Complete("H:1", "done")));
  Finish(both);
  EXPECT_TRUE(Turn(both, RequestPacket(16, {"echo"})));
  const std::string bytes = both.ReceivedBytes();
  const size_t end = bytes.find(".\n");
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(bytes.substr(0, end).find('\0'), std::string::npos);
  EXPECT_EQ(bytes.substr(end + 2),
            support::ResponsePacket(13, {"H:1", "done"}) +
                support::ResponsePacket(17, {"echo"}));
}

TEST_F(ServerTurnsTest, AListIsGoneWithItsConnection) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "");
  EnginePeer& admin = Connect();
  EXPECT_FALSE(Turn(admin, "show jobs\r\n"));
  admin.Leave();
  EXPECT_EQ(FinishBackground(), 0);
  EnginePeer& other = Connect();
  EXPECT_TRUE(Turn(other, "version\r\n"));
}

// --- updates of jobs ---------------------------------------------------------

TEST_F(ServerTurnsTest, ThousandsWhoWaitAreToldInTheirOrder) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 3000, "u");
  EnginePeer& other = Connect();
  SubmitMany(other, "f", 500, "u");
  Endless();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Received();
  EXPECT_FALSE(Turn(worker, RequestPacket(12, {"H:1", "1", "2"})));
  // These submissions join after the worker sent its status.
  EnginePeer& late = Connect();
  SubmitMany(late, "f", 3, "u");
  EXPECT_GT(Finish(worker), 5);
  EXPECT_FALSE(Turn(worker, Complete("H:1", "done")));
  // The job has ended, although clients are still to be told.
  EXPECT_EQ(engine().queue().size(), 0u);
  Finish(worker);
  const std::vector<std::string> told = client.Received();
  ASSERT_THAT(told, SizeIs(6000));
  for (size_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(told[i], "WORK_STATUS H:1|1|2");
    ASSERT_EQ(told[3000 + i], "WORK_COMPLETE H:1|done");
  }
  EXPECT_THAT(other.Received(), SizeIs(1000));
  EXPECT_THAT(late.Received(),
              ElementsAre("WORK_COMPLETE H:1|done", "WORK_COMPLETE H:1|done",
                          "WORK_COMPLETE H:1|done"));
}

TEST_F(ServerTurnsTest, WhoLeavesWhileOthersAreToldIsNotMissed) {
  EnginePeer& first = Connect();
  SubmitMany(first, "f", 1000, "u");
  EnginePeer& second = Connect();
  SubmitMany(second, "f", 1000, "u");
  EnginePeer& third = Connect();
  SubmitMany(third, "f", 1000, "u");
  Endless();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Received();
  EXPECT_FALSE(Turn(worker, RequestPacket(28, {"H:1", "part"})));
  EXPECT_THAT(first.Received(), Not(IsEmpty()));
  first.Leave();
  second.Leave();
  FinishBackground();
  Finish(worker);
  EXPECT_FALSE(Turn(worker, RequestPacket(14, {"H:1"})));
  Finish(worker);
  EXPECT_THAT(third.Received(), SizeIs(2000));
}

TEST_F(ServerTurnsTest, AWorkerMayLeaveBeforeAllHaveItsResult) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "u");
  Endless();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Received();
  EXPECT_FALSE(Turn(worker, Complete("H:1", "done")));
  worker.Leave();
  EXPECT_GT(FinishBackground(), 3);
  EXPECT_THAT(client.Received(), SizeIs(2000));
  EXPECT_EQ(engine().queue().size(), 0u);
}

TEST_F(ServerTurnsTest, AnUpdateReachesAllBeforeTheNextOneOfAnotherPeer) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "u");
  Endless();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Received();
  EXPECT_FALSE(Turn(worker, RequestPacket(29, {"H:1", "careful"})));
  EnginePeer& admin = Connect();
  EXPECT_FALSE(Turn(admin, "cancel job H:1\r\n"));
  Finish(admin);
  Finish(worker);
  EXPECT_EQ(admin.ReceivedBytes(), "OK\r\n");
  const std::vector<std::string> told = client.Received();
  ASSERT_THAT(told, SizeIs(4000));
  for (size_t i = 0; i < 2000; ++i) {
    ASSERT_EQ(told[i], "WORK_WARNING H:1|careful");
    ASSERT_EQ(told[2000 + i], "WORK_FAIL H:1");
  }
}

TEST_F(ServerTurnsTest,
       AQueuedJobThatIsCancelledFailsForAllThoughAWorkerComes) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "u");
  EnginePeer& admin = Connect();
  EXPECT_FALSE(Turn(admin, "cancel job H:1\r\n"));
  // The worker comes upon the job, and drops it.
  EnginePeer& worker = Connect();
  EXPECT_TRUE(Turn(worker, CanDo("f") + Grab()));
  EXPECT_THAT(worker.Received(), ElementsAre("NO_JOB"));
  Finish(admin);
  FinishBackground();
  const std::vector<std::string> told = client.Received();
  EXPECT_THAT(told, SizeIs(2000));
  EXPECT_THAT(told, Each("WORK_FAIL H:1"));
  EXPECT_EQ(engine().queue().size(), 0u);
}

// --- functions ---------------------------------------------------------------

TEST_F(ServerTurnsTest, DroppingManyJobsTakesManyTurns) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "");
  SubmitMany(client, "F", 10, "");
  EnginePeer& admin = Connect();
  EXPECT_FALSE(Turn(admin, "drop function f\r\n"));
  // The name is free at once.
  EnginePeer& other = Connect();
  EXPECT_TRUE(Turn(other, SubmitBackground("f", "new")));
  EXPECT_GT(Finish(admin), 10);
  EXPECT_EQ(admin.ReceivedBytes(), "OK\r\nOK\r\n");
  EXPECT_THAT(client.Received(), SizeIs(2010));
  EXPECT_EQ(engine().queue().size(), 1u);
  EnginePeer& worker = Connect();
  EXPECT_TRUE(Turn(worker, CanDo("f") + Grab()));
  EXPECT_THAT(worker.Received(), ElementsAre("JOB_ASSIGN H:2011|f|new"));
}

TEST_F(ServerTurnsTest, ADropGoesOnWithoutTheAdministrator) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "");
  EnginePeer& admin = Connect();
  EXPECT_FALSE(Turn(admin, "drop function f\r\n"));
  admin.Leave();
  FinishBackground();
  EXPECT_THAT(client.Received(), SizeIs(2000));
  EXPECT_EQ(engine().queue().size(), 0u);
}

TEST_F(ServerTurnsTest, DroppingOneOfManyFunctionsLooksAtNoOther) {
  Endless();
  EnginePeer& admin = Connect();
  for (int i = 0; i < 5000; ++i) {
    admin.Send(absl::StrCat("create function f", i, "\r\n"));
  }
  SubmitMany(admin, "g", 5000, "");
  engine().meter().StartTurn(kTurnUnits);
  EXPECT_TRUE(admin.Begin("drop function F1234\r\ndrop function nothing\r\n"));
  EXPECT_FALSE(admin.busy());
  EXPECT_GT(engine().meter().left(), kTurnUnits - 100);
}

// --- workers -----------------------------------------------------------------

TEST_F(ServerTurnsTest, AGrabLooksAtFunctionsWithWorkOnly) {
  Endless();
  EnginePeer& worker = Connect();
  std::string packets;
  for (int i = 0; i < 5000; ++i) packets += CanDo(absl::StrCat("f", i));
  EXPECT_TRUE(worker.Send(packets + Grab() + RequestPacket(4)));
  EXPECT_THAT(worker.Received(), ElementsAre("NO_JOB"));
  const auto cost = [&](const std::string& bytes) {
    engine().meter().StartTurn(kTurnUnits);
    EXPECT_TRUE(worker.Begin(bytes));
    EXPECT_FALSE(worker.busy());
    return kTurnUnits - engine().meter().left();
  };
  EXPECT_LT(cost(Grab() + RequestPacket(4)), 100);
  EXPECT_LT(cost(SubmitBackground("f17", "") + SubmitBackground("f4000", "")),
            100);
  worker.Received();
  EXPECT_LT(cost(Grab() + Grab() + Grab() + RequestPacket(4)), 100);
  EXPECT_THAT(worker.Received(), ElementsAre("JOB_ASSIGN H:2|f4000|",
                                             "JOB_ASSIGN H:1|f17|", "NO_JOB"));
}

TEST_F(ServerTurnsTest, AFirstGrabOfManyFunctionsTakesTurns) {
  Endless();
  EnginePeer& worker = Connect();
  std::string packets = CanDo("first");
  for (int i = 0; i < 5000; ++i) packets += CanDo(absl::StrCat("f", i));
  packets += SubmitBackground("first", "");
  EXPECT_TRUE(worker.Send(packets));
  worker.Received();
  EXPECT_FALSE(Turn(worker, Grab()));
  EXPECT_GT(Finish(worker), 5);
  EXPECT_THAT(worker.Received(), ElementsAre("JOB_ASSIGN H:1|first|"));
  EXPECT_FALSE(Turn(worker, RequestPacket(3)));
  EXPECT_GT(Finish(worker), 5);
  EXPECT_THAT(worker.connection()->functions(), IsEmpty());
}

TEST_F(ServerTurnsTest, AJobBehindManyAbandonedOnesIsFound) {
  auto client = std::make_unique<EnginePeer>(&engine());
  SubmitMany(*client, "f", 3000, "");
  client = nullptr;
  FinishBackground();
  EnginePeer& other = Connect();
  EXPECT_TRUE(Turn(other, SubmitBackground("f", "wanted")));
  EnginePeer& worker = Connect();
  EXPECT_FALSE(Turn(worker, CanDo("f") + Grab()));
  EXPECT_GT(Finish(worker), 5);
  EXPECT_THAT(worker.Received(), ElementsAre("JOB_ASSIGN H:3001|f|wanted"));
  EXPECT_EQ(engine().queue().size(), 1u);
}

TEST_F(ServerTurnsTest, ManySleepersAreWokenInTurns) {
  Endless();
  std::vector<EnginePeer*> sleepers;
  for (int i = 0; i < 300; ++i) {
    sleepers.push_back(&Connect(CanDo("f") + RequestPacket(4)));
  }
  while (engine().NextWithOutput() != nullptr) {
  }
  EnginePeer& client = Connect();
  EXPECT_TRUE(Turn(client, SubmitBackground("f", "")));
  EXPECT_THAT(client.Received(), SizeIs(1));
  EXPECT_GT(FinishBackground(), 5);
  for (EnginePeer* sleeper : sleepers) {
    EXPECT_THAT(sleeper->Received(), ElementsAre("NOOP"));
  }
}

TEST_F(ServerTurnsTest, AWorkerWithThousandsOfJobsAndFunctionsLeavesInTurns) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "");
  Endless();
  EnginePeer& worker = Connect(CanDo("f"));
  std::string packets;
  for (int i = 0; i < 2000; ++i) packets += CanDo(absl::StrCat("g", i));
  for (int i = 0; i < 2000; ++i) packets += Grab();
  for (int i = 0; i < 2000; ++i) packets += Submit("h", "", "");
  EXPECT_TRUE(worker.Send(packets, 1 << 16));
  engine().meter().StartTurn(kTurnUnits);
  worker.Leave();
  EXPECT_GE(engine().meter().left(), -kStepUnits);
  // The worker is gone for everybody at once.
  EnginePeer& admin = Connect();
  EXPECT_TRUE(Turn(admin, "workers\r\n"));
  EXPECT_EQ(admin.ReceivedBytes(), "0 test - :\n0 test - :\n.\n");
  EXPECT_GT(FinishBackground(), 20);
  EXPECT_EQ(engine().queue().FindFunction("g7")->workers, 0u);
  EXPECT_EQ(engine().queue().FindFunction("f")->total(), 2000u);
  EXPECT_EQ(engine().queue().FindFunction("f")->running, 0u);
  // The last job that the worker took is the first in the queue, as in
  // gearmand.
  Endless();
  EnginePeer& next = Connect(CanDo("f") + Grab());
  EXPECT_THAT(next.Received(), ElementsAre(StartsWith("JOB_ASSIGN H:2000|")));
  next.Send(CanDo("h") + Grab());
  EXPECT_THAT(next.Received(), ElementsAre(StartsWith("JOB_ASSIGN H:1999|")));
}

TEST_F(ServerTurnsTest, ManyTimersAtOnceTakeTurns) {
  Endless();
  EnginePeer& client = Connect();
  std::string packets;
  for (int i = 0; i < 2000; ++i) {
    packets += RequestPacket(36, {"f", "", "1005", ""});
  }
  EXPECT_TRUE(client.Send(packets, 1 << 16));
  engine().meter().StartTurn(kTurnUnits);
  engine().OnTime(kStart + absl::Seconds(5));
  EXPECT_GE(engine().meter().left(), -kStepUnits);
  EXPECT_GT(FinishBackground(), 10);
  EXPECT_EQ(engine().next_deadline(), absl::InfiniteFuture());
}

TEST_F(ServerTurnsTest, TheEngineMayEndInTheMiddleOfEverything) {
  EnginePeer& client = Connect();
  SubmitMany(client, "f", 2000, "u");
  SubmitMany(client, "g", 2000, "");
  Endless();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  EXPECT_FALSE(Turn(worker, RequestPacket(28, {"H:1", "part"})));
  EnginePeer& admin = Connect();
  EXPECT_FALSE(Turn(admin, "drop function g\r\n"));
  EnginePeer& lister = Connect();
  EXPECT_FALSE(Turn(lister, "show jobs\r\n"));
  engine().meter().StartTurn(kTurnUnits);
  client.Leave();
  EXPECT_TRUE(engine().has_background_work());
  engine().Clear();
  EXPECT_EQ(engine().queue().size(), 0u);
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
