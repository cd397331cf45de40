// The embedded job server, with two peers that send whatever they like.
#include "gearman/sdk/embedded/server_engine.h"

#include "absl/time/time.h"
#include "gearman/tests/fuzz/fuzz_target.h"
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
              "show jobs\r\ncancel job H:1\r\ndrop function f\r\n"};
}

}  // namespace fuzz
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
  return 0;
}
