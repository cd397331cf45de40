// ServerSetTest: a ServerSet with a small session, over in-process streams and
// on a virtual clock.
#ifndef GEARMAN_TESTS_SDK_INTERNAL_NET_SERVER_SET_FIXTURE_H_
#define GEARMAN_TESTS_SDK_INTERNAL_NET_SERVER_SET_FIXTURE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/link.h"
#include "gearman/sdk/internal/net/server.h"
#include "gearman/sdk/internal/net/server_set.h"
#include "gearman/sdk/internal/net/server_set_impl.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/refusing_transport.h"
#include "gearman/transports/address.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {

// A session that notes its calls and does what the test has set.
class NotingSession {
 public:
  using Receiver = wire::ToWorker;

  explicit NotingSession(wire::OutputBuffer* output) : output_(output) {}

  void Say(absl::string_view function) {
    EXPECT_TRUE(wire::Encode(wire::CanDo{function}, *output_).ok());
  }

  bool OnReceived(absl::Time /*now*/) {
    ++received;
    return serves;
  }
  void OnProgress(absl::Time /*now*/) {}
  absl::Status OnTime(absl::Time /*now*/) {
    ++timers;
    deadline = absl::InfiniteFuture();
    return on_time;
  }
  absl::Time next_deadline() const { return deadline; }
  void OnConnected(absl::Time now) { connected_at = now; }
  void Settle(absl::Time /*now*/) { ++settled; }
  void Retire() { ++retired; }
  bool MayEnd(absl::Time /*now*/) { return may_end; }

  bool serves = true;
  bool may_end = false;
  absl::Status on_time;
  absl::Time deadline = absl::InfiniteFuture();
  absl::Time connected_at = absl::InfinitePast();
  int received = 0;
  int timers = 0;
  int settled = 0;
  int retired = 0;

 private:
  wire::OutputBuffer* const output_;
};

using Set = ServerSet<NotingSession>;
using TestLink = Link<NotingSession>;

class ServerSetTest : public ::testing::Test, public Set::Owner {
 protected:
  ServerSetTest()
      : network_(std::make_shared<InprocNetwork>()),
        refusing_(std::make_shared<testing::RefusingFactory>()),
        connecting_(std::make_shared<testing::RefusingFactory>(
            nullptr, absl::ZeroDuration(), /*later=*/true)),
        metrics_(MetricsOptions()) {
    options_.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        options_.transports
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network_))
            .ok());
    EXPECT_TRUE(options_.transports->Register("refusing", refusing_).ok());
    EXPECT_TRUE(options_.transports->Register("connecting", connecting_).ok());
    options_.connect_timeout = absl::Seconds(5);
    options_.metrics = &metrics_;
    options_.logger =
        Logger(LogLevel::kInfo, [this](LogLevel level, absl::string_view text) {
          log_.push_back(absl::StrCat(LogLevelName(level), ": ", text));
        });
  }

  void Make() {
    set_.emplace(options_, poller_.get(), &random_,
                 static_cast<Set::Owner*>(this));
  }
  // Adds inproc://NAME, played by the test, and connects to it.
  TestLink& Connect(const std::string& name) {
    played_.push_back(
        std::make_unique<testing::PlayedServer>(&simulation_, network_, name));
    const Set::Ptr server = set_->Add({"inproc", name});
    return ConnectAgain(server);
  }
  // Connects to a server that Connect has added.
  TestLink& ConnectAgain(const Set::Ptr& server) {
    EXPECT_TRUE(set_->Connect(server, now()).ok());
    Turn();
    EXPECT_TRUE(server->link->up());
    return *server->link;
  }
  std::unique_ptr<testing::PlayedConnection> Accept(size_t index = 0) {
    return played_[index]->Accept();
  }
  // A turn of the owner, without commands.
  void Turn() {
    std::vector<Poller::Key> ready;
    poller_->Wait(absl::InfinitePast(), &ready);
    for (const Poller::Key key : ready) {
      set_->OnReady(key, now(), [this](TestLink& link, wire::ToWorker& event) {
        if (std::holds_alternative<wire::Noop>(event)) {
          noops_.push_back(link.server->name);
        }
        return on_event_;
      });
    }
    set_->OnTime(now());
    set_->Flush(now());
  }
  absl::Time now() { return simulation_.now(); }
  static uint64_t Reconnects(const Server& server, ReconnectReason reason) {
    return server.metrics->reconnects[static_cast<size_t>(reason)].value();
  }

  std::unique_ptr<NotingSession> MakeSession(
      TestLink& /*link*/, wire::OutputBuffer* output) override {
    return std::make_unique<NotingSession>(output);
  }
  void OnFlushed(TestLink& link) override {
    flushed_.push_back(link.server->name);
  }
  void OnClosing(TestLink& link) override {
    closing_.push_back(link.server->name);
  }
  void OnRetired(TestLink& link) override {
    retired_.push_back(link.server->name);
  }

  testing::Simulation simulation_{1};
  const std::shared_ptr<Poller> poller_ = simulation_.MakePoller("set");
  const std::shared_ptr<InprocNetwork> network_;
  const std::shared_ptr<testing::RefusingFactory> refusing_;
  const std::shared_ptr<testing::RefusingFactory> connecting_;
  Metrics metrics_;
  std::mt19937_64 random_{1};
  ServerSetOptions options_;
  std::vector<std::string> log_;
  std::vector<std::string> noops_;
  std::vector<std::string> flushed_;
  std::vector<std::string> closing_;
  std::vector<std::string> retired_;
  absl::Status on_event_;
  std::vector<std::unique_ptr<testing::PlayedServer>> played_;
  std::optional<Set> set_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_INTERNAL_NET_SERVER_SET_FIXTURE_H_
