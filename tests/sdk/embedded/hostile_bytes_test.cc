// Whatever a peer sends, the server lives on and serves others.
#include "gearman/tests/sdk/embedded/hostile_bytes.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::RequestPacket;

// A stream of every command that a server takes.
std::string EveryCommand() {
  std::string stream;
  for (const uint32_t submit : {7u, 18u, 21u, 32u, 33u, 34u}) {
    stream += RequestPacket(submit, {"f", absl::StrCat("u", submit), "data"});
  }
  stream += RequestPacket(36, {"f", "later", "99999999", "data"});
  stream += RequestPacket(37, {"f", "reduce", "g", "", "data"});
  stream += RequestPacket(22, {"hostile worker"});
  stream += RequestPacket(26, {"exceptions"});
  stream += RequestPacket(1, {"f"});
  stream += RequestPacket(23, {"g", "1000"});
  for (const uint32_t grab : {9u, 30u, 39u}) stream += RequestPacket(grab, {});
  stream += RequestPacket(12, {"H:1", "1", "2"});
  stream += RequestPacket(28, {"H:1", "part"});
  stream += RequestPacket(29, {"H:1", "careful"});
  stream += RequestPacket(13, {"H:1", "result"});
  stream += RequestPacket(25, {"H:2", "exception"});
  stream += RequestPacket(14, {"H:3"});
  stream += RequestPacket(15, {"H:4"});
  stream += RequestPacket(41, {"u34"});
  stream += RequestPacket(16, {"echo"});
  stream +=
      "status\r\nprioritystatus\r\nworkers\r\nshow jobs\r\n"
      "show unique jobs\r\nversion\r\nmaxqueue f 10\r\n"
      "create function h\r\ndrop function h\r\ncancel job H:5\r\n";
  stream += RequestPacket(2, {"f"});
  stream += RequestPacket(3, {});
  stream += RequestPacket(4, {});
  return stream;
}

class HostileBytesTest : public ::testing::Test {
 protected:
  HostileBytesTest() : engine_(Options()) { engine_.OnTime(absl::UnixEpoch()); }
  static EngineOptions Options() {
    EngineOptions options;
    options.queue.handle_prefix = "H";
    options.queue.max_jobs = 10000;
    options.queue.max_functions = 100;
    options.workers.max_abilities = 10;
    return options;
  }
  // A client and a worker get a job done.
  void ExpectServes() {
    EXPECT_TRUE(
        SendHostileBytes(&engine_,
                         absl::StrCat(RequestPacket(1, {"probe"}),
                                      RequestPacket(18, {"probe", "", "data"}),
                                      RequestPacket(9, {})),
                         100));
  }

  ServerEngine engine_;
};

TEST_F(HostileBytesTest, EveryCommandIsTakenInAnyPieces) {
  const std::string stream = EveryCommand();
  for (size_t chunk = 1; chunk < 40; ++chunk) {
    EXPECT_TRUE(SendHostileBytes(&engine_, stream, chunk)) << chunk;
  }
}

TEST_F(HostileBytesTest, AStreamMayEndAnywhere) {
  const std::string stream = EveryCommand();
  for (size_t size = 0; size <= stream.size(); ++size) {
    SendHostileBytes(&engine_, absl::string_view(stream).substr(0, size), 4096);
  }
  ExpectServes();
}

TEST_F(HostileBytesTest, AnyByteMayBeAnyOther) {
  std::mt19937 random(42);  // NOLINT: the same in every run
  const std::string sound = EveryCommand();
  for (int i = 0; i < 20000; ++i) {
    std::string stream = sound;
    for (int changes = static_cast<int>(random() % 4); changes >= 0;
         --changes) {
      stream[random() % stream.size()] = static_cast<char>(random());
    }
    SendHostileBytes(&engine_, stream, 1 + random() % 500);
  }
  ExpectServes();
}

TEST_F(HostileBytesTest, NoiseHarmsNobody) {
  std::mt19937 random(43);  // NOLINT: the same in every run
  for (int i = 0; i < 20000; ++i) {
    std::string stream(random() % 200, '\0');
    for (char& byte : stream) byte = static_cast<char>(random());
    if (i % 2 == 0)
      stream = absl::StrCat(RequestPacket(18, {"f", "", ""}), stream);
    SendHostileBytes(&engine_, stream, 1 + random() % 50);
  }
  ExpectServes();
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
