// The embedded server as a program sees it.
#include "gearman/sdk/embedded/job_server.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/testing/fake_clock.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/transports/address.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RawConnection;
using support::RequestPacket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::shared_ptr<TransportRegistry> Transports() {
  static const auto* const registry = [] {
    auto made = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        made->Register("tcp", std::make_shared<TcpTransportFactory>()).ok());
    EXPECT_TRUE(
        made->Register("inproc", std::make_shared<InprocTransportFactory>())
            .ok());
    return new std::shared_ptr<TransportRegistry>(std::move(made));
  }();
  return *registry;
}

std::unique_ptr<JobServer> Listening(const std::string& address,
                                     JobServerOptions options = {}) {
  auto server = JobServer::Create(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE((*server)->Listen(address).ok());
  return *std::move(server);
}

uint16_t PortOf(const JobServer& server) {
  return ParseHostPort(ParseAddress(server.addresses()[0])->authority)->port;
}

std::unique_ptr<Client> ClientOf(const std::string& address) {
  ClientOptions options;
  options.servers = {address};
  options.transports = Transports();
  auto client = Client::Create(std::move(options));
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

TEST(JobServerTest, LeavesNoThreadAndNoDescriptorBehind) {
  // Resources that a process starts only once are started here.
  Listening("tcp://127.0.0.1:0");
  const int threads = support::ThreadCount();
  const int descriptors = support::DescriptorCount();
  for (int i = 0; i < 100; ++i) {
    const auto in_process = Listening("inproc://gone-at-once");
    EXPECT_EQ(support::ThreadCount(), threads);
    EXPECT_EQ(support::DescriptorCount(), descriptors);
    const auto by_tcp = Listening("tcp://127.0.0.1:0");
    EXPECT_EQ(support::ThreadCount(), threads + 1);
    const auto client = ClientOf(by_tcp->addresses()[0]);
    EXPECT_TRUE(client->Echo().ok());
  }
  EXPECT_EQ(support::ThreadCount(), threads);
  EXPECT_EQ(support::DescriptorCount(), descriptors);
  EXPECT_THAT(InprocNetwork::Default()->names(),
              ::testing::Not(::testing::Contains("gone-at-once")));
}

TEST(JobServerTest, ListensOnSeveralAddressesAtOnce) {
  auto server = Listening("inproc://both");
  const auto tcp = server->Listen("tcp://127.0.0.1:0");
  ASSERT_TRUE(tcp.ok()) << tcp.status();
  EXPECT_THAT(server->addresses(), ElementsAre("inproc://both", *tcp));
  // Jobs submitted at one address are seen at the other.
  const auto client = ClientOf("inproc://both");
  const JobRequest request = client->SubmitBackgroundJob("f", "");
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}).ok());
  const auto status = ClientOf(*tcp)->Echo();
  EXPECT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(server->jobs(), 1u);
}

TEST(JobServerTest, ListsWhoIsInTheSameProcessByTheListenersName) {
  const auto server = Listening("inproc://jobs:a");
  ASSERT_TRUE(server->Listen("inproc://two words").ok());
  const auto peers = [](const std::string& address) {
    AdminClientOptions options;
    options.server = address;
    options.transports = Transports();
    const auto admin = AdminClient::Create(std::move(options));
    EXPECT_TRUE(admin.ok()) << admin.status();
    const auto workers = (*admin)->GetWorkers();
    EXPECT_TRUE(workers.ok()) << workers.status();
    std::vector<std::string> peers;
    for (const ConnectedWorker& worker : *workers) peers.push_back(worker.peer);
    return peers;
  };
  EXPECT_THAT(peers("inproc://jobs:a"), ElementsAre("inproc://jobs:a"));
  // A space would end the column.
  EXPECT_THAT(peers("inproc://two words"), ElementsAre("inproc"));
}

TEST(JobServerTest, SaysWhyItCanNotListen) {
  const auto server = Listening("tcp://127.0.0.1:0");
  EXPECT_EQ(server->Listen(server->addresses()[0]).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(server->Listen("tcp://127.0.0.1:none").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server->Listen("carrier-pigeon://loft").status().code(),
            absl::StatusCode::kNotFound);
  server->Stop();
  EXPECT_EQ(server->Listen("inproc://late").status().code(),
            absl::StatusCode::kFailedPrecondition);
  JobServerOptions options;
  options.job_handle_prefix = std::string(100, 'H');
  EXPECT_EQ(JobServer::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(JobServerTest, ListeningOnASocketInVainTakesNoThread) {
  const auto other = Listening("tcp://127.0.0.1:0");
  const int threads = support::ThreadCount();
  const auto server = Listening("inproc://before");
  EXPECT_EQ(server->Listen(other->addresses()[0]).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(server->Listen("inproc://after").ok());
  EXPECT_EQ(support::ThreadCount(), threads);
}

// To listen on a socket takes a thread, which then handles all timers.
TEST(JobServerTest, TimersGoOnAfterListeningOnASocketInVain) {
  // A time that is long past for the pollers, so that they never wait for it.
  testing::FakeClock clock(absl::FromUnixSeconds(1000));
  JobServerOptions options;
  options.clock = &clock;
  const auto server = Listening("inproc://in-vain", std::move(options));
  const auto other = Listening("tcp://127.0.0.1:0");
  EXPECT_EQ(server->Listen(other->addresses()[0]).status().code(),
            absl::StatusCode::kAlreadyExists);

  const auto client = ClientOf("inproc://in-vain");
  CallOptions later;
  later.run_at = clock.WallNow() + absl::Seconds(10);
  const JobRequest request = client->SubmitBackgroundJob("f", "", later);
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}).ok());
  absl::Notification ran;
  WorkerOptions worker_options;
  worker_options.servers = {"inproc://in-vain"};
  worker_options.transports = Transports();
  const auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE(
      (*worker)
          ->Register("f",
                     [&ran](JobContext&) -> absl::StatusOr<std::string> {
                       ran.Notify();
                       return "";
                     })
          .ok());
  ASSERT_TRUE((*worker)->Start().ok());
  // The worker sleeps when it has found no job.
  ASSERT_TRUE(support::WaitFor(
      [&worker] { return (*worker)->stats().grabs_no_job > 0; }));
  clock.Advance(absl::Seconds(10));
  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(support::kBound));
  // The timer has woken the worker, which otherwise asks again at last.
  EXPECT_EQ((*worker)->stats().wakeups_regrab, 0u);
}

TEST(JobServerTest, RefusesALimitThatNoPacketFits) {
  JobServerOptions options;
  options.max_packet_bytes = 11;
  const absl::Status status = JobServer::Create(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("max_packet_bytes"));
  options.max_packet_bytes = 12;
  EXPECT_TRUE(JobServer::Create(options).ok());
}

TEST(JobServerTest, StopEndsWhatIsInFlight) {
  auto server = Listening("inproc://stopping");
  const auto client = ClientOf("inproc://stopping");
  const JobRequest request = client->SubmitJob("f", "");
  ASSERT_TRUE(client->WaitUntilJobsAccepted({request}).ok());
  server->Stop();
  server->Stop();
  EXPECT_FALSE(client->Wait(request).ok());
  EXPECT_EQ(request.state(), JobState::kUnknown);
  EXPECT_THAT(std::string(request.status().message()),
              HasSubstr("outcome unknown"));
}

TEST(JobServerTest, RefusesMoreConnectionsThanItsLimit) {
  JobServerOptions options;
  options.max_connections = 2;
  const auto server = Listening("tcp://127.0.0.1:0", options);
  const uint16_t port = PortOf(*server);
  auto first = RawConnection::Connect(port);
  auto second = RawConnection::Connect(port);
  ASSERT_TRUE(first->Send(RequestPacket(16, {"a"})).ok());
  ASSERT_TRUE(second->Send(RequestPacket(16, {"b"})).ok());
  EXPECT_TRUE(first->ReceivePacket().ok());
  EXPECT_TRUE(second->ReceivePacket().ok());
  auto third = RawConnection::Connect(port);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(*third->ReceiveUntilClosed(), "");
  first->Close();
  EXPECT_TRUE(
      support::WaitFor([&server] { return server->connections() == 1; }));
  auto fourth = RawConnection::Connect(port);
  ASSERT_TRUE(fourth->Send(RequestPacket(16, {"d"})).ok());
  EXPECT_TRUE(fourth->ReceivePacket().ok());
}

TEST(JobServerTest, ClosesAPeerThatReadsNothing) {
  JobServerOptions options;
  options.max_output_bytes = 1 << 20;
  const auto server = Listening("tcp://127.0.0.1:0", options);
  const uint16_t port = PortOf(*server);
  // A client that waits for updates, and reads none.
  auto client = RawConnection::Connect(port);
  ASSERT_TRUE(client->Send(RequestPacket(7, {"f", "u", ""})).ok());
  ASSERT_TRUE(client->ReceivePacket().ok());  // the job was accepted
  auto worker = RawConnection::Connect(port);
  ASSERT_TRUE(worker->Send(RequestPacket(1, {"f"})).ok());
  ASSERT_TRUE(worker->Send(RequestPacket(9, {})).ok());
  const auto assigned = worker->ReceivePacket();
  ASSERT_TRUE(assigned.ok()) << assigned.status();
  const std::string handle =
      assigned->substr(12, assigned->find('\0', 12) - 12);
  const std::string update =
      RequestPacket(28, {handle, std::string(1 << 20, 'x')});
  bool closed = false;
  for (int i = 0; i < 100 && !closed; ++i) {
    ASSERT_TRUE(worker->Send(update).ok());
    ASSERT_TRUE(worker->Send(RequestPacket(16, {"barrier"})).ok());
    ASSERT_TRUE(worker->ReceivePacket().ok());
    closed = server->connections() == 1;
  }
  EXPECT_TRUE(closed);
}

TEST(JobServerTest, ATooLargePacketEndsItsSubmissionOnly) {
  JobServerOptions options;
  options.max_packet_bytes = 1000;
  const auto server = Listening("inproc://small-packets", options);
  const auto client = ClientOf("inproc://small-packets");
  const absl::Status status = client->Run("f", std::string(2000, 'x')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("larger than 1000 bytes (max_packet_bytes)"));
  EXPECT_TRUE(client->Echo().ok());
  EXPECT_EQ(server->connections(), 1u);
}

// A server that is run by hand listens in the kernel's queue until then.
TEST(JobServerTest, RunsByHandWithoutAThread) {
  const auto poller = EpollPoller::Create();
  ASSERT_TRUE(poller.ok()) << poller.status();
  const int threads = support::ThreadCount();
  JobServerOptions options;
  options.poller = poller->get();
  const auto server = Listening("tcp://127.0.0.1:0", options);
  EXPECT_EQ(support::ThreadCount(), threads);
  auto peer = RawConnection::Connect(PortOf(*server));
  ASSERT_TRUE(peer.ok()) << peer.status();
  ASSERT_TRUE(peer->Send(RequestPacket(18, {"f", "", "data"})).ok());
  while (server->jobs() == 0) {
    ASSERT_TRUE(server->RunOnce(absl::Now() + support::kBound).ok());
  }
  EXPECT_TRUE(peer->ReceivePacket().ok());
  // RunOnce waits no longer than it is told to.
  EXPECT_TRUE(server->RunOnce(absl::InfinitePast()).ok());
  EXPECT_EQ(support::ThreadCount(), threads);
  server->Stop();
  EXPECT_EQ(server->RunOnce(absl::InfinitePast()).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*peer->ReceiveUntilClosed(), "");
}

TEST(JobServerTest, RefusesToBeRunByHandWhenItRunsByItself) {
  const auto server = Listening("inproc://by-itself");
  EXPECT_EQ(server->RunOnce(absl::InfinitePast()).code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace gearman
