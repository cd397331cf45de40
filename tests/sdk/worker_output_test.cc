// A worker on its own thread, and a server over TCP that is slow to take what
// the worker writes.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RawConnection;
using support::RawListener;

constexpr char kGrabJobAll = 39;
constexpr char kWorkData = 28;
constexpr char kWorkComplete = 13;
constexpr uint32_t kJobAssignUniq = 31;
constexpr size_t kHeader = 12;
constexpr size_t kMuch = 20'000'000;

// The type of the next packet; 0: none comes.
char NextType(RawConnection& connection) {
  const absl::StatusOr<std::string> packet = connection.ReceivePacket();
  EXPECT_TRUE(packet.ok()) << packet.status();
  return packet.ok() ? (*packet)[7] : 0;
}

// While a server takes no bytes, the worker grabs nothing there. It grabs again
// when the bytes have left, and needs no other event.
TEST(WorkerOutput, AGrabFollowsTheBytesThatHaveHeldItBack) {
  RawListener listener;
  listener.LimitReceiveBuffer(65536);
  WorkerOptions options;
  options.servers = {listener.address()};
  options.limits.max_output_bytes = 1000;
  options.limits.max_pending_jobs = 1;
  options.regrab_interval = absl::InfiniteDuration();
  options.heartbeat_interval = absl::InfiniteDuration();
  const auto worker = Worker::Create(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  PendingJob pending;
  absl::Notification begun;
  ASSERT_TRUE((*worker)
                  ->RegisterAsync("later",
                                  [&](PendingJob job) {
                                    pending = std::move(job);
                                    begun.Notify();
                                  })
                  .ok());
  ASSERT_TRUE((*worker)->Start().ok());
  absl::StatusOr<RawConnection> server = listener.Accept();
  ASSERT_TRUE(server.ok()) << server.status();
  while (NextType(*server) != kGrabJobAll) ASSERT_FALSE(HasFailure());
  ASSERT_TRUE(server
                  ->Send(support::ResponsePacket(kJobAssignUniq,
                                                 {"H:x:1", "later", "u", ""}))
                  .ok());
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(support::kBound));
  ASSERT_TRUE(pending.SendData(std::string(kMuch, 'x')).ok());
  const absl::StatusOr<std::string> header = server->Receive(kHeader);
  ASSERT_TRUE(header.ok()) << header.status();
  ASSERT_EQ((*header)[7], kWorkData);
  // The rest does not fit into the kernel, and waits in the worker.
  pending.Finish("done");
  ASSERT_TRUE(server->Receive(std::string("H:x:1").size() + 1 + kMuch).ok());
  ASSERT_EQ(NextType(*server), kWorkComplete);
  EXPECT_EQ(NextType(*server), kGrabJobAll);
}

}  // namespace
}  // namespace gearman
