// Payloads that are too large, against a real gearmand, which has no limit of
// its own: each ends its own job, and everybody else's go on.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/integration/running_worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kLimit = 4096;

class SizesGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ok()); }
  std::unique_ptr<Client> MakeClient(size_t max_packet_bytes) {
    ClientOptions options;
    options.servers = {server_.address()};
    options.transports = TcpOnly();
    options.limits.max_packet_bytes = max_packet_bytes;
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  static WorkerOptions Limited() {
    WorkerOptions options;
    options.limits.max_packet_bytes = kLimit;
    return options;
  }

  support::GearmandProcess server_;
};

TEST_F(SizesGearmandTest, APoisonJobEndsOnceAndItsNeighboursAreDone) {
  RunningWorker worker({server_.address()}, Limited());
  absl::Notification poisoned;
  // The slow job runs, on the same connection, while the poison job comes.
  ASSERT_TRUE(
      worker
          ->RegisterAsync("slow",
                          [&poisoned](PendingJob job) {
                            std::thread([&poisoned,
                                         pending = std::move(job)]() mutable {
                              poisoned.WaitForNotification();
                              pending.Finish(std::string("slow"));
                            }).detach();
                          })
          .ok());
  ASSERT_TRUE(
      worker
          ->Register("count",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       return absl::StrCat(context.job().data().size());
                     })
          .ok());
  worker.Start();
  const auto client = MakeClient(1 << 20);
  const JobRequest slow = client->SubmitJob("slow", "");
  std::vector<JobRequest> good;
  std::vector<JobRequest> poison;
  for (int i = 0; i < 100; ++i) {
    good.push_back(client->SubmitJob("count", "data"));
    if (i % 10 == 0) {
      poison.push_back(client->SubmitJob("count", std::string(5000, 'x')));
    }
  }
  for (const JobRequest& request : poison) {
    const absl::Status status = client->Wait(request, kLong);
    EXPECT_EQ(request.state(), JobState::kFailed) << status;
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr("4096 bytes (max_packet_bytes)"), HasSubstr("50")));
  }
  poisoned.Notify();
  for (const JobRequest& request : good) {
    ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
    EXPECT_EQ(request.result(), "4");
  }
  EXPECT_TRUE(client->Wait(slow, kLong).ok()) << slow.status();
  EXPECT_EQ(worker->stats().connections_lost, 0u);
  EXPECT_EQ(worker->stats().jobs_assigned, 111u);
}

TEST_F(SizesGearmandTest, AResultThatIsTooLargeForItsClientEndsItsJobOnly) {
  RunningWorker worker({server_.address()});
  ASSERT_TRUE(
      worker
          ->Register("repeat",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       const absl::string_view data = context.job().data();
                       return std::string(data == "large" ? 50000 : 5, 'x');
                     })
          .ok());
  const auto client = MakeClient(kLimit);
  const JobRequest large = client->SubmitJob("repeat", "large");
  const JobRequest small = client->SubmitJob("repeat", "small");
  worker.Start();
  EXPECT_EQ(client->Wait(large, kLong).code(),
            absl::StatusCode::kResourceExhausted)
      << large.status();
  EXPECT_THAT(std::string(large.status().message()),
              AllOf(HasSubstr("WORK_COMPLETE packet of 500"),
                    HasSubstr("larger than 4096 bytes (max_packet_bytes)")));
  ASSERT_TRUE(client->Wait(small, kLong).ok()) << small.status();
  EXPECT_EQ(small.result(), "xxxxx");
  EXPECT_EQ(small.connection_attempts(), 1);
}

// More than a packet may have by default, both ways, and no side but gearmand
// holds it when it sends it.
TEST_F(SizesGearmandTest, BodiesFromSourcesPassBothWays) {
  constexpr size_t kSize = (size_t{64} << 20) + 5;
  WorkerOptions options;
  options.limits.max_packet_bytes = size_t{80} << 20;
  options.limits.max_memory_bytes = 0;
  RunningWorker worker({server_.address()}, options);
  ASSERT_TRUE(worker->Register("mirror", gearman::testing::MirrorBody).ok());
  worker.Start();
  ClientOptions client_options;
  client_options.servers = {server_.address()};
  client_options.transports = TcpOnly();
  client_options.limits.max_packet_bytes = size_t{80} << 20;
  client_options.limits.max_memory_bytes = 0;
  const auto client = Client::Create(std::move(client_options));
  ASSERT_TRUE(client.ok()) << client.status();
  JobSpec spec("mirror", "");
  spec.body = std::make_shared<gearman::testing::PatternSource>(kSize);
  uint64_t received = 0;
  int pieces = 0;
  bool same = true;
  spec.options.callbacks.on_piece = [&](const JobRequest&,
                                        const DataPiece& piece) {
    same = same && piece.offset == received && piece.size == kSize &&
           piece.bytes ==
               gearman::testing::PatternBytes(received, piece.bytes.size());
    received += piece.bytes.size();
    ++pieces;
  };
  const absl::Status status =
      (*client)->Wait((*client)->SubmitJob(std::move(spec)), kLong);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(same);
  EXPECT_EQ(received, kSize);
  EXPECT_GT(pieces, 100);
}

}  // namespace
}  // namespace gearman
