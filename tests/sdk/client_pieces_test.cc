// JobCallbacks::on_piece, with a server that the test plays.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::gearman::testing::PatternBytes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kLarge = 3 << 20;

// Puts the pieces of one request together.
class Collector {
 public:
  Callback<void(const JobRequest&, const DataPiece&)> callback() {
    return [this](const JobRequest&, const DataPiece& piece) {
      absl::MutexLock lock(&mutex_);
      if (piece.begins()) {
        payloads_.push_back(piece.kind == DataPiece::Kind::kResult ? "result "
                                                                   : "data ");
        begun_ = 0;
      }
      EXPECT_EQ(piece.offset, begun_);
      begun_ += piece.bytes.size();
      ++pieces_;
      payloads_.back().append(piece.bytes.data(), piece.bytes.size());
      if (piece.ends()) {
        EXPECT_EQ(begun_, piece.size);
        ++ended_;
      }
    };
  }
  std::vector<std::string> payloads() {
    absl::MutexLock lock(&mutex_);
    return payloads_;
  }
  int pieces() {
    absl::MutexLock lock(&mutex_);
    return pieces_;
  }
  int ended() {
    absl::MutexLock lock(&mutex_);
    return ended_;
  }
  void AwaitPieces(int count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [this, count] { return pieces_ >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), kLong));
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> payloads_;
  uint64_t begun_ = 0;
  int pieces_ = 0;
  int ended_ = 0;
};

class ClientPiecesTest : public ClientTest {
 protected:
  JobRequest Submit(Client& client, Collector* collector,
                    CallOptions options = {}) {
    options.callbacks.on_piece = collector->callback();
    return client.SubmitJob("f", "", std::move(options));
  }
  // Accepts the client's next job.
  void Accept(const std::string& handle) {
    if (server_ == nullptr) {
      server_ = std::make_unique<PlayedServer>(&listener_);
    }
    server_->ReceiveBody(kSubmitJob);
    server_->Send(kJobCreated, {handle});
  }

  std::unique_ptr<PlayedServer> server_;
};

TEST_F(ClientPiecesTest, DataAndResultComeInPieces) {
  const auto client = MakeClient();
  Collector collector;
  const JobRequest request = Submit(*client, &collector);
  Accept("H:1");
  server_->Send(kWorkData, {"H:1", PatternBytes(0, kLarge)});
  server_->Send(kWorkData, {"H:1", "small"});
  server_->Send(kWorkComplete, {"H:1", PatternBytes(5, kLarge)});
  ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  const std::vector<std::string> payloads = collector.payloads();
  ASSERT_EQ(payloads.size(), 3u);
  EXPECT_TRUE(payloads[0] == "data " + PatternBytes(0, kLarge));
  EXPECT_EQ(payloads[1], "data small");
  EXPECT_TRUE(payloads[2] == "result " + PatternBytes(5, kLarge));
  EXPECT_GT(collector.pieces(), 20);
  EXPECT_EQ(collector.ended(), 3);
  EXPECT_EQ(request.result(), "");
  EXPECT_THAT(request.updates(), IsEmpty());
}

TEST_F(ClientPiecesTest, AnEmptyResultIsOneEmptyPiece) {
  const auto client = MakeClient();
  Collector collector;
  const JobRequest request = Submit(*client, &collector);
  Accept("H:1");
  server_->Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  EXPECT_THAT(collector.payloads(), ElementsAre("result "));
  EXPECT_EQ(collector.ended(), 1);
}

// A payload that comes in pieces has no limit by what the client may hold, nor
// by what it may have untaken.
TEST_F(ClientPiecesTest, OnlyTheLimitOfPacketsIsItsLimit) {
  ClientOptions options = Options();
  options.limits.max_memory_bytes = 300000;
  options.limits.max_update_bytes = 1000;
  options.limits.max_packet_bytes = kLarge + 100;
  const auto client = MakeClient(std::move(options));
  Collector collector;
  const JobRequest request = Submit(*client, &collector);
  Accept("H:1");
  server_->Send(kWorkData, {"H:1", PatternBytes(0, kLarge)});
  server_->Send(kWorkComplete, {"H:1", PatternBytes(0, kLarge)});
  ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  EXPECT_EQ(collector.ended(), 2);

  Collector other;
  const JobRequest larger = Submit(*client, &other);
  Accept("H:2");
  server_->Send(kWorkComplete, {"H:2", PatternBytes(0, kLarge + 200)});
  EXPECT_EQ(client->Wait(larger, kLong).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(other.pieces(), 0);
}

TEST_F(ClientPiecesTest, PiecesComeBeforeTheEndAndAsTheyArrive) {
  const auto client = MakeClient();
  Collector collector;
  absl::Notification completed;
  CallOptions options;
  options.callbacks.on_complete = [&](const JobRequest&) {
    EXPECT_EQ(collector.ended(), 1);
    completed.Notify();
  };
  const JobRequest request = Submit(*client, &collector, std::move(options));
  Accept("H:1");
  const std::string packet =
      support::ResponsePacket(kWorkComplete, {"H:1", PatternBytes(0, kLarge)});
  server_->SendBytes(packet.substr(0, 100000));
  collector.AwaitPieces(1);
  EXPECT_FALSE(completed.HasBeenNotified());
  server_->SendBytes(absl::string_view(packet).substr(100000));
  EXPECT_TRUE(completed.WaitForNotificationWithTimeout(kLong));
  EXPECT_TRUE(collector.payloads()[0] == "result " + PatternBytes(0, kLarge));
}

// The rest of the payload is dropped, and the connection goes on.
TEST_F(ClientPiecesTest, ARequestMayBeCancelledWithinAPayload) {
  const auto client = MakeClient();
  for (const uint32_t type : {kWorkComplete, kWorkData}) {
    Collector collector;
    const JobRequest request = Submit(*client, &collector);
    Accept(absl::StrCat("H:", type));
    const std::string packet = support::ResponsePacket(
        type, {absl::StrCat("H:", type), PatternBytes(0, kLarge)});
    server_->SendBytes(packet.substr(0, 100000));
    collector.AwaitPieces(1);
    request.Cancel();
    EXPECT_EQ(client->Wait(request, kLong).code(),
              absl::StatusCode::kCancelled);
    server_->SendBytes(absl::string_view(packet).substr(100000));
    EXPECT_EQ(collector.ended(), 0);
  }
  const JobRequest next = client->SubmitJob("f", "");
  Accept("H:next");
  server_->Send(kWorkComplete, {"H:next", "well"});
  ASSERT_TRUE(client->Wait(next, kLong).ok()) << next.status();
  EXPECT_EQ(next.result(), "well");
}

TEST_F(ClientPiecesTest, AnotherAttemptBeginsAnew) {
  const auto client = MakeClient();
  Collector collector;
  CallOptions options;
  options.idempotent = true;
  const JobRequest request = Submit(*client, &collector, std::move(options));
  Accept("H:1");
  const std::string result = PatternBytes(0, kLarge);
  const std::string packet =
      support::ResponsePacket(kWorkComplete, {"H:1", result});
  server_->SendBytes(packet.substr(0, 100000));
  collector.AwaitPieces(1);
  server_ = nullptr;
  Accept("H:1");
  server_->SendBytes(packet);
  ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  const std::vector<std::string> payloads = collector.payloads();
  ASSERT_EQ(payloads.size(), 2u);
  EXPECT_TRUE(payloads[1] == "result " + result);
  EXPECT_EQ(collector.ended(), 1);
}

// A server that joins two submissions sends each packet twice.
TEST_F(ClientPiecesTest, JobsThatTheServerHasJoinedGetTheWhole) {
  const auto client = MakeClient();
  Collector first;
  Collector second;
  CallOptions options;
  options.unique = "u";
  const JobRequest one = Submit(*client, &first, options);
  Accept("H:1");
  const JobRequest two = Submit(*client, &second, options);
  Accept("H:1");
  for (int copy = 0; copy < 2; ++copy) {
    server_->Send(kWorkData, {"H:1", PatternBytes(0, kLarge)});
  }
  for (int copy = 0; copy < 2; ++copy) {
    server_->Send(kWorkComplete, {"H:1", PatternBytes(1, kLarge)});
  }
  for (const JobRequest& request : {one, two}) {
    ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  }
  for (Collector* const collector : {&first, &second}) {
    const std::vector<std::string> payloads = collector->payloads();
    ASSERT_EQ(payloads.size(), 2u);
    EXPECT_TRUE(payloads[0] == "data " + PatternBytes(0, kLarge));
    EXPECT_TRUE(payloads[1] == "result " + PatternBytes(1, kLarge));
    EXPECT_EQ(collector->pieces(), 2);
  }
}

// Nothing remains of two joined jobs when they have ended.
TEST_F(ClientPiecesTest, ANewJobIsSubmittedAfterOneThatWasJoined) {
  const auto client = MakeClient();
  Collector collector;
  CallOptions options;
  options.unique = "u";
  const JobRequest pieces = Submit(*client, &collector, options);
  Accept("H:1");
  JobRequest whole = client->SubmitJob("f", "", options);
  Accept("H:1");
  for (int copy = 0; copy < 2; ++copy) {
    server_->Send(kWorkComplete, {"H:1", "one"});
  }
  for (const JobRequest& request : {pieces, whole}) {
    ASSERT_TRUE(client->Wait(request, kLong).ok()) << request.status();
  }
  whole = client->SubmitJob("f", "", options);
  Accept("H:2");
  server_->Send(kWorkComplete, {"H:2", "two"});
  EXPECT_EQ(client->Result(whole, kLong).value_or(""), "two");
}

}  // namespace
}  // namespace gearman
