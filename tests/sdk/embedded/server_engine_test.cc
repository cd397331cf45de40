// The engine alone: bytes in, bytes out, on a clock of the test's own. What
// gearmand does as well is in tests/conformance; here is each command's answer
// to the byte, and what needs the clock or the engine's own outputs.
#include "gearman/sdk/embedded/server_engine.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/sdk/embedded/engine_fixture.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::RequestPacket;
using support::ResponsePacket;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// --- each command ------------------------------------------------------------

TEST_F(ServerEngineTest, AnswersToTheByte) {
  EnginePeer& peer = Connect();
  peer.Send(Submit("f", "u", "data") + RequestPacket(16, {"ec\nho"}));
  EXPECT_EQ(peer.ReceivedBytes(),
            ResponsePacket(8, {"H:1"}) + ResponsePacket(17, {"ec\nho"}));
  peer.Send(CanDo("f") + RequestPacket(30));
  EXPECT_EQ(peer.ReceivedBytes(),
            ResponsePacket(31, {"H:1", "f", "u", "data"}));
}

TEST_F(ServerEngineTest, TakesEverySubmitOfAClient) {
  EnginePeer& client = Connect();
  for (const uint32_t command : {7u, 18u, 21u, 32u, 33u, 34u}) {
    client.Send(RequestPacket(command, {"f", "", absl::StrCat(command)}));
  }
  client.Send(RequestPacket(36, {"f", "", "0", "36"}));
  client.Send(RequestPacket(37, {"f", "", "r", "", "37"}));
  client.Send(RequestPacket(38, {"f", "", "r", "", "38"}));
  EXPECT_THAT(
      client.Received(),
      ElementsAre("JOB_CREATED H:1", "JOB_CREATED H:2", "JOB_CREATED H:3",
                  "JOB_CREATED H:4", "JOB_CREATED H:5", "JOB_CREATED H:6",
                  "JOB_CREATED H:7", "JOB_CREATED H:8", "JOB_CREATED H:9"));
  // High, normal, low; first in, first out.
  EnginePeer& worker = Connect(CanDo("f"));
  for (int i = 0; i < 10; ++i) worker.Send(Grab());
  EXPECT_THAT(worker.Received(),
              ElementsAre("JOB_ASSIGN H:3|f|21", "JOB_ASSIGN H:4|f|32",
                          "JOB_ASSIGN H:1|f|7", "JOB_ASSIGN H:2|f|18",
                          "JOB_ASSIGN H:7|f|36", "JOB_ASSIGN H:8|f|37",
                          "JOB_ASSIGN H:9|f|38", "JOB_ASSIGN H:5|f|33",
                          "JOB_ASSIGN H:6|f|34", "NO_JOB"));
  // The foreground ones are told.
  for (int i = 1; i <= 9; ++i) {
    worker.Send(Complete(absl::StrCat("H:", i), absl::StrCat(i)));
  }
  EXPECT_THAT(worker.Received(), IsEmpty());
  EXPECT_THAT(client.Received(),
              ElementsAre("WORK_COMPLETE H:1|1", "WORK_COMPLETE H:3|3",
                          "WORK_COMPLETE H:5|5", "WORK_COMPLETE H:8|8"));
  EXPECT_EQ(engine().queue().size(), 0u);
}

TEST_F(ServerEngineTest, PassesOnWhatAWorkerSaysInItsOrder) {
  EnginePeer& client =
      Connect(Submit("f", "", "") + RequestPacket(26, {"exceptions"}));
  EXPECT_THAT(client.Received(),
              ElementsAre("JOB_CREATED H:1", "OPTION_RES exceptions"));
  EnginePeer& worker = Connect(CanDo("f"));
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("JOB_ASSIGN H:1|f|"));
  worker.Send(RequestPacket(28, {"H:1", "part"}) +
              RequestPacket(29, {"H:1", "careful"}) +
              RequestPacket(12, {"H:1", "1", "3"}) +
              RequestPacket(25, {"H:1", "thrown"}));
  EXPECT_THAT(client.Received(),
              ElementsAre("WORK_DATA H:1|part", "WORK_WARNING H:1|careful",
                          "WORK_STATUS H:1|1|3", "WORK_EXCEPTION H:1|thrown"));
  EXPECT_THAT(worker.Received(), IsEmpty());
}

TEST_F(ServerEngineTest, SaysWhatItKnowsOfAJob) {
  EnginePeer& client = Connect(Submit("f", "u", "") + Submit("f", "u", ""));
  client.Received();
  const std::string ask = RequestPacket(15, {"H:1"}) + RequestPacket(41, {"u"});
  EXPECT_THAT(Ask(client, ask), ElementsAre("STATUS_RES H:1|1|0|0|0",
                                            "STATUS_RES_UNIQUE u|1|0|0|0|2"));
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Send(RequestPacket(12, {"H:1", "3", "4"}));
  client.Received();
  EXPECT_THAT(Ask(client, ask), ElementsAre("STATUS_RES H:1|1|1|3|4",
                                            "STATUS_RES_UNIQUE u|1|1|3|4|2"));
  worker.Send(RequestPacket(14, {"H:1"}));
  EXPECT_THAT(client.Received(), ElementsAre("WORK_FAIL H:1", "WORK_FAIL H:1"));
  EXPECT_THAT(Ask(client, ask), ElementsAre("STATUS_RES H:1|0|0|0|0",
                                            "STATUS_RES_UNIQUE u|0|0|0|0|0"));
}

TEST_F(ServerEngineTest, RefusesWhatNoServerDoes) {
  EnginePeer& peer = Connect();
  EXPECT_THAT(Ask(peer, RequestPacket(24)),
              ElementsAre(StartsWith("ERROR INVALID_COMMAND|")));
  EXPECT_THAT(
      Ask(peer, RequestPacket(35, {"f", "u", "1", "2", "3", "4", "5", "data"})),
      ElementsAre(StartsWith("ERROR INVALID_COMMAND|")));
  EXPECT_THAT(Ask(peer, ResponsePacket(16, {"x"})),
              ElementsAre(StartsWith("ERROR INVALID_MAGIC|")));
  EXPECT_THAT(Ask(peer, RequestPacket(8, {"H:1"})),
              ElementsAre(StartsWith("ERROR INVALID_COMMAND|")));
  EXPECT_THAT(Ask(peer, RequestPacket(26, {"telepathy"})),
              ElementsAre(StartsWith("ERROR UNKNOWN_OPTION|")));
  EXPECT_THAT(Ask(peer, Complete("H:1", "")),
              ElementsAre(StartsWith("ERROR JOB_NOT_FOUND|")));
  EXPECT_THAT(Ask(peer, RequestPacket(16, {"alive"})),
              ElementsAre("ECHO_RES alive"));
}

TEST_F(ServerEngineTest, TellsTheReducerToGrabJobAllOnly) {
  EnginePeer& worker = Connect(CanDo("f"));
  const std::string reduce = RequestPacket(38, {"f", "u", "sum", "", "data"});
  worker.Send(reduce);
  worker.Received();
  EXPECT_THAT(Ask(worker, RequestPacket(39)),
              ElementsAre("JOB_ASSIGN_ALL H:1|f|u|sum|data"));
  worker.Send(Complete("H:1", "") + reduce);
  worker.Received();
  EXPECT_THAT(Ask(worker, RequestPacket(30)),
              ElementsAre("JOB_ASSIGN_UNIQ H:2|f|u|data"));
  worker.Send(SubmitBackground("f", "plain"));
  worker.Received();
  EXPECT_THAT(Ask(worker, RequestPacket(39)),
              ElementsAre("JOB_ASSIGN_UNIQ H:3|f||plain"));
}

TEST_F(ServerEngineTest, AnExceptionIsAFailureToWhoDidNotAsk) {
  EnginePeer& asked = Connect(RequestPacket(26, {"Exceptions"}));
  asked.Send(Submit("f", "u", ""));
  EnginePeer& other = Connect(Submit("f", "u", ""));
  asked.Received();
  other.Received();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  worker.Send(RequestPacket(25, {"H:1", "thrown"}));
  EXPECT_THAT(asked.Received(), ElementsAre("WORK_EXCEPTION H:1|thrown"));
  // gearmand puts a NUL behind the handle, which other clients do not know
  // then.
  EXPECT_EQ(other.ReceivedBytes(), ResponsePacket(14, {"H:1"}));
}

TEST_F(ServerEngineTest, AnAnswerOfAHandleAloneHasNoData) {
  EnginePeer& client = Connect(RequestPacket(26, {"exceptions"}) +
                               Submit("f", "", "") + Submit("f", "", ""));
  client.Received();
  EnginePeer& worker = Connect(CanDo("f") + Grab() + Grab());
  worker.Received();
  // Perl's worker sends an empty result like this.
  EXPECT_TRUE(
      worker.Send(RequestPacket(28, {"H:1"}) + RequestPacket(29, {"H:1"}) +
                  RequestPacket(13, {"H:1"}) + RequestPacket(25, {"H:2"})));
  EXPECT_THAT(worker.Received(), IsEmpty());
  EXPECT_THAT(client.Received(),
              ElementsAre("WORK_DATA H:1|", "WORK_WARNING H:1|",
                          "WORK_COMPLETE H:1|", "WORK_EXCEPTION H:2|"));
  EXPECT_EQ(engine().queue().size(), 0u);
}

TEST_F(ServerEngineTest, EveryoneWhoJoinedGetsALargeResult) {
  EnginePeer& first = Connect(Submit("f", "u", ""));
  EnginePeer& second = Connect(Submit("f", "u", ""));
  first.Received();
  second.Received();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  const std::string result(300000, 'r');
  EXPECT_TRUE(worker.Send(Complete("H:1", result)));
  const std::string expected = ResponsePacket(13, {"H:1", result});
  EXPECT_EQ(first.ReceivedBytes(), expected);
  EXPECT_EQ(second.ReceivedBytes(), expected);
}

// --- workers that sleep, and are lost ----------------------------------------

TEST_F(ServerEngineTest, WakesASleeperOnceUntilItGrabs) {
  EnginePeer& worker = Connect(CanDo("f") + RequestPacket(4));
  EXPECT_THAT(worker.Received(), IsEmpty());
  EnginePeer& client = Connect(SubmitBackground("f", "1"));
  client.Send(SubmitBackground("f", "2"));
  EXPECT_THAT(worker.Received(), ElementsAre("NOOP"));
  EXPECT_THAT(
      Ask(worker, Grab() + Grab() + Grab()),
      ElementsAre("JOB_ASSIGN H:1|f|1", "JOB_ASSIGN H:2|f|2", "NO_JOB"));
}

TEST_F(ServerEngineTest, WhoSleepsForItsOwnJobIsWokenBeforeItsHandle) {
  EnginePeer& peer = Connect(CanDo("f") + RequestPacket(4));
  EXPECT_THAT(Ask(peer, SubmitBackground("f", "")),
              ElementsAre("NOOP", "JOB_CREATED H:1"));
}

TEST_F(ServerEngineTest, ALostWorkersJobsAreQueuedAgainTheNewestFirst) {
  EnginePeer& client = Connect();
  for (const char* data : {"1", "2", "3"}) client.Send(Submit("f", "", data));
  client.Received();
  EnginePeer& lost = Connect(CanDo("f") + Grab() + Grab());
  EXPECT_THAT(lost.Received(), SizeIs(2));
  lost.Send(RequestPacket(12, {"H:1", "1", "2"}));
  client.Received();
  EnginePeer& sleeper = Connect(RequestPacket(1, {"g"}));
  sleeper.Send(CanDo("f"));
  lost.Leave();
  EXPECT_THAT(client.Received(), IsEmpty());
  EXPECT_THAT(Ask(client, RequestPacket(15, {"H:1"})),
              ElementsAre("STATUS_RES H:1|1|0|0|0"));
  EXPECT_THAT(Ask(sleeper, Grab() + Grab() + Grab()),
              ElementsAre("JOB_ASSIGN H:3|f|3", "JOB_ASSIGN H:2|f|2",
                          "JOB_ASSIGN H:1|f|1"));
}

TEST_F(ServerEngineTest, AJobThatLostItsLastWorkerFails) {
  options.queue.max_runs = 1;
  EnginePeer& client = Connect(Submit("f", "", ""));
  client.Received();
  EnginePeer& lost = Connect(CanDo("f") + Grab());
  lost.Leave();
  EXPECT_THAT(client.Received(), ElementsAre("WORK_FAIL H:1"));
  EXPECT_EQ(engine().queue().size(), 0u);
}

TEST_F(ServerEngineTest, OnlyTheHolderOfAJobAnswersForIt) {
  EnginePeer& client = Connect(Submit("f", "", ""));
  client.Received();
  EnginePeer& holder = Connect(CanDo("f") + Grab());
  holder.Received();
  EnginePeer& other = Connect(CanDo("f"));
  for (const uint32_t answer : {12u, 13u, 14u, 25u, 28u, 29u}) {
    const auto refused =
        Ask(other, answer == 14   ? RequestPacket(answer, {"H:1"})
                   : answer == 12 ? RequestPacket(answer, {"H:1", "1", "2"})
                                  : RequestPacket(answer, {"H:1", "stolen"}));
    EXPECT_THAT(refused, ElementsAre(StartsWith("ERROR JOB_NOT_FOUND|")))
        << answer;
  }
  EXPECT_THAT(client.Received(), IsEmpty());
  holder.Send(Complete("H:1", "mine"));
  EXPECT_THAT(client.Received(), ElementsAre("WORK_COMPLETE H:1|mine"));
}

TEST_F(ServerEngineTest, WhoSubmittedAndHoldsAJobMayLeave) {
  options.queue.max_runs = 1;
  EnginePeer& both = Connect(Submit("f", "u", "") + Submit("f", "u", "") +
                             CanDo("f") + Grab() + RequestPacket(4));
  both.Leave();
  EXPECT_EQ(engine().queue().size(), 0u);
  EXPECT_EQ(engine().NextWithOutput(), nullptr);
}

// --- time --------------------------------------------------------------------

TEST_F(ServerEngineTest, ADelayedJobWaitsForItsTimeAndWakesASleeper) {
  EnginePeer& client = Connect(RequestPacket(36, {"f", "", "1010", "later"}));
  EXPECT_THAT(client.Received(), ElementsAre("JOB_CREATED H:1"));
  EnginePeer& worker = Connect(CanDo("f"));
  EXPECT_THAT(Ask(worker, Grab() + RequestPacket(4)), ElementsAre("NO_JOB"));
  // The wall clock, which may be set, is looked at each second.
  for (int second = 1; second < 10; ++second) {
    EXPECT_EQ(engine().next_deadline(), kStart + absl::Seconds(second));
    engine().OnTime(kStart + absl::Seconds(second));
  }
  EXPECT_EQ(engine().next_deadline(), kStart + absl::Seconds(10));
  engine().OnTime(kStart + absl::Milliseconds(9999));
  EXPECT_THAT(worker.Received(), IsEmpty());
  engine().OnTime(kStart + absl::Seconds(10));
  EXPECT_THAT(worker.Received(), ElementsAre("NOOP"));
  EXPECT_EQ(engine().next_deadline(), absl::InfiniteFuture());
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("JOB_ASSIGN H:1|f|later"));
}

TEST_F(ServerEngineTest, ADelayedJobFollowsTheWallClockForwards) {
  EnginePeer& worker = Connect(CanDo("f") + RequestPacket(4));
  worker.Send(RequestPacket(36, {"f", "", "4600", "in an hour"}));
  worker.Received();
  worker.Send(Grab() + RequestPacket(4));
  EXPECT_THAT(worker.Received(), ElementsAre("NO_JOB"));
  // No later than a second after the clock has been set the server looks at it.
  EXPECT_LE(engine().next_deadline(), kStart + absl::Seconds(1));
  engine().OnTime(kStart + absl::Seconds(1), kStart + absl::Hours(1));
  EXPECT_THAT(worker.Received(), ElementsAre("NOOP"));
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("JOB_ASSIGN H:1|f|in an hour"));
}

TEST_F(ServerEngineTest, AJobSubmittedAfterTheWallClockWasSetGoesByIt) {
  // An hour forwards, and then a job that is due in 3 seconds.
  engine().OnTime(kStart + absl::Seconds(1), kStart + absl::Hours(1));
  EnginePeer& worker = Connect(CanDo("f"));
  worker.Send(RequestPacket(36, {"f", "", "4603", "soon"}));
  worker.Received();
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("NO_JOB"));
  engine().OnTime(kStart + absl::Seconds(4),
                  kStart + absl::Hours(1) + absl::Seconds(3));
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("JOB_ASSIGN H:1|f|soon"));
}

TEST_F(ServerEngineTest, ADelayedJobFollowsTheWallClockBack) {
  EnginePeer& worker = Connect(CanDo("f"));
  worker.Send(RequestPacket(36, {"f", "", "1003", "soon"}));
  worker.Received();
  engine().OnTime(kStart + absl::Seconds(4), kStart - absl::Seconds(10));
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("NO_JOB"));
  engine().OnTime(kStart + absl::Seconds(16), kStart + absl::Seconds(2));
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("NO_JOB"));
  EXPECT_EQ(engine().next_deadline(), kStart + absl::Seconds(17));
  engine().OnTime(kStart + absl::Seconds(17), kStart + absl::Seconds(3));
  EXPECT_THAT(Ask(worker, Grab()), ElementsAre("JOB_ASSIGN H:1|f|soon"));
}

TEST_F(ServerEngineTest, ATimeLimitDoesNotFollowTheWallClock) {
  EnginePeer& worker = Connect(RequestPacket(23, {"f", "5000"}));
  worker.Send(SubmitBackground("f", "") + Grab());
  worker.Received();
  engine().OnTime(kStart + absl::Seconds(1), kStart + absl::Hours(1));
  EXPECT_THAT(Ask(worker, Complete("H:1", "")), IsEmpty());
}

TEST_F(ServerEngineTest, ATimeThatIsPastOrNoNumberDelaysNothing) {
  EnginePeer& worker = Connect(CanDo("f"));
  for (const char* epoch : {"999", "-5", "", "soon", "1000"}) {
    worker.Send(RequestPacket(36, {"f", "", epoch, epoch}));
    worker.Received();
    EXPECT_THAT(Ask(worker, Grab()), ElementsAre(StartsWith("JOB_ASSIGN ")))
        << epoch;
  }
  EXPECT_THAT(
      Ask(worker, RequestPacket(36, {"f", "", "99999999999999999999", ""})),
      ElementsAre(StartsWith("ERROR ARGUMENT_TOO_LARGE|")));
}

TEST_F(ServerEngineTest, AJobPastItsLimitIsQueuedAgainAndItsAnswerRefused) {
  EnginePeer& client = Connect(Submit("f", "", "data"));
  client.Received();
  EnginePeer& slow = Connect(RequestPacket(23, {"f", "5000"}) + Grab());
  slow.Received();
  EnginePeer& sleeper = Connect(CanDo("f") + RequestPacket(4));
  EXPECT_EQ(engine().next_deadline(), kStart + absl::Seconds(5));
  engine().OnTime(kStart + absl::Milliseconds(4999));
  EXPECT_THAT(sleeper.Received(), IsEmpty());
  engine().OnTime(kStart + absl::Seconds(5));
  EXPECT_THAT(sleeper.Received(), ElementsAre("NOOP"));
  EXPECT_THAT(slow.Received(), IsEmpty());
  EXPECT_THAT(Ask(slow, Complete("H:1", "late")),
              ElementsAre(StartsWith("ERROR JOB_NOT_FOUND|")));
  EXPECT_THAT(client.Received(), IsEmpty());
  sleeper.Send(Grab() + Complete("H:1", "in time"));
  EXPECT_THAT(client.Received(), ElementsAre("WORK_COMPLETE H:1|in time"));
  EXPECT_EQ(engine().next_deadline(), absl::InfiniteFuture());
}

TEST_F(ServerEngineTest, AJobThatIsSlowerThanItsLimitEnds) {
  EnginePeer& client = Connect(Submit("f", "", "data"));
  client.Received();
  EnginePeer& slow = Connect(RequestPacket(23, {"f", "1000"}));
  absl::Time now = kStart;
  // 2.5 seconds for a limit of one: each time that it is over, the next limit
  // is twice as long, and the third run is in time.
  for (int run = 1; run <= 3; ++run) {
    EXPECT_THAT(Ask(slow, Grab()), ElementsAre("JOB_ASSIGN H:1|f|data")) << run;
    for (int step = 0; step < 25; ++step) {
      now += absl::Milliseconds(100);
      engine().OnTime(now);
    }
    slow.Send(Complete("H:1", "done"));
    if (run < 3) {
      EXPECT_THAT(slow.Received(),
                  ElementsAre(StartsWith("ERROR JOB_NOT_FOUND|")));
      EXPECT_THAT(client.Received(), IsEmpty());
    }
  }
  EXPECT_THAT(slow.Received(), IsEmpty());
  EXPECT_THAT(client.Received(), ElementsAre("WORK_COMPLETE H:1|done"));
  EXPECT_EQ(engine().next_deadline(), absl::InfiniteFuture());
}

TEST_F(ServerEngineTest, EachJobHasATimeLimitOfItsOwn) {
  EnginePeer& worker = Connect(RequestPacket(23, {"f", "5000"}));
  worker.Send(SubmitBackground("f", "1") + Grab());
  engine().OnTime(kStart + absl::Seconds(3));
  worker.Send(SubmitBackground("f", "2") + Grab());
  // The first one's end stops its timer, not the second one's.
  worker.Send(Complete("H:1", ""));
  worker.Received();
  EXPECT_EQ(engine().next_deadline(), kStart + absl::Seconds(8));
  engine().OnTime(kStart + absl::Seconds(7));
  EXPECT_THAT(Ask(worker, Complete("H:2", "")), IsEmpty());
}

TEST_F(ServerEngineTest, ATimeLimitIsASecondAtLeastAndMayBeNone) {
  EnginePeer& worker = Connect();
  for (const char* none : {"0", "-1", "never", "", "9999999999999999999"}) {
    worker.Send(RequestPacket(23, {none, none}) + SubmitBackground(none, "") +
                Grab());
    EXPECT_THAT(worker.Received(), Contains(StartsWith("JOB_ASSIGN "))) << none;
    EXPECT_EQ(engine().next_deadline(), absl::InfiniteFuture()) << none;
  }
  worker.Send(RequestPacket(23, {"f", "1"}) + SubmitBackground("f", "") +
              Grab());
  EXPECT_EQ(engine().next_deadline(), kStart + absl::Seconds(1));
}

// --- outputs -----------------------------------------------------------------

TEST_F(ServerEngineTest, KeepsWhatAClientDoesNotReadApartFromOthers) {
  EnginePeer& silent = Connect(Submit("f", "u", ""));
  EnginePeer& reader = Connect(Submit("f", "u", ""));
  reader.Received();
  EnginePeer& worker = Connect(CanDo("f") + Grab());
  const std::string part(100000, 'x');
  for (int i = 0; i < 50; ++i) {
    worker.Send(RequestPacket(28, {"H:1", part}));
    EXPECT_THAT(reader.Received(), SizeIs(1));
  }
  // The connection says how many bytes it holds, so that the server may end it.
  EXPECT_GT(silent.connection()->output_bytes(), 50 * part.size());
  // Large parts are not copied for each who waits.
  EXPECT_LT(silent.connection()->output().capacity(), part.size());
  silent.Leave();
  worker.Send(Complete("H:1", "done"));
  EXPECT_THAT(reader.Received(), ElementsAre("WORK_COMPLETE H:1|done"));
}

TEST_F(ServerEngineTest, NamesEachConnectionWithOutputOnce) {
  EnginePeer& first = Connect();
  EnginePeer& second = Connect();
  while (engine().NextWithOutput() != nullptr) {
  }
  second.Send(RequestPacket(16, {"1"}) + RequestPacket(16, {"2"}));
  first.Send(RequestPacket(16, {"3"}));
  EXPECT_EQ(engine().NextWithOutput(), second.connection());
  EXPECT_EQ(engine().NextWithOutput(), first.connection());
  EXPECT_EQ(engine().NextWithOutput(), nullptr);
  // A connection that has gone is not named.
  second.Send(RequestPacket(16, {"4"}));
  second.Leave();
  EXPECT_EQ(engine().NextWithOutput(), nullptr);
}

TEST_F(ServerEngineTest, AnyChunkingOfItsInputIsTheSame) {
  const std::string stream =
      CanDo("f") + RequestPacket(4) + Submit("f", "u", "data") + "status\n" +
      RequestPacket(30) + RequestPacket(28, {"H:1", std::string(5000, 'd')}) +
      "show jobs\r\n" + Complete("H:1", "result") + RequestPacket(16, {""});
  std::string whole;
  for (size_t chunk = stream.size(); chunk > 0;
       chunk = chunk > 40 ? chunk / 2 : chunk - 1) {
    ServerEngine fresh(options);
    fresh.OnTime(kStart);
    EnginePeer peer(&fresh);
    EXPECT_TRUE(peer.Send(stream, chunk)) << chunk;
    const std::string bytes = peer.ReceivedBytes();
    if (whole.empty()) whole = bytes;
    EXPECT_EQ(bytes, whole) << chunk;
  }
  EXPECT_THAT(whole, StartsWith(ResponsePacket(6) + ResponsePacket(8, {"H:1"}) +
                                "f\t1\t0\t1\n.\n"));
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
