#include "gearman/sdk/testing/scripted_transport.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using support::RequestPacket;
using support::ResponsePacket;
using ::testing::HasSubstr;

class ScriptedTransportTest : public ::testing::Test {
 protected:
  ScriptedTransportTest() {
    auto transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        transports
            ->Register("script",
                       std::make_shared<ScriptedTransportFactory>(script_))
            .ok());
    ClientOptions options;
    options.servers = {"script://peer"};
    options.transports = std::move(transports);
    options.poller = simulation_.MakePoller("client");
    options.drive_mode = DriveMode::kCallerOnly;
    options.exceptions = false;
    // The script has one connection for each call of Run.
    options.max_connection_attempts = 1;
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  absl::StatusOr<std::string> Run() {
    CallOptions options;
    options.unique = "u";
    options.timeout = absl::Minutes(1);
    return client_->Run("reverse", "abc", options);
  }

  Simulation simulation_{1};
  const std::shared_ptr<TransportScript> script_ =
      std::make_shared<TransportScript>();
  std::unique_ptr<Client> client_;
};

TEST_F(ScriptedTransportTest, SaysAndExpectsWhatItsScriptSays) {
  script_->Expect(RequestPacket(7, {"reverse", "u", "abc"}))
      .Give(ResponsePacket(8, {"H:1"}))
      .Give(ResponsePacket(13, {"H:1", "cba"}));
  const absl::StatusOr<std::string> result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "cba");
  EXPECT_TRUE(script_->Finished()) << script_->Trouble();
}

TEST_F(ScriptedTransportTest, NamesBytesThatItDidNotExpect) {
  script_->Expect(RequestPacket(18, {"reverse", "u", "abc"}));
  EXPECT_FALSE(Run().ok());
  EXPECT_FALSE(script_->Finished());
  EXPECT_THAT(script_->Trouble(), HasSubstr("expected"));
}

TEST_F(ScriptedTransportTest, MayRefuseEndAndFail) {
  script_->Refuse(absl::UnavailableError("nobody is at home"));
  EXPECT_THAT(std::string(Run().status().message()),
              HasSubstr("nobody is at home"));
  // A server that has failed shows first that it answers.
  const std::string echo = "gearman_sdk heartbeat";
  script_->Expect(RequestPacket(16, {echo}))
      .Give(ResponsePacket(17, {echo}))
      .Expect(RequestPacket(7, {"reverse", "u", "abc"}))
      .End();
  EXPECT_THAT(std::string(Run().status().message()),
              HasSubstr("outcome unknown"));
  script_->Expect(RequestPacket(16, {echo}))
      .Give(ResponsePacket(17, {echo}))
      .Expect(RequestPacket(7, {"reverse", "u", "abc"}))
      .Fail(absl::UnavailableError("cable pulled"));
  EXPECT_THAT(std::string(Run().status().message()), HasSubstr("cable pulled"));
  EXPECT_TRUE(script_->Finished()) << script_->Trouble();
}

}  // namespace
}  // namespace testing
}  // namespace gearman
