// A job server ends connections that hold too much memory or keep it waiting.
// These tests run the server by hand, on a clock that stands still.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/transports/address.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RawConnection;
using support::RequestPacket;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

// How the streams of "slow://" are connected: each step takes `cost` on the
// test's clock, and after `steps` of them it is done.
struct Slowness {
  testing::FakeClock* clock;
  absl::Duration cost = absl::ZeroDuration();
  int steps = 1;
  int made = 0;  // of all streams
};

class SlowTransport final : public ForwardingTransport {
 public:
  SlowTransport(std::unique_ptr<Transport> next, Slowness* slowness)
      : ForwardingTransport(std::move(next)), slowness_(slowness) {}
  IoResult Connect() override {
    if (made_ == slowness_->steps) return next().Connect();
    ++made_;
    ++slowness_->made;
    slowness_->clock->Advance(slowness_->cost);
    return made_ == slowness_->steps ? next().Connect()
                                     : IoResult::WouldBlock();
  }

 private:
  Slowness* const slowness_;
  int made_ = 0;
};

class SlowListener final : public Listener {
 public:
  SlowListener(std::unique_ptr<Listener> next, Slowness* slowness)
      : next_(std::move(next)), slowness_(slowness) {}
  absl::StatusOr<std::unique_ptr<Transport>> Accept(Poller* poller,
                                                    Poller::Key key) override {
    auto accepted = next_->Accept(poller, key);
    if (!accepted.ok() || *accepted == nullptr) return accepted;
    return std::make_unique<SlowTransport>(*std::move(accepted), slowness_);
  }
  Interest interest() const override { return next_->interest(); }
  Address address() const override { return next_->address(); }

 private:
  const std::unique_ptr<Listener> next_;
  Slowness* const slowness_;
};

class SlowTransportFactory final : public TransportFactory {
 public:
  explicit SlowTransportFactory(Slowness* slowness) : slowness_(slowness) {}
  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override {
    return tcp_.Create(address, poller, key);
  }
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) override {
    auto listener = tcp_.Listen({"tcp", address.authority}, poller, key);
    if (!listener.ok()) return listener.status();
    return std::make_unique<SlowListener>(*std::move(listener), slowness_);
  }

 private:
  TcpTransportFactory tcp_;
  Slowness* const slowness_;
};

class ServerLimitsTest : public ::testing::Test {
 protected:
  ServerLimitsTest() {
    auto poller = EpollPoller::Create();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
    options_.poller = poller_.get();
    options_.clock = &clock_;
    options_.logger = Logger(
        LogLevel::kWarning,
        [this](LogLevel, absl::string_view text) { log_.emplace_back(text); });
    options_.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        options_.transports
            ->Register("slow", std::make_shared<SlowTransportFactory>(&slow_))
            .ok());
  }

  void Listen(const std::string& scheme) {
    auto server = JobServer::Create(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const auto address = server_->Listen(scheme + "://127.0.0.1:0");
    ASSERT_TRUE(address.ok()) << address.status();
    port_ = ParseHostPort(ParseAddress(*address)->authority)->port;
  }
  // Lets the server do what there is to do now.
  void Run() { EXPECT_TRUE(server_->RunOnce(absl::InfinitePast()).ok()); }
  // Lets it do what comes, until there are `count` connections.
  void RunUntilConnections(size_t count) {
    const absl::Time end = absl::Now() + support::kBound;
    while (server_->connections() != count && absl::Now() < end) {
      EXPECT_TRUE(server_->RunOnce(absl::Now() + absl::Milliseconds(10)).ok());
    }
    EXPECT_EQ(server_->connections(), count);
  }
  RawConnection Connect() {
    const size_t before = server_->connections();
    auto connection = RawConnection::Connect(port_);
    EXPECT_TRUE(connection.ok()) << connection.status();
    RunUntilConnections(before + 1);
    return *std::move(connection);
  }
  // The peer sends, the server reads all of it.
  void Send(RawConnection& peer, const std::string& bytes) {
    constexpr size_t kPiece = 65536;
    for (size_t done = 0; done < bytes.size(); done += kPiece) {
      ASSERT_TRUE(peer.Send(bytes.substr(done, kPiece)).ok());
      Run();
    }
    Run();
  }
  // The connection works.
  void ExpectEcho(RawConnection& peer) {
    ASSERT_TRUE(peer.Send(RequestPacket(16, {"echo"})).ok());
    const absl::Time end = absl::Now() + support::kBound;
    while (!peer.Readable(absl::ZeroDuration()) && absl::Now() < end) Run();
    const auto packet = peer.ReceivePacket();
    ASSERT_TRUE(packet.ok()) << packet.status();
    EXPECT_EQ(packet->substr(12), "echo");
  }

  testing::FakeClock clock_;
  Slowness slow_{&clock_};
  std::vector<std::string> log_;
  std::unique_ptr<EpollPoller> poller_;
  JobServerOptions options_;
  std::unique_ptr<JobServer> server_;
  uint16_t port_ = 0;
};

// The beginning of a packet with so many bytes of data.
std::string Begin(size_t announced, size_t here) {
  const std::string packet =
      RequestPacket(18, {"f", "", std::string(announced, 'x')});
  return packet.substr(0, packet.size() - announced + here);
}

TEST_F(ServerLimitsTest, TheServerPollsAfterATurnThatOneConnectionUsedUp) {
  constexpr int kFunctions = 10000;
  Listen("tcp");
  RawConnection flooder = Connect();
  std::string names;
  for (int i = 0; i < kFunctions; ++i) {
    names += absl::StrCat("create function f", i, "\n");
  }
  Send(flooder, names);
  // The list costs as much as three turns.
  ASSERT_TRUE(flooder.Send("status\n").ok());
  int polls = 0;
  for (int lines = 0; lines < kFunctions * 2 + 1; ++polls) {
    Run();
    while (flooder.Readable(absl::ZeroDuration())) {
      ASSERT_TRUE(flooder.ReceiveLine().ok());
      ++lines;
    }
  }
  EXPECT_GE(polls, 3);
}

TEST_F(ServerLimitsTest, TheLargestConnectionGoesWhenAllTogetherHoldTooMuch) {
  options_.max_connection_memory = 5 << 20;
  Listen("tcp");
  RawConnection small = Connect();
  RawConnection large = Connect();
  Send(small, Begin(1 << 20, 1 << 19));
  Send(large, Begin((2 << 20) + (1 << 18), 2 << 20));
  EXPECT_EQ(server_->connections(), 2u);
  RawConnection other = Connect();
  Send(other, Begin(2 << 20, (1 << 20) + (1 << 18)));
  RunUntilConnections(2);
  EXPECT_EQ(*large.ReceiveUntilClosed(), "");
  EXPECT_THAT(log_, Contains(AllOf(HasSubstr("is closed"),
                                   HasSubstr("max_connection_memory"))));
  // The others go on where they were.
  Send(small, std::string((1 << 20) - (1 << 19), 'x'));
  EXPECT_TRUE(small.ReceivePacket().ok());
}

TEST_F(ServerLimitsTest, OutputCountsForTheConnectionThatDoesNotReadIt) {
  options_.max_connection_memory = 16 << 20;
  options_.output_mark = 64 << 20;
  options_.max_output_bytes = 64 << 20;
  Listen("tcp");
  RawConnection neighbour = Connect();
  RawConnection deaf = Connect();
  const std::string echo = RequestPacket(16, {std::string(1 << 20, 'x')});
  for (int i = 0; i < 64 && server_->connections() == 2; ++i) {
    if (!deaf.Send(echo, absl::Milliseconds(100)).ok()) break;
    Run();
  }
  RunUntilConnections(1);
  ExpectEcho(neighbour);
}

TEST_F(ServerLimitsTest, JoinedSubmissionsAndNamesCount) {
  options_.max_connection_memory = 1 << 20;
  Listen("tcp");
  RawConnection neighbour = Connect();
  std::string joins;
  for (int i = 0; i < 20000; ++i) joins += RequestPacket(7, {"f", "u", ""});
  {
    RawConnection joining = Connect();
    for (size_t done = 0; done < joins.size(); done += 65536) {
      if (!joining.Send(joins.substr(done, 65536), absl::Seconds(1)).ok()) {
        break;
      }
      Run();
      if (server_->connections() == 1) break;
    }
    RunUntilConnections(1);
  }
  {
    RawConnection registering = Connect();
    for (int i = 0; i < 1000 && server_->connections() == 2; ++i) {
      if (!registering
               .Send(
                   RequestPacket(1, {absl::StrCat(i, std::string(4000, 'n'))}))
               .ok()) {
        break;
      }
      Run();
    }
    RunUntilConnections(1);
  }
  ExpectEcho(neighbour);
}

TEST_F(ServerLimitsTest, SubmissionsAreRefusedWhenJobsHoldTooMuch) {
  options_.max_queue_memory = 1 << 20;
  Listen("tcp");
  RawConnection client = Connect();
  std::string last;
  for (int i = 0; i < 10000 && last.find("QUEUE_ERROR") == std::string::npos;
       ++i) {
    Send(client, RequestPacket(18, {"f", "", ""}));
    last = *client.ReceivePacket();
  }
  EXPECT_THAT(last, HasSubstr("QUEUE_ERROR"));
  EXPECT_GT(server_->jobs(), 500u);
  EXPECT_LT(server_->jobs(), 5000u);
  ExpectEcho(client);
}

TEST_F(ServerLimitsTest, APacketBegunAndNotContinuedEndsItsConnection) {
  Listen("tcp");
  RawConnection neighbour = Connect();
  RawConnection slow = Connect();
  RawConnection silent = Connect();
  Send(silent, Begin(100000, 10));
  Send(slow, Begin(100000, 10));
  clock_.Advance(options_.packet_timeout * 0.9);
  Run();
  Send(slow, "x");
  clock_.Advance(options_.packet_timeout * 0.2);
  RunUntilConnections(2);
  EXPECT_EQ(*silent.ReceiveUntilClosed(), "");
  EXPECT_THAT(log_, Contains(HasSubstr("packet_timeout")));
  // A connection that makes progress, or has begun nothing, stays.
  Send(slow, "x");
  ExpectEcho(neighbour);
}

TEST_F(ServerLimitsTest, OutputThatNobodyTakesEndsItsConnection) {
  options_.packet_timeout = absl::InfiniteDuration();
  Listen("tcp");
  RawConnection neighbour = Connect();
  RawConnection deaf = Connect();
  const std::string echo = RequestPacket(16, {std::string(1 << 20, 'x')});
  while (deaf.Send(echo, absl::Milliseconds(100)).ok()) Run();
  Run();
  clock_.Advance(options_.output_timeout * 0.9);
  Run();
  EXPECT_EQ(server_->connections(), 2u);
  clock_.Advance(options_.output_timeout * 0.2);
  RunUntilConnections(1);
  EXPECT_THAT(log_, Contains(HasSubstr("output_timeout")));
  ExpectEcho(neighbour);
}

TEST_F(ServerLimitsTest, ATurnMakesHandshakesForAMillisecondAtMost) {
  slow_.steps = 1;
  Listen("slow");
  RawConnection neighbour = Connect();
  ExpectEcho(neighbour);
  slow_.cost = absl::Milliseconds(3);
  slow_.made = 0;
  constexpr int kPeers = 50;
  std::vector<RawConnection> peers;
  for (int i = 0; i < kPeers; ++i) {
    peers.push_back(*RawConnection::Connect(port_));
  }
  int turns = 0;
  while (slow_.made < kPeers && turns < 10 * kPeers) {
    ASSERT_TRUE(neighbour.Send(RequestPacket(16, {"echo"})).ok());
    // The neighbour is served in this turn or, when other connections use it
    // up, in the next one. Few steps are made in one turn.
    const int last = turns + 2;
    do {
      const int before = slow_.made;
      Run();
      ASSERT_LE(slow_.made - before, 2) << turns;
      ++turns;
    } while (turns < last && !neighbour.Readable(absl::ZeroDuration()));
    // No further turn is made while this waits.
    ASSERT_TRUE(neighbour.ReceivePacket().ok()) << turns;
  }
  EXPECT_EQ(slow_.made, kPeers);
  for (RawConnection& peer : peers) ExpectEcho(peer);
}

TEST_F(ServerLimitsTest, TheHandshakeThatWaitsTheLongestGoesForOneTooMany) {
  slow_.steps = 2;
  options_.max_handshakes = 2;
  Listen("slow");
  RawConnection first = Connect();
  RawConnection second = Connect();
  auto third = RawConnection::Connect(port_);
  ASSERT_TRUE(third.ok());
  const absl::Time end = absl::Now() + support::kBound;
  while (!first.Readable(absl::ZeroDuration()) && absl::Now() < end) Run();
  EXPECT_EQ(*first.ReceiveUntilClosed(), "");
  EXPECT_THAT(log_, Contains(HasSubstr("max_handshakes")));
  // The connections that are left go on.
  ExpectEcho(second);
  ExpectEcho(*third);
}

TEST_F(ServerLimitsTest, ConnectionsOfOtherProtocolsAreClosed) {
  Listen("tcp");
  for (const std::string& bytes :
       {std::string("POST / HTTP/1.1\r\nHost: x\r\n\r\n") +
            RequestPacket(18, {"f", "", ""}),
        std::string("SSH-2.0-client\r\n"), std::string("\x16\x03\x01", 3)}) {
    RawConnection foreign = Connect();
    ASSERT_TRUE(foreign.Send(bytes).ok());
    RunUntilConnections(0);
    EXPECT_EQ(*foreign.ReceiveUntilClosed(), "");
  }
  EXPECT_EQ(server_->jobs(), 0u);
}

}  // namespace
}  // namespace gearman
