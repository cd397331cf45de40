// The embedded job server, with two peers that send whatever they like. And one
// in a crowd, where no turn may cost more than turns may.
#include "gearman/sdk/embedded/server_engine.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/tests/fuzz/fuzz_target.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/sdk/embedded/hostile_bytes.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace fuzz {

std::vector<std::string> Seeds() {
  using support::RequestPacket;
  return {RequestPacket(1, {"f"}) + RequestPacket(18, {"f", "u", "data"}) +
              RequestPacket(9, {}) + RequestPacket(13, {"H:1", "result"}),
          RequestPacket(7, {"f", "-", "data"}) +
              RequestPacket(7, {"f", "-", "data"}) + RequestPacket(1, {"f"}) +
              RequestPacket(30, {}) + RequestPacket(28, {"H:1", "part"}) +
              RequestPacket(25, {"H:1", "exception"}),
          RequestPacket(23, {"f", "5"}) +
              RequestPacket(36, {"f", "u", "3", "data"}) + RequestPacket(4, {}),
          "status\r\nworkers\r\nmaxqueue f 1 2 3\r\n" +
              RequestPacket(37, {"f", "u", "r", "", "data"}) +
              "show jobs\r\ncancel job H:1\r\ndrop function f\r\n",
          // Packets and commands that cost much in a crowded server.
          RequestPacket(1, {"f"}) + RequestPacket(9, {}) +
              RequestPacket(12, {"H:1", "1", "2"}) +
              RequestPacket(28, {"H:1", "part"}) +
              RequestPacket(13, {"H:1", "result"}) + RequestPacket(3, {}),
          "status\r\nprioritystatus\r\nworkers\r\nshow jobs\r\n"
          "show unique jobs\r\ndrop function G\r\n" +
              RequestPacket(18, {"s", "", ""}) + RequestPacket(4, {})};
}

}  // namespace fuzz
}  // namespace gearman

namespace gearman {
namespace embedded {
namespace {

// Work units of a turn in the crowded server, and the most that the step in
// which the turn ends may cost on top.
constexpr int64_t kTurnUnits = 40;
constexpr int64_t kStepUnits = 150;
// List links and output bytes that one unit pays for at most. Each turn may use
// the free amounts on top, and output names as long as the input.
constexpr uint64_t kListStepsPerUnit = 2;
constexpr size_t kOutputBytesPerUnit = 64;
constexpr uint64_t kFreeListSteps = 50;
constexpr size_t kFreeOutputBytes = 600;
// How many jobs, functions and abilities the server has, and how many
// submissions wait for one job.
constexpr int kCrowd = 64;
constexpr int kWaiters = 192;

// A server with many jobs, functions, waiters and abilities. No turn of it may
// exceed the limits above, whatever a peer sends. This finds commands whose
// cost grows with the crowd and is not counted, or not cut into turns.
class CrowdedServer {
 public:
  CrowdedServer() : engine_(Options()), client_(&engine_), worker_(&engine_) {
    using support::RequestPacket;
    engine_.OnTime(absl::UnixEpoch());
    std::string joins;
    std::string jobs;
    std::string abilities = RequestPacket(1, {"f"});
    std::string functions;
    for (int i = 0; i < kWaiters; ++i) {
      joins += RequestPacket(7, {"f", "u", "data"});
    }
    for (int i = 0; i < kCrowd; ++i) {
      const std::string number = absl::StrCat(i);
      jobs += RequestPacket(18, {i % 2 == 0 ? "f" : "g", "", ""});
      abilities += RequestPacket(1, {"a" + number});
      functions += "create function " + number + "\r\n";
    }
    // All submissions with the unique "u" have joined job 1. No worker holds it
    // yet.
    client_.Send(joins + jobs + functions);
    worker_.Send(abilities + RequestPacket(4, {}));
    sleeper_.Send(RequestPacket(1, {"s"}) + RequestPacket(4, {}));
    client_.ReceivedBytes();
    worker_.ReceivedBytes();
  }

  void Play(absl::string_view bytes) {
    input_bytes_ = bytes.size();
    EnginePeer hostile(&engine_, 0, "hostile");
    EnginePeer::Step step = EnginePeer::Step::kNeedsMore;
    while (!bytes.empty() && step != EnginePeer::Step::kBroken) {
      bytes.remove_prefix(hostile.Offer(bytes.substr(0, 64)));
      do {
        InATurn([&] { step = hostile.DoStep(); });
        Rest();
        hostile.ReceivedBytes();
      } while (step == EnginePeer::Step::kDone);
    }
    InATurn([&] { hostile.Leave(); });
    Rest();
    InATurn([&] { engine_.OnTime(absl::UnixEpoch() + absl::Hours(1)); });
    Rest();
  }

 private:
  static EngineOptions Options() {
    EngineOptions options;
    options.queue.handle_prefix = "H";
    options.queue.max_functions = 1000;
    return options;
  }
  template <typename Do>
  void InATurn(Do&& run) {
    const size_t output = OutputBytes();
    const uint64_t steps = ListSteps::count();
    engine_.meter().StartTurn(kTurnUnits);
    run();
    const int64_t spent = kTurnUnits - engine_.meter().left();
    GEARMAN_FUZZ_CHECK(spent <= kTurnUnits + kStepUnits);
    GEARMAN_FUZZ_CHECK(ListSteps::count() - steps <=
                       kListStepsPerUnit * static_cast<uint64_t>(spent) +
                           kFreeListSteps);
    const size_t now = OutputBytes();
    GEARMAN_FUZZ_CHECK(now <=
                       output + kFreeOutputBytes + 8 * input_bytes_ +
                           kOutputBytesPerUnit * static_cast<size_t>(spent));
    client_.ReceivedBytes();
    worker_.ReceivedBytes();
  }
  // Does the server's background work, in turns.
  void Rest() {
    int turns = 0;
    while (engine_.has_background_work()) {
      InATurn([&] { engine_.DoBackgroundWork(); });
      GEARMAN_FUZZ_CHECK(++turns < 10000);
    }
    while (engine_.NextWithOutput() != nullptr) {
    }
  }
  size_t OutputBytes() {
    size_t bytes = 0;
    ListWalker<EngineConnection, ConnectionsTag> walker;
    walker.Start(&engine_.connections());
    size_t steps = 0;
    while (EngineConnection* const connection = walker.Next(&steps)) {
      bytes += connection->output_bytes();
    }
    return bytes;
  }

  ServerEngine engine_;
  size_t input_bytes_ = 0;
  EnginePeer client_;
  EnginePeer worker_;
  EnginePeer sleeper_{&engine_};
};

}  // namespace
}  // namespace embedded
}  // namespace gearman

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes = gearman::fuzz::Text(data, size);
  gearman::embedded::EngineOptions options;
  options.queue.handle_prefix = "H";
  options.queue.max_jobs = 1000;
  options.queue.max_functions = 4;
  options.workers.max_abilities = 3;
  gearman::embedded::ServerEngine engine(options);
  engine.OnTime(absl::UnixEpoch());
  gearman::embedded::SendHostileBytes(&engine, bytes, 13);
  engine.OnTime(absl::UnixEpoch() + absl::Seconds(10));
  gearman::embedded::SendHostileBytes(&engine, bytes, 4096);
  // To make a crowd takes much longer than the rest: for one input of four.
  uint32_t sum = 0;
  for (const char byte : bytes) sum = sum * 31 + static_cast<uint8_t>(byte);
  if (sum / 7 % 4 == 0) gearman::embedded::CrowdedServer().Play(bytes);
  return 0;
}
