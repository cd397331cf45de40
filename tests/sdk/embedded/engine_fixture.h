// A fixture for tests of ServerEngine: packets by name, and the engine on the
// test's clock with its connections.
//
// Not thread-safe.
#ifndef GEARMAN_TESTS_SDK_EMBEDDED_ENGINE_FIXTURE_H_
#define GEARMAN_TESTS_SDK_EMBEDDED_ENGINE_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {

inline constexpr absl::Time kStart = absl::FromUnixSeconds(1000);

inline std::string CanDo(const std::string& function) {
  return support::RequestPacket(1, {function});
}
inline std::string Submit(const std::string& function,
                          const std::string& unique, const std::string& data) {
  return support::RequestPacket(7, {function, unique, data});
}
inline std::string SubmitBackground(const std::string& function,
                                    const std::string& data) {
  return support::RequestPacket(18, {function, "", data});
}
inline std::string Grab() { return support::RequestPacket(9); }
inline std::string Complete(const std::string& handle,
                            const std::string& result) {
  return support::RequestPacket(13, {handle, result});
}

class ServerEngineTest : public ::testing::Test {
 protected:
  EngineOptions options;  // before the first use of engine()

  ServerEngineTest() { options.queue.handle_prefix = "H"; }
  ServerEngine& engine() {
    if (engine_ == nullptr) {
      engine_ = std::make_unique<ServerEngine>(options);
      engine_->OnTime(kStart);
    }
    return *engine_;
  }
  // Lives as long as the test, unless it leaves.
  EnginePeer& Connect(const std::string& bytes = "") {
    peers_.push_back(std::make_unique<EnginePeer>(&engine()));
    EXPECT_TRUE(peers_.back()->Send(bytes));
    return *peers_.back();
  }
  static std::vector<std::string> Ask(EnginePeer& peer,
                                      const std::string& bytes) {
    EXPECT_TRUE(peer.Send(bytes));
    return peer.Received();
  }

 private:
  std::unique_ptr<ServerEngine> engine_;
  std::vector<std::unique_ptr<EnginePeer>> peers_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_EMBEDDED_ENGINE_FIXTURE_H_
