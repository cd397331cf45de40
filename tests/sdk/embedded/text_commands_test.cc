// The text commands of the embedded server, to the byte.
#include "gearman/sdk/embedded/text_commands.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::RequestPacket;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

EngineOptions Options() {
  EngineOptions options;
  options.queue.handle_prefix = "H";
  options.version = "test-1.2";
  return options;
}

class TextCommandsTest : public ::testing::Test {
 protected:
  TextCommandsTest() : engine_(Options()), admin_(&engine_, 1, "127.0.0.1") {
    engine_.OnTime(absl::UnixEpoch());
  }
  std::string Ask(absl::string_view line) {
    EXPECT_TRUE(admin_.Send(absl::StrCat(line, "\r\n")));
    return admin_.ReceivedBytes();
  }

  ServerEngine engine_;
  EnginePeer admin_;
};

// A job of each priority, one of them running, and one that is delayed.
void FillQueues(EnginePeer& client, EnginePeer& worker) {
  client.Send(RequestPacket(7, {"f", "u1", ""}) +
              RequestPacket(32, {"f", "", ""}) +
              RequestPacket(34, {"f", "u3", ""}) +
              RequestPacket(36, {"f", "u 4", "1000", ""}) +
              RequestPacket(18, {"e", "u5", ""}));
  worker.Send(RequestPacket(22, {"the worker"}) + RequestPacket(1, {"f"}) +
              RequestPacket(1, {"g"}) + RequestPacket(9));
}

TEST_F(TextCommandsTest, ListWhatThereIs) {
  EnginePeer client(&engine_, 2, "127.0.0.2");
  EnginePeer worker(&engine_, 3, "inproc");
  FillQueues(client, worker);
  EXPECT_EQ(Ask("status"), "e\t1\t0\t0\nf\t4\t1\t1\ng\t0\t0\t1\n.\n");
  // High (it runs), normal, low, workers.
  EXPECT_EQ(Ask("prioritystatus"),
            "e\t0\t1\t0\t0\nf\t0\t2\t1\t1\ng\t0\t0\t0\t1\n.\n");
  EXPECT_EQ(Ask("workers"),
            "1 127.0.0.1 - :\n2 127.0.0.2 - :\n3 inproc the worker : g f\n.\n");
  EXPECT_EQ(Ask("show jobs"),
            "H:1\t0\t0\t0\nH:2\t0\t0\t1\nH:3\t0\t0\t1\nH:4\t0\t0\t1\n"
            "H:5\t0\t0\t1\n.\n");
  EXPECT_EQ(Ask("show unique jobs"), "u1\n\nu3\nu 4\nu5\n.\n");
  // A loss and an abandoned job show.
  worker.Leave();
  client.Leave();
  EXPECT_EQ(Ask("show jobs"),
            "H:1\t0\t1\t0\nH:2\t1\t0\t1\nH:3\t0\t0\t1\nH:4\t0\t0\t1\n"
            "H:5\t0\t0\t1\n.\n");
  EXPECT_EQ(Ask("workers"), "1 127.0.0.1 - :\n.\n");
}

TEST_F(TextCommandsTest, AreLinesOfOneKindOrAnother) {
  EXPECT_EQ(Ask("version"), "OK test-1.2\n");
  EXPECT_EQ(Ask("getpid"), absl::StrCat("OK ", getpid(), "\n"));
  EXPECT_EQ(Ask("verbose"), "OK ERROR\n");
  EXPECT_EQ(Ask("create function f"), "OK\r\n");
  EXPECT_EQ(Ask("maxqueue f 3"), "OK\r\n");
  EXPECT_EQ(Ask("maxqueue unknown 3"), "OK\r\n");
  EXPECT_EQ(Ask("status"), "f\t0\t0\t0\n.\n");
  EXPECT_EQ(Ask("drop function F"), "OK\r\n");
  EXPECT_THAT(Ask("drop function f"), StartsWith("ERR "));
  EXPECT_THAT(Ask("cancel job H:1"), StartsWith("ERR "));
  EXPECT_THAT(Ask("cancel job nothing"), StartsWith("ERR "));
  EXPECT_THAT(Ask("status of the union"), StartsWith(".\n"));
  EXPECT_THAT(Ask("frobnicate"), StartsWith("ERR UNKNOWN_COMMAND "));
  EXPECT_THAT(Ask(""), StartsWith("ERR "));
}

TEST_F(TextCommandsTest, DropTakesEachSpellingThatIsNotInUse) {
  EnginePeer worker(&engine_);
  worker.Send(RequestPacket(1, {"Resize"}));
  EnginePeer client(&engine_);
  client.Send(RequestPacket(7, {"resize", "", ""}) +
              RequestPacket(36, {"RESIZE", "", "1000", ""}));
  client.Received();
  const std::string replies = Ask("drop function resize");
  EXPECT_THAT(replies, StartsWith("OK\r\nERR "));
  EXPECT_THAT(client.Received(), ElementsAre("WORK_FAIL H:1"));
  EXPECT_EQ(Ask("status"), "Resize\t0\t0\t1\n.\n");
  // The timer of the job is gone as well.
  EXPECT_EQ(engine_.next_deadline(), absl::InfiniteFuture());
  engine_.OnTime(absl::FromUnixSeconds(2000));
  EXPECT_EQ(Ask("show jobs"), ".\n");
}

TEST_F(TextCommandsTest, AFunctionWhoseLastJobStillRunsIsNotDropped) {
  EnginePeer worker(&engine_);
  worker.Send(RequestPacket(18, {"f", "", ""}) + RequestPacket(1, {"f"}) +
              RequestPacket(9) + RequestPacket(2, {"f"}));
  EXPECT_EQ(Ask("status"), "f\t1\t1\t0\n.\n");
  EXPECT_THAT(Ask("drop function f"), StartsWith("ERR "));
  worker.Send(RequestPacket(13, {"H:1", ""}));
  EXPECT_EQ(Ask("drop function f"), "OK\r\n");
}

TEST_F(TextCommandsTest, MaxQueueLimitsEachPriority) {
  EXPECT_EQ(Ask("create function f"), "OK\r\n");
  EXPECT_EQ(Ask("maxqueue f 3 2 1"), "OK\r\n");
  EnginePeer client(&engine_);
  const auto submits = [&client](uint32_t command) {
    client.Send(RequestPacket(command, {"f", "", ""}));
    return client.Received().front().substr(0, 11) == "JOB_CREATED";
  };
  EXPECT_TRUE(submits(34));
  EXPECT_FALSE(submits(34));
  EXPECT_TRUE(submits(18));
  EXPECT_FALSE(submits(18));
  EXPECT_TRUE(submits(32));
  EXPECT_FALSE(submits(32));
  EXPECT_EQ(Ask("maxqueue f 0"), "OK\r\n");
  EXPECT_TRUE(submits(34));
}

TEST_F(TextCommandsTest, ACancelledJobIsNotRunAndNotJoined) {
  EnginePeer client(&engine_);
  client.Send(RequestPacket(7, {"f", "u", "first"}));
  client.Received();
  EXPECT_EQ(Ask("cancel job H:1"), "OK\r\n");
  EXPECT_THAT(client.Received(), ElementsAre("WORK_FAIL H:1"));
  client.Send(RequestPacket(7, {"f", "u", "second"}));
  EXPECT_THAT(client.Received(), ElementsAre("JOB_CREATED H:2"));
  EnginePeer worker(&engine_);
  worker.Send(RequestPacket(1, {"f"}) + RequestPacket(9) + RequestPacket(9));
  EXPECT_THAT(worker.Received(),
              ElementsAre("JOB_ASSIGN H:2|f|second", "NO_JOB"));
}

TEST_F(TextCommandsTest, ARunningJobThatIsCancelledEndsWithItsWorker) {
  EnginePeer client(&engine_);
  client.Send(RequestPacket(7, {"f", "u", ""}));
  client.Received();
  EnginePeer worker(&engine_);
  worker.Send(RequestPacket(1, {"f"}) + RequestPacket(9));
  EXPECT_EQ(Ask("cancel job H:1"), "OK\r\n");
  EXPECT_THAT(client.Received(), ElementsAre("WORK_FAIL H:1"));
  worker.Leave();
  EnginePeer next(&engine_);
  next.Send(RequestPacket(1, {"f"}) + RequestPacket(9));
  EXPECT_THAT(next.Received(), ElementsAre("NO_JOB"));
  EXPECT_EQ(engine_.queue().size(), 0u);
}

TEST_F(TextCommandsTest, AnyChunkingIsTheSame) {
  EnginePeer client(&engine_);
  EnginePeer worker(&engine_);
  FillQueues(client, worker);
  const std::string lines =
      "status\r\nPRIORITYSTATUS\nworkers\r\nshow  jobs\r\n"
      "show unique jobs\nversion\r\nverbose\r\nmaxqueue f 1 2 3\r\nwhat\r\n";
  EXPECT_TRUE(admin_.Send(lines));
  const std::string whole = admin_.ReceivedBytes();
  for (size_t chunk = 1; chunk < lines.size(); ++chunk) {
    EXPECT_TRUE(admin_.Send(lines, chunk));
    EXPECT_EQ(admin_.ReceivedBytes(), whole) << chunk;
  }
}

TEST_F(TextCommandsTest, ALineThatIsTooLongEndsItsConnection) {
  EXPECT_FALSE(admin_.Send("a b c d e f\r\n"));
  EnginePeer other(&engine_);
  EXPECT_FALSE(other.Send(std::string(10000, 'x')));
  EXPECT_THAT(other.ReceivedBytes(), IsEmpty());
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
