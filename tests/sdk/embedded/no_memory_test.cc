// The engine when an allocation fails, each in turn: it stays sound, and only
// the connection whose command found no memory, or whose output did, is lost.
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/failing_new.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::FailingNew;
using support::RequestPacket;
using ::testing::Contains;

// Clients and a worker use an engine whose allocation `number` fails. A
// neighbour's jobs are queued before that.
void PlayWithFailure(uint64_t number, bool* failed) {
  EngineOptions options;
  options.queue.handle_prefix = "H";
  options.version = "v";
  ServerEngine engine(options);
  engine.OnTime(absl::UnixEpoch());
  EnginePeer neighbour(&engine, 1);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(neighbour.Send(RequestPacket(18, {"mine", "", "data"})));
  }
  ASSERT_EQ(neighbour.Received().size(), 5u);

  {
    EnginePeer client(&engine, 2);
    EnginePeer joined(&engine, 3);
    EnginePeer worker(&engine, 4);
    const auto play = [](EnginePeer& peer, const std::string& bytes) {
      // A command that finds no memory ends its connection, as in the server.
      if (peer.connection() == nullptr) return;
      try {
        if (peer.Send(bytes)) return;
      } catch (const std::bad_alloc&) {
      }
      peer.Leave();
    };
    const std::string large(20000, 'x');
    // Made before, as only the engine's allocations are to fail.
    const std::vector<std::pair<EnginePeer*, std::string>> played = {
        {&worker, RequestPacket(1, {"f"}) + RequestPacket(23, {"g", "1000"}) +
                      RequestPacket(22, {"id"}) + RequestPacket(9, {})},
        {&worker, RequestPacket(4, {})},
        {&client, RequestPacket(7, {"f", "u", large}) +
                      RequestPacket(7, {"g", "-", "data"}) +
                      RequestPacket(36, {"f", "later", "3", "data"})},
        {&joined, RequestPacket(7, {"f", "u", large}) +
                      RequestPacket(26, {"exceptions"})},
        {&worker, RequestPacket(9, {}) + RequestPacket(39, {})},
        {&worker, RequestPacket(28, {"H:6", large}) +
                      RequestPacket(12, {"H:6", "1", "2"}) +
                      RequestPacket(25, {"H:7", large}) +
                      RequestPacket(13, {"H:6", large})},
        {&client, RequestPacket(16, {large}) + RequestPacket(15, {"H:6"}) +
                      RequestPacket(41, {"u"})},
        {&client,
         "status\nworkers\nshow jobs\nshow unique jobs\nversion\n"
         "create function new\nmaxqueue new 1 2 3\n"},
    };
    FailingNew failing(number);
    for (const auto& step : played) play(*step.first, step.second);
    try {
      engine.OnTime(absl::UnixEpoch() + absl::Seconds(10));
    } catch (const std::bad_alloc&) {
      // The turn is made again.
    }
    *failed = failing.failed();
  }

  engine.OnTime(absl::UnixEpoch() + absl::Seconds(20));
  // The neighbour's jobs are all there, and can be done.
  EnginePeer worker(&engine, 5);
  ASSERT_TRUE(worker.Send(RequestPacket(1, {"mine"})));
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(worker.Send(RequestPacket(9, {})));
    ASSERT_THAT(worker.Received(),
                Contains(absl::StrCat("JOB_ASSIGN H:", i, "|mine|data")));
    ASSERT_TRUE(
        worker.Send(RequestPacket(13, {absl::StrCat("H:", i), "done"})));
  }
  ASSERT_TRUE(worker.Send(RequestPacket(9, {})));
  ASSERT_THAT(worker.Received(), Contains("NO_JOB"));
  // A worker can take and end the other jobs that are left, too.
  ASSERT_TRUE(worker.Send(RequestPacket(1, {"f"}) + RequestPacket(1, {"g"})));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(worker.Send(RequestPacket(9, {})));
    for (const std::string& packet : worker.Received()) {
      if (packet.rfind("JOB_ASSIGN ", 0) != 0) continue;
      const size_t begin = packet.find(' ') + 1;
      ASSERT_TRUE(worker.Send(
          RequestPacket(14, {packet.substr(begin, packet.find('|') - begin)})));
    }
  }
  EXPECT_EQ(engine.queue().size(), 0u);
}

TEST(ServerEngineWithoutMemory, IsSoundWhicheverAllocationFails) {
  uint64_t number = 1;
  for (bool failed = true; failed && !HasFatalFailure(); ++number) {
    SCOPED_TRACE(absl::StrCat("allocation ", number));
    PlayWithFailure(number, &failed);
  }
  // Each allocation has failed once.
  EXPECT_GT(number, 30u);
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
