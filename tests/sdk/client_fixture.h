// ClientTest: a client whose server the test plays by hand.
//
// The client's own (background) thread moves what the test does not wait for,
// so the test goes on in one thread: submit, play the server, wait.
#ifndef GEARMAN_TESTS_SDK_CLIENT_FIXTURE_H_
#define GEARMAN_TESTS_SDK_CLIENT_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {

// Packet numbers, by hand like the packets.
inline constexpr uint32_t kSubmitJob = 7;
inline constexpr uint32_t kJobCreated = 8;
inline constexpr uint32_t kWorkStatus = 12;
inline constexpr uint32_t kWorkComplete = 13;
inline constexpr uint32_t kWorkFail = 14;
inline constexpr uint32_t kGetStatus = 15;
inline constexpr uint32_t kEchoReq = 16;
inline constexpr uint32_t kEchoRes = 17;
inline constexpr uint32_t kSubmitJobBg = 18;
inline constexpr uint32_t kError = 19;
inline constexpr uint32_t kStatusRes = 20;
inline constexpr uint32_t kSubmitJobHigh = 21;
inline constexpr uint32_t kWorkException = 25;
inline constexpr uint32_t kOptionReq = 26;
inline constexpr uint32_t kOptionRes = 27;
inline constexpr uint32_t kWorkData = 28;
inline constexpr uint32_t kWorkWarning = 29;
inline constexpr uint32_t kSubmitJobLow = 33;
inline constexpr uint32_t kSubmitJobEpoch = 36;
inline constexpr uint32_t kGetStatusUnique = 41;
inline constexpr uint32_t kStatusResUnique = 42;

// Long enough for the slowest machine; no test waits for it to pass.
inline constexpr absl::Duration kLong = absl::Seconds(60);

// A job of the task "reverse".
inline JobSpec ReverseSpec(const std::string& unique = "u") {
  JobSpec spec("reverse", "hello");
  spec.options.unique = unique;
  return spec;
}

// tcp alone, as an application without the builtins would have it.
inline std::shared_ptr<TransportRegistry> TcpOnly() {
  auto registry = std::make_shared<TransportRegistry>();
  EXPECT_TRUE(
      registry->Register("tcp", std::make_shared<TcpTransportFactory>()).ok());
  return registry;
}

// One connection of a client, as its server sees it.
class PlayedServer {
 public:
  // Accepts the client's connection, and its question for exceptions.
  explicit PlayedServer(support::RawListener* listener) {
    absl::StatusOr<support::RawConnection> connection = listener->Accept();
    EXPECT_TRUE(connection.ok()) << connection.status();
    if (!connection.ok()) return;
    connection_ =
        std::make_unique<support::RawConnection>(*std::move(connection));
    EXPECT_EQ(Receive(), support::RequestPacket(kOptionReq, {"exceptions"}));
    Send(kOptionRes, {"exceptions"});
  }

  // The next packet of the client.
  std::string Receive() {
    absl::StatusOr<std::string> packet = connection_->ReceivePacket();
    EXPECT_TRUE(packet.ok()) << packet.status();
    return packet.ok() ? *packet : std::string();
  }
  // The next packet, which must be of `type`: its arguments as they came.
  std::string ReceiveBody(uint32_t type) {
    const std::string packet = Receive();
    if (packet.size() < 12) return "";
    EXPECT_EQ(static_cast<uint32_t>(static_cast<unsigned char>(packet[7])),
              type);
    return packet.substr(12);
  }
  void Send(uint32_t type, const std::vector<std::string>& arguments) {
    SendBytes(support::ResponsePacket(type, arguments));
  }
  void SendBytes(absl::string_view bytes) {
    const absl::Status status = connection_->Send(bytes);
    EXPECT_TRUE(status.ok()) << status;
  }
  support::RawConnection& connection() { return *connection_; }
  void Close() { connection_->Close(); }

 private:
  std::unique_ptr<support::RawConnection> connection_;
};

class ClientTest : public ::testing::Test {
 protected:
  ClientOptions Options() {
    ClientOptions options;
    options.servers = {listener_.address()};
    options.transports = TcpOnly();
    return options;
  }
  std::unique_ptr<Client> MakeClient(ClientOptions options) {
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }
  std::unique_ptr<Client> MakeClient() { return MakeClient(Options()); }

  support::RawListener listener_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_CLIENT_FIXTURE_H_
