// `gearctl server` in 1 GiB of address space, under floods that would take more
// of it: the process lives, and the jobs of a well-behaved neighbour are all
// done, none lost.
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/support/address_space.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/transports/address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RawConnection;
using support::RequestPacket;
using support::Subprocess;
using ::testing::HasSubstr;

constexpr uint32_t kCanDo = 1;
constexpr uint32_t kSubmitJob = 7;
constexpr uint32_t kJobCreated = 8;
constexpr uint32_t kGrabJob = 9;
constexpr uint32_t kJobAssign = 11;
constexpr uint32_t kWorkComplete = 13;
constexpr uint32_t kEchoReq = 16;
constexpr uint32_t kSubmitJobBg = 18;
constexpr uint32_t kWorkData = 28;

constexpr size_t kMiB = size_t{1} << 20;
constexpr int kNeighbourJobs = 1000;
// A flooder's send that the server does not take any more is given up.
constexpr absl::Duration kGiveUp = absl::Milliseconds(300);

uint32_t TypeOf(const std::string& packet) {
  return packet.size() < 12 ? 0 : static_cast<unsigned char>(packet[7]);
}

class ServerFloodTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!support::kAddressSpaceIsLimitable) {
      GTEST_SKIP() << "a sanitizer reserves more address space than that";
    }
    support::SubprocessOptions options;
    options.argv = support::InAddressSpace(
        1024 * kMiB,
        {"tools/gearctl/gearctl", "server", "--listen", "127.0.0.1:0"});
    options.keep_input_open = true;
    auto process = Subprocess::Start(std::move(options));
    ASSERT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
    const absl::Status listens = process_->WaitForOutput("\n");
    ASSERT_TRUE(listens.ok()) << listens;
    const auto address =
        ParseAddress(absl::StripAsciiWhitespace(process_->output()));
    ASSERT_TRUE(address.ok()) << address.status();
    port_ = ParseHostPort(address->authority)->port;
    neighbour_ = std::make_unique<RawConnection>(Connect());
    for (int i = 0; i < kNeighbourJobs; ++i) {
      ASSERT_TRUE(Submit("mine", absl::StrCat("job ", i)));
    }
  }

  RawConnection Connect() {
    auto connection = RawConnection::Connect(port_);
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }

  // The neighbour submits a job, and hears that it has been taken.
  bool Submit(const std::string& function, const std::string& data) {
    EXPECT_TRUE(
        neighbour_->Send(RequestPacket(kSubmitJobBg, {function, "", data}))
            .ok());
    const auto reply = neighbour_->ReceivePacket();
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() && TypeOf(*reply) == kJobCreated;
  }

  // Each of the neighbour's jobs is done, in order.
  void DoTheNeighboursJobs() {
    EXPECT_TRUE(process_->running()) << process_->error_output();
    RawConnection worker = Connect();
    ASSERT_TRUE(worker.Send(RequestPacket(kCanDo, {"mine"})).ok());
    for (int i = 0; i < kNeighbourJobs; ++i) {
      ASSERT_TRUE(worker.Send(RequestPacket(kGrabJob)).ok());
      const auto job = worker.ReceivePacket();
      ASSERT_TRUE(job.ok()) << job.status() << process_->error_output();
      ASSERT_EQ(TypeOf(*job), kJobAssign) << i;
      const std::string body = job->substr(12);
      const std::string handle = body.substr(0, body.find('\0'));
      ASSERT_EQ(body,
                handle + std::string("\0mine\0", 6) + absl::StrCat("job ", i));
      ASSERT_TRUE(
          worker.Send(RequestPacket(kWorkComplete, {handle, "done"})).ok());
    }
    ASSERT_TRUE(worker.Send(RequestPacket(kEchoReq, {"end"})).ok());
    EXPECT_TRUE(worker.ReceivePacket().ok());
  }

  uint16_t port_ = 0;
  std::unique_ptr<Subprocess> process_;
  std::unique_ptr<RawConnection> neighbour_;
};

TEST_F(ServerFloodTest, OutlivesPacketsThatAreNeverWhole) {
  std::vector<RawConnection> flood;
  const std::string part(kMiB, 'x');
  for (int i = 0; i < 20; ++i) {
    flood.push_back(Connect());
    const std::string whole =
        RequestPacket(kSubmitJobBg, {"f", "", std::string(60 * kMiB, 'x')});
    if (!flood.back().Send(whole.substr(0, 12 + 3)).ok()) continue;
    for (int j = 0; j < 59; ++j) {
      if (!flood.back().Send(part).ok()) break;
    }
  }
  EXPECT_TRUE(Submit("mine too", ""));
  DoTheNeighboursJobs();
  EXPECT_THAT(process_->error_output(), HasSubstr("max_connection_memory"));
}

TEST_F(ServerFloodTest, OutlivesRepliesThatNobodyReads) {
  std::vector<RawConnection> flood;
  const std::string echo =
      RequestPacket(kEchoReq, {std::string(50 * kMiB, 'x')});
  for (int i = 0; i < 20; ++i) {
    flood.push_back(Connect());
    while (flood.back().Send(echo, kGiveUp).ok()) {
    }
  }
  EXPECT_TRUE(Submit("mine too", ""));
  DoTheNeighboursJobs();
}

TEST_F(ServerFloodTest, OutlivesOneUpdateForManyJoinedSubmissions) {
  constexpr int kJoins = 20000;
  std::vector<RawConnection> flood;
  std::string joins;
  for (int i = 0; i < 1000; ++i) {
    joins += RequestPacket(kSubmitJob, {"f", "u", "d"});
  }
  for (int i = 0; i < 10; ++i) {
    flood.push_back(Connect());
    for (int j = 0; j < kJoins / 1000; ++j) {
      ASSERT_TRUE(flood.back().Send(joins).ok());
      for (int k = 0; k < 1000; ++k) {
        ASSERT_TRUE(flood.back().ReceivePacket().ok());
      }
    }
  }
  RawConnection worker = Connect();
  ASSERT_TRUE(
      worker.Send(RequestPacket(kCanDo, {"f"}) + RequestPacket(kGrabJob)).ok());
  const auto job = worker.ReceivePacket();
  ASSERT_TRUE(job.ok()) << job.status();
  const std::string body = job->substr(12);
  ASSERT_TRUE(
      worker
          .Send(RequestPacket(kWorkData, {body.substr(0, body.find('\0')),
                                          std::string(10000, 'x')}))
          .ok());
  EXPECT_TRUE(Submit("mine too", ""));
  DoTheNeighboursJobs();
}

TEST_F(ServerFloodTest, OutlivesFunctionNames) {
  std::vector<RawConnection> flood;
  for (int i = 0; i < 10; ++i) {
    flood.push_back(Connect());
    for (int j = 0; j < 9000; ++j) {
      const std::string name = absl::StrCat(i, "-", j, std::string(7900, 'n'));
      if (!flood.back().Send(RequestPacket(kCanDo, {name})).ok()) break;
    }
  }
  EXPECT_TRUE(Submit("mine too", ""));
  DoTheNeighboursJobs();
}

// Sends `bytes` `count` times, and reads away what comes.
void SubmitAndRead(RawConnection connection, const std::string& bytes,
                   int count) {
  std::thread reader([&connection] {
    while (connection.Receive(4096).ok()) {
    }
  });
  for (int i = 0; i < count; ++i) {
    if (!connection.Send(bytes).ok()) break;
  }
  connection.ShutdownWrite();
  reader.join();
}

TEST_F(ServerFloodTest, OutlivesSmallJobsOfWhichItRefusesTheLast) {
  std::string jobs;
  for (int i = 0; i < 1000; ++i) {
    jobs += RequestPacket(kSubmitJobBg, {"f", "", "some data"});
  }
  SubmitAndRead(Connect(), jobs, 1500);
  // The server's jobs may take half of the memory, and not more.
  EXPECT_FALSE(Submit("f", "one more"));
  DoTheNeighboursJobs();
}

TEST_F(ServerFloodTest, OutlivesLargeJobsOfWhichItRefusesTheLast) {
  SubmitAndRead(Connect(),
                RequestPacket(kSubmitJobBg, {"f", "", std::string(kMiB, 'x')}),
                1000);
  EXPECT_FALSE(Submit("f", std::string(kMiB, 'x')));
  DoTheNeighboursJobs();
}

TEST_F(ServerFloodTest, OutlivesListsThatNobodyReads) {
  std::string jobs;
  for (int i = 0; i < 1000; ++i) {
    jobs += RequestPacket(kSubmitJobBg, {"f", "", ""});
  }
  SubmitAndRead(Connect(), jobs, 150);
  std::vector<RawConnection> flood;
  for (int i = 0; i < 30; ++i) {
    flood.push_back(Connect());
    ASSERT_TRUE(flood.back().Send("show jobs\n").ok());
  }
  EXPECT_TRUE(Submit("mine too", ""));
  DoTheNeighboursJobs();
}

}  // namespace
}  // namespace gearman
