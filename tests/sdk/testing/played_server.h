// PlayedServer: a job server that a test plays by hand, packet by packet,
// inside a Simulation: what is asked of it makes the others go on, on the
// virtual clock, until it has come.
#ifndef GEARMAN_TESTS_SDK_TESTING_PLAYED_SERVER_H_
#define GEARMAN_TESTS_SDK_TESTING_PLAYED_SERVER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {

// One connection, as its server sees it. Packets read as their name and their
// arguments: "GRAB_JOB_ALL", "WORK_COMPLETE H:1|result".
class PlayedConnection {
 public:
  PlayedConnection(Simulation* simulation, std::unique_ptr<Transport> transport)
      : simulation_(simulation), transport_(std::move(transport)) {}

  // The next packet, or "nothing" when none comes within an hour, or "closed".
  std::string Receive() {
    simulation_->RunUntil([this] { return Look(); }, absl::Hours(1));
    return Take();
  }
  // All packets that come within this time.
  std::vector<std::string> ReceiveFor(absl::Duration time) {
    simulation_->RunFor(time);
    std::vector<std::string> packets;
    while (Look()) {
      packets.push_back(Take());
      if (packets.back() == "closed") break;
    }
    return packets;
  }
  void Send(wire::Command command, const std::vector<std::string>& arguments) {
    SendBytes(
        support::ResponsePacket(static_cast<uint32_t>(command), arguments));
  }
  void SendBytes(absl::string_view bytes) {
    const std::array<absl::string_view, 1> pieces{bytes};
    const IoResult result = transport_->Write(pieces);
    EXPECT_TRUE(result.done()) << result.status;
    EXPECT_EQ(result.bytes, bytes.size());
  }
  void Close() { transport_->Close(); }

 private:
  // Something can be taken.
  bool Look() {
    char buffer[65536];
    while (!closed_) {
      const IoResult result = transport_->Read(absl::MakeSpan(buffer));
      if (result.done()) {
        input_.append(buffer, result.bytes);
        continue;
      }
      closed_ = !result.would_block();
      break;
    }
    return closed_ || (input_.size() >= 12 && input_.size() >= PacketSize());
  }
  size_t PacketSize() const {
    wire::Header header;
    EXPECT_TRUE(wire::ReadHeader(input_.data(), &header));
    return wire::kHeaderBytes + header.body_bytes;
  }
  std::string Take() {
    if (input_.size() < 12 || input_.size() < PacketSize()) {
      return closed_ ? "closed" : "nothing";
    }
    wire::Header header;
    EXPECT_TRUE(wire::ReadHeader(input_.data(), &header));
    const std::string body = input_.substr(12, header.body_bytes);
    input_.erase(0, 12 + header.body_bytes);
    const std::string name(wire::CommandName(header.type));
    if (body.empty()) return name;
    return absl::StrCat(
        name, " ",
        absl::StrReplaceAll(body, {{absl::string_view("\0", 1), "|"}}));
  }

  Simulation* const simulation_;
  const std::unique_ptr<Transport> transport_;
  std::string input_;
  bool closed_ = false;
};

class PlayedServer {
 public:
  // Listens on inproc://NAME.
  PlayedServer(Simulation* simulation, std::shared_ptr<InprocNetwork> network,
               const std::string& name)
      : simulation_(simulation),
        poller_(simulation->MakePoller(absl::StrCat("played ", name))) {
    absl::StatusOr<std::unique_ptr<Listener>> listener =
        network->Listen(name, poller_.get(), 0, {});
    EXPECT_TRUE(listener.ok()) << listener.status();
    if (listener.ok()) listener_ = *std::move(listener);
  }

  // The next connection that somebody makes.
  std::unique_ptr<PlayedConnection> Accept() {
    std::unique_ptr<Transport> transport;
    simulation_->RunUntil(
        [this, &transport] {
          absl::StatusOr<std::unique_ptr<Transport>> accepted =
              listener_->Accept(poller_.get(), ++last_key_);
          EXPECT_TRUE(accepted.ok()) << accepted.status();
          if (accepted.ok()) transport = *std::move(accepted);
          return transport != nullptr;
        },
        absl::Hours(1));
    EXPECT_NE(transport, nullptr) << "nobody connects";
    return std::make_unique<PlayedConnection>(simulation_,
                                              std::move(transport));
  }
  // Connects are refused from now on.
  void StopListening() { listener_ = nullptr; }

 private:
  Simulation* const simulation_;
  const std::shared_ptr<Poller> poller_;
  std::unique_ptr<Listener> listener_;
  Poller::Key last_key_ = 0;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_TESTING_PLAYED_SERVER_H_
