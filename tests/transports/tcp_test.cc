// TCP, over the loopback.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/tcp/resolver.h"
#include "gearman/transports/tcp/socket_address.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::kBound;
using support::RawConnection;
using support::RawListener;
using ::testing::HasSubstr;

constexpr Poller::Key kKey = 5;

class TcpTest : public ::testing::Test {
 protected:
  TcpTest() {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
  }
  std::unique_ptr<Transport> Make(const std::string& address,
                                  TransportFactory* factory = nullptr) {
    TcpTransportFactory tcp;
    const absl::StatusOr<Address> parsed = ParseAddress(address);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    auto transport = (factory == nullptr ? &tcp : factory)
                         ->Create(*parsed, poller_.get(), kKey);
    EXPECT_TRUE(transport.ok()) << transport.status();
    return *std::move(transport);
  }
  // Waits for what the transport waits for.
  bool Await(Transport& transport, bool want_write) {
    EXPECT_TRUE(poller_->Watch(kKey, transport.interest(want_write)).ok());
    std::vector<Poller::Key> ready;
    poller_->Wait(poller_->clock()->Now() + kBound, &ready);
    return !ready.empty();
  }
  IoResult Connect(Transport& transport) {
    for (;;) {
      IoResult result = transport.Connect();
      if (!result.would_block() || !Await(transport, false)) return result;
    }
  }
  std::string ReadAll(Transport& transport) {
    std::string all;
    char buffer[65536];
    for (;;) {
      const IoResult result = transport.Read(absl::MakeSpan(buffer));
      if (result.done()) {
        all.append(buffer, result.bytes);
      } else if (!result.would_block() || !Await(transport, false)) {
        return all;
      }
    }
  }
  static absl::string_view View(const std::string& text) { return text; }

  std::unique_ptr<EpollPoller> poller_;
};

TEST_F(TcpTest, ConnectsReadsAndWrites) {
  RawListener listener;
  const auto transport = Make(listener.address());
  ASSERT_TRUE(Connect(*transport).done());
  absl::StatusOr<RawConnection> peer = listener.Accept();
  ASSERT_TRUE(peer.ok()) << peer.status();
  const std::array<absl::string_view, 2> pieces{"hello ", "there"};
  EXPECT_EQ(transport->Write(pieces).bytes, 11u);
  EXPECT_EQ(*peer->Receive(11), "hello there");
  ASSERT_TRUE(peer->Send("good day").ok());
  peer->Close();
  EXPECT_EQ(ReadAll(*transport), "good day");
  EXPECT_THAT(transport->Describe(), HasSubstr(listener.address()));
}

TEST_F(TcpTest, ARefusalNamesTheServerAndTheAddress) {
  support::ReservedPort port;
  const auto transport = Make(absl::StrCat("127.0.0.1:", port.port()));
  const IoResult result = Connect(*transport);
  ASSERT_TRUE(result.failed());
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(result.status.message()),
              AllOf(HasSubstr(absl::StrCat("tcp://127.0.0.1:", port.port())),
                    HasSubstr("refused")));
}

TEST_F(TcpTest, AResetIsAFailureAndAnEndIsNone) {
  RawListener listener;
  const auto transport = Make(listener.address());
  ASSERT_TRUE(Connect(*transport).done());
  absl::StatusOr<RawConnection> peer = listener.Accept();
  ASSERT_TRUE(peer.ok()) << peer.status();
  peer->Reset();
  char buffer[10];
  IoResult result = transport->Read(absl::MakeSpan(buffer));
  while (result.would_block() && Await(*transport, false)) {
    result = transport->Read(absl::MakeSpan(buffer));
  }
  EXPECT_TRUE(result.failed());
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(TcpTest, WhatAPeerDoesNotReadBlocksWithoutBlockingUs) {
  RawListener listener;
  const auto transport = Make(listener.address());
  ASSERT_TRUE(Connect(*transport).done());
  absl::StatusOr<RawConnection> peer = listener.Accept();
  ASSERT_TRUE(peer.ok()) << peer.status();
  const std::string chunk(1 << 20, 'x');
  const std::array<absl::string_view, 1> pieces{View(chunk)};
  size_t written = 0;
  IoResult result = transport->Write(pieces);
  while (result.done()) {
    written += result.bytes;
    ASSERT_LT(written, size_t{1} << 30);
    result = transport->Write(pieces);
  }
  EXPECT_TRUE(result.would_block());
  EXPECT_EQ(peer->Receive(written)->size(), written);
  EXPECT_TRUE(Await(*transport, true));
  EXPECT_TRUE(transport->Write(pieces).done());
}

int Option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

TEST_F(TcpTest, TheSocketHasTheOptions) {
  RawListener listener;
  TcpOptions options;
  options.keepalive_idle = absl::Seconds(7);
  options.keepalive_interval = absl::Seconds(3);
  options.keepalive_probes = 2;
  TcpTransportFactory factory(options);
  const auto transport = Make(listener.address(), &factory);
  ASSERT_TRUE(Connect(*transport).done());
  const int fd = transport->interest(false).fd;
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 3);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPCNT), 2);
}

TEST_F(TcpTest, OptionsBeyondWhatTheSystemTakesAreItsLargest) {
  RawListener listener;
  TcpOptions options;
  options.keepalive_idle = absl::InfiniteDuration();
  options.keepalive_interval = absl::Hours(24 * 365 * 200);
  options.keepalive_probes = 1000;
  TcpTransportFactory factory(options);
  const auto transport = Make(listener.address(), &factory);
  ASSERT_TRUE(Connect(*transport).done());
  const int fd = transport->interest(false).fd;
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 32767);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 32767);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPCNT), 127);
}

TEST_F(TcpTest, OptionsMayBeOff) {
  RawListener listener;
  TcpOptions options;
  options.no_delay = false;
  options.keepalive = false;
  TcpTransportFactory factory(options);
  const auto transport = Make(listener.address(), &factory);
  ASSERT_TRUE(Connect(*transport).done());
  const int fd = transport->interest(false).fd;
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST_F(TcpTest, AListenerAcceptsAndTellsItsRealPort) {
  TcpTransportFactory factory;
  auto listener =
      factory.Listen(*ParseAddress("tcp://127.0.0.1:0"), poller_.get(), 1);
  ASSERT_TRUE(listener.ok()) << listener.status();
  const std::string address = (*listener)->address().ToString();
  EXPECT_NE(address, "tcp://127.0.0.1:0");
  const auto client = Make(address);
  ASSERT_TRUE(Connect(*client).done());
  ASSERT_TRUE(poller_->Watch(1, (*listener)->interest()).ok());
  std::vector<Poller::Key> ready;
  poller_->Wait(poller_->clock()->Now() + kBound, &ready);
  auto accepted = (*listener)->Accept(poller_.get(), 2);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  ASSERT_NE(*accepted, nullptr);
  EXPECT_EQ((*listener)->Accept(poller_.get(), 3)->get(), nullptr);
  EXPECT_EQ(
      factory.Listen(*ParseAddress(address), poller_.get(), 4).status().code(),
      absl::StatusCode::kAlreadyExists);
}

// --- names

// Answers what it was told to, when it is told to.
class PlayedResolver final : public Resolver {
 public:
  absl::StatusOr<std::unique_ptr<Lookup>> Start(const std::string& /*host*/,
                                                uint16_t port) override {
    return std::make_unique<PlayedLookup>(this, port);
  }
  void Answer() {
    answered_ = true;
    for (const int fd : fds_) {
      const uint64_t one = 1;
      EXPECT_EQ(write(fd, &one, sizeof(one)), 8);
    }
  }

  std::vector<std::string> hosts;

 private:
  class PlayedLookup final : public Lookup {
   public:
    PlayedLookup(PlayedResolver* resolver, uint16_t port)
        : resolver_(resolver), port_(port), fd_(eventfd(0, EFD_CLOEXEC)) {
      resolver->fds_.push_back(fd_);
    }
    ~PlayedLookup() override { close(fd_); }
    int fd() const override { return fd_; }
    bool done() const override { return resolver_->answered_; }
    absl::StatusOr<std::vector<SocketAddress>> Take() override {
      std::vector<SocketAddress> addresses;
      for (const std::string& host : resolver_->hosts) {
        addresses.push_back(*SocketAddress::FromNumeric(host, port_));
      }
      return addresses;
    }

   private:
    PlayedResolver* const resolver_;
    const uint16_t port_;
    const int fd_;
  };

  bool answered_ = false;
  std::vector<int> fds_;
};

TEST_F(TcpTest, ALookUpBlocksNobodyElse) {
  RawListener listener;
  auto resolver = std::make_shared<PlayedResolver>();
  resolver->hosts = {"127.0.0.1"};
  TcpTransportFactory factory({}, resolver);
  const auto slow =
      Make(absl::StrCat("slow.example:", listener.port()), &factory);
  EXPECT_TRUE(slow->Connect().would_block());
  const auto other = Make(listener.address());
  ASSERT_TRUE(Connect(*other).done());
  EXPECT_TRUE(slow->Connect().would_block());
  resolver->Answer();
  EXPECT_TRUE(Connect(*slow).done());
}

TEST_F(TcpTest, AnAddressThatRefusesIsFollowedByTheNext) {
  RawListener listener;
  auto resolver = std::make_shared<PlayedResolver>();
  // Nobody listens there on this port.
  resolver->hosts = {"127.0.0.2", "::1", "127.0.0.1"};
  resolver->Answer();
  TcpTransportFactory factory({}, resolver);
  const auto transport =
      Make(absl::StrCat("many.example:", listener.port()), &factory);
  ASSERT_TRUE(Connect(*transport).done());
  EXPECT_THAT(transport->Describe(), HasSubstr("127.0.0.1"));
}

TEST_F(TcpTest, AllAddressesThatFailedAreNamed) {
  support::ReservedPort port;
  auto resolver = std::make_shared<PlayedResolver>();
  resolver->hosts = {"127.0.0.2", "127.0.0.1"};
  resolver->Answer();
  TcpTransportFactory factory({}, resolver);
  const auto transport =
      Make(absl::StrCat("many.example:", port.port()), &factory);
  const IoResult result = Connect(*transport);
  ASSERT_TRUE(result.failed());
  EXPECT_THAT(std::string(result.status.message()),
              AllOf(HasSubstr("many.example"), HasSubstr("127.0.0.1"),
                    HasSubstr("127.0.0.2")));
}

TEST_F(TcpTest, ANameThatDoesNotExistSaysSo) {
  const auto transport = Make("no-such-host.invalid");
  const IoResult result = Connect(*transport);
  ASSERT_TRUE(result.failed());
  EXPECT_THAT(std::string(result.status.message()),
              HasSubstr("no-such-host.invalid"));
}

TEST_F(TcpTest, SurvivesBeingDroppedWhileItConnects) {
  RawListener listener;
  for (int i = 0; i < 50; ++i) {
    const auto transport = Make(listener.address());
    transport->Connect();
    poller_->Forget(kKey);
  }
  for (int i = 0; i < 20; ++i) Make("no-such-host.invalid")->Connect();
}

}  // namespace
}  // namespace gearman
