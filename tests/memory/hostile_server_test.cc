// A client and a worker in 1 GiB of address space whose server sends more than
// that: the process lives, and is served by the next connection.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/address_space.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RawConnection;
using support::RawListener;
using support::ResponsePacket;
using support::Subprocess;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr uint32_t kSubmitJob = 7;
constexpr uint32_t kJobCreated = 8;
constexpr uint32_t kGrabJobAll = 39;
constexpr uint32_t kJobAssign = 11;
constexpr uint32_t kWorkComplete = 13;
constexpr uint32_t kOptionReq = 26;
constexpr uint32_t kOptionRes = 27;
constexpr uint32_t kWorkData = 28;
constexpr uint32_t kJobAssignUniq = 31;

constexpr size_t kMiB = size_t{1} << 20;

uint32_t TypeOf(const std::string& packet) {
  return packet.size() < 12 ? 0 : static_cast<unsigned char>(packet[7]);
}

class HostileServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!support::kAddressSpaceIsLimitable) {
      GTEST_SKIP() << "a sanitizer reserves more address space than that";
    }
  }

  void Start(std::vector<std::string> arguments) {
    support::SubprocessOptions options;
    std::vector<std::string> argv = {"tests/memory/peer"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    options.argv = support::InAddressSpace(1024 * kMiB, argv);
    options.keep_input_open = true;
    auto process = Subprocess::Start(std::move(options));
    ASSERT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
  }

  // The peer's next connection.
  RawConnection Accept() {
    auto connection = listener_.Accept();
    EXPECT_TRUE(connection.ok()) << connection.status() << process_->output()
                                 << process_->error_output();
    return *std::move(connection);
  }

  // Answers what a client asks, gives its jobs the handles H:1 to H:`jobs`.
  // False: it has closed the connection.
  static bool TakeJobs(RawConnection& connection, int jobs) {
    for (int taken = 0; taken < jobs;) {
      const auto packet = connection.ReceivePacket();
      if (!packet.ok()) return false;
      if (TypeOf(*packet) == kOptionReq) {
        if (!connection.Send(ResponsePacket(kOptionRes, {"exceptions"})).ok()) {
          return false;
        }
      } else if (TypeOf(*packet) == kSubmitJob) {
        ++taken;
        if (!connection
                 .Send(ResponsePacket(kJobCreated, {absl::StrCat("H:", taken)}))
                 .ok()) {
          return false;
        }
      }
    }
    return true;
  }

  // The client's last job is done, on whichever connection it comes.
  void DoTheLastJob(RawConnection& connection) {
    if (TakeJobs(connection, 1)) {
      ASSERT_TRUE(
          connection.Send(ResponsePacket(kWorkComplete, {"H:1", "well"})).ok());
    } else {
      RawConnection next = Accept();
      ASSERT_TRUE(TakeJobs(next, 1));
      ASSERT_TRUE(
          next.Send(ResponsePacket(kWorkComplete, {"H:1", "well"})).ok());
      const absl::Status said = process_->WaitForOutput("last: ");
      ASSERT_TRUE(said.ok()) << said;
    }
    const auto ended = process_->Wait();
    ASSERT_TRUE(ended.ok()) << ended.status();
    EXPECT_TRUE(ended->ok()) << ended->ToString() << process_->error_output();
    EXPECT_THAT(process_->output(), HasSubstr("last: well\n"));
  }

  RawListener listener_;
  std::unique_ptr<Subprocess> process_;
};

TEST_F(HostileServerTest, UpdatesThatNobodyTakesEndTheirRequests) {
  constexpr int kJobs = 30;
  Start({"client", listener_.address(), absl::StrCat(kJobs)});
  RawConnection connection = Accept();
  ASSERT_TRUE(TakeJobs(connection, kJobs));
  // Each request gets less than it may hold, and all requests together get more
  // than there is memory.
  const std::string part(10 * kMiB, 'x');
  for (int round = 0; round < 6; ++round) {
    for (int i = 1; i <= kJobs; ++i) {
      ASSERT_TRUE(
          connection
              .Send(ResponsePacket(kWorkData, {absl::StrCat("H:", i), part}))
              .ok());
    }
  }
  for (int i = 1; i <= kJobs; ++i) {
    ASSERT_TRUE(
        connection
            .Send(ResponsePacket(kWorkComplete, {absl::StrCat("H:", i), ""}))
            .ok());
  }
  DoTheLastJob(connection);
  const std::vector<std::string> lines =
      absl::StrSplit(process_->output(), '\n');
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("RESOURCE_EXHAUSTED"),
                                    HasSubstr(listener_.address()),
                                    HasSubstr("max_memory_bytes"))));
}

TEST_F(HostileServerTest, ResultsLargerThanMemoryEndRequestsAndNoProcess) {
  constexpr int kJobs = 30;
  Start({"client", listener_.address(), absl::StrCat(kJobs)});
  RawConnection connection = Accept();
  ASSERT_TRUE(TakeJobs(connection, kJobs));
  const std::string result(60 * kMiB, 'x');
  for (int i = 1; i <= kJobs; ++i) {
    if (!connection
             .Send(
                 ResponsePacket(kWorkComplete, {absl::StrCat("H:", i), result}))
             .ok()) {
      break;
    }
  }
  DoTheLastJob(connection);
  const std::vector<std::string> lines =
      absl::StrSplit(process_->output(), '\n');
  EXPECT_THAT(lines, Contains("OK"));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr(listener_.address()),
                                    HasSubstr("no memory"))));
}

TEST_F(HostileServerTest, AWorkerGivesUpAServerThatAssignsWhatNobodyAskedFor) {
  Start({"worker", listener_.address()});
  {
    RawConnection connection = Accept();
    std::string jobs;
    for (int i = 0; i < 1000; ++i) {
      jobs += ResponsePacket(kJobAssign, {absl::StrCat("H:", i), "t", ""});
    }
    ASSERT_TRUE(connection.Send(jobs).ok());
    EXPECT_TRUE(connection.ReceiveUntilClosed().ok());
  }
  RawConnection next = Accept();
  for (;;) {
    const auto packet = next.ReceivePacket();
    ASSERT_TRUE(packet.ok()) << packet.status();
    if (TypeOf(*packet) == kGrabJobAll) break;
  }
  ASSERT_TRUE(
      next.Send(ResponsePacket(kJobAssignUniq, {"H:1", "t", "u", "four"}))
          .ok());
  for (;;) {
    const auto packet = next.ReceivePacket();
    ASSERT_TRUE(packet.ok()) << packet.status();
    if (TypeOf(*packet) != kWorkComplete) continue;
    EXPECT_EQ(packet->substr(12), std::string("H:1\0004", 5));
    break;
  }
  const absl::Status said = process_->WaitForOutput("nobody asked for it");
  EXPECT_TRUE(said.ok()) << said;
  EXPECT_THAT(process_->output(), HasSubstr(listener_.address()));
}

}  // namespace
}  // namespace gearman
