// The largest bodies that the protocol allows, 4 GiB - 1 with the arguments
// before the data, pass both ways through little memory. tools/nightly runs
// this test, because the bytes take their time.
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_options.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::gearman::testing::PatternBytes;
using ::gearman::testing::PatternSource;
using support::RawConnection;

constexpr uint64_t kLargestBody = 4294967295;
constexpr uint64_t kLargestPacket = kLargestBody + 12;
// A multiple of the pattern's period, so that all pieces are equal.
constexpr size_t kPiece = 251 * 4096;
constexpr uint32_t kCanDo = 1;
constexpr uint32_t kGrabJobAll = 39;
constexpr uint32_t kJobAssignUniq = 31;
// Programs and sanitizers need some tens of MiB; a body would need 4096.
constexpr uint64_t kMostMemory = uint64_t{256} << 20;

// The most memory that this process has had in RAM, in bytes.
uint64_t PeakMemory() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

// The header of a packet whose body has this size.
std::string Header(absl::string_view magic, uint32_t type, uint64_t size) {
  std::string header = support::RawPacket(magic, type, "");
  for (int i = 0; i < 4; ++i) {
    header[11 - i] = static_cast<char>(size >> (8 * i));
  }
  return header;
}

// Returns how many bytes of the pattern have come, up to `size`.
uint64_t ReceivePattern(RawConnection& from, uint64_t size) {
  const std::string piece = PatternBytes(0, kPiece);
  uint64_t received = 0;
  while (received < size) {
    const size_t next = std::min<uint64_t>(kPiece, size - received);
    const absl::StatusOr<std::string> bytes = from.Receive(next);
    if (!bytes.ok() || *bytes != absl::string_view(piece).substr(0, next))
      break;
    received += next;
  }
  return received;
}

absl::Status SendPattern(RawConnection& to, uint64_t size) {
  const std::string piece = PatternBytes(0, kPiece);
  absl::Status status;
  while (size > 0 && status.ok()) {
    const size_t next = std::min<uint64_t>(kPiece, size);
    status = to.Send(absl::string_view(piece).substr(0, next));
    size -= next;
  }
  return status;
}

TEST_F(ClientTest, TheLargestBodiesPassThroughAClient) {
  const std::string arguments("reverse\0u\0", 10);
  const std::string handle("H:1\0", 4);
  // The packet that gives the job to a worker has a handle of up to 63 bytes
  // and its NUL, too, and must not be too large either.
  const uint64_t sent = kLargestBody - arguments.size() - 64;
  const uint64_t expected = kLargestBody - handle.size();
  std::thread server([&] {
    PlayedServer played(&listener_);
    RawConnection& connection = played.connection();
    const auto header = connection.Receive(12 + arguments.size());
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(*header, Header(absl::string_view("\0REQ", 4), kSubmitJob,
                              arguments.size() + sent) +
                           arguments);
    EXPECT_EQ(ReceivePattern(connection, sent), sent);
    played.Send(kJobCreated, {"H:1"});
    played.SendBytes(
        Header(absl::string_view("\0RES", 4), kWorkComplete, kLargestBody) +
        handle);
    const absl::Status status = SendPattern(connection, expected);
    EXPECT_TRUE(status.ok()) << status;
  });
  ClientOptions options = Options();
  options.limits.max_packet_bytes = kLargestPacket;
  auto client = MakeClient(std::move(options));
  JobSpec spec("reverse", "");
  spec.options.unique = "u";
  spec.body = std::make_shared<PatternSource>(sent);
  uint64_t received = 0;
  bool same = true;
  // Each piece begins somewhere in the pattern's period.
  const std::string pattern = PatternBytes(0, 2 * kPiece);
  spec.options.callbacks.on_piece = [&](const JobRequest&,
                                        const DataPiece& piece) {
    same = same && piece.size == expected && piece.offset == received &&
           piece.bytes.size() <= kPiece &&
           absl::string_view(piece.bytes.data(), piece.bytes.size()) ==
               absl::string_view(pattern).substr(received % 251,
                                                 piece.bytes.size());
    received += piece.bytes.size();
  };
  const absl::Status status = client->Wait(client->SubmitJob(std::move(spec)));
  EXPECT_TRUE(status.ok()) << status;
  server.join();
  EXPECT_TRUE(same);
  EXPECT_EQ(received, expected);
  EXPECT_LT(PeakMemory(), kMostMemory);
}

TEST_F(ClientTest, TheLargestResultLeavesAWorker) {
  const std::string handle("H:1\0", 4);
  const uint64_t size = kLargestBody - handle.size();
  WorkerOptions options;
  options.servers = {listener_.address()};
  options.limits.max_packet_bytes = kLargestPacket;
  options.exceptions = false;
  // The test closes the connection before the worker has ended.
  options.logger = Logger();
  auto worker = Worker::Create(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE(
      (*worker)
          ->Register(
              "make",
              [size](JobContext& context) -> absl::StatusOr<std::string> {
                context.SetBody(std::make_shared<PatternSource>(size));
                return std::string();
              })
          .ok());
  ASSERT_TRUE((*worker)->Start().ok());
  auto connection = listener_.Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  for (const std::string& packet : {support::RequestPacket(kCanDo, {"make"}),
                                    support::RequestPacket(kGrabJobAll)}) {
    const auto received = connection->ReceivePacket();
    ASSERT_TRUE(received.ok()) << received.status();
    EXPECT_EQ(*received, packet);
  }
  ASSERT_TRUE(connection
                  ->Send(support::ResponsePacket(kJobAssignUniq,
                                                 {"H:1", "make", "u", ""}))
                  .ok());
  const std::string header =
      Header(absl::string_view("\0REQ", 4), kWorkComplete, kLargestBody) +
      handle;
  for (;;) {
    // The worker asks for the next job before this one has ended.
    const auto grab = support::RequestPacket(kGrabJobAll);
    const auto begin = connection->Receive(grab.size());
    ASSERT_TRUE(begin.ok()) << begin.status();
    if (*begin == grab) continue;
    const auto rest = connection->Receive(header.size() - grab.size());
    ASSERT_TRUE(rest.ok()) << rest.status();
    EXPECT_EQ(*begin + *rest, header);
    break;
  }
  EXPECT_EQ(ReceivePattern(*connection, size), size);
  EXPECT_LT(PeakMemory(), kMostMemory);
}

}  // namespace
}  // namespace gearman
