#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/passive_timer.h"
#include "gearman/transports/inproc/pipe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Poller::Key kListener = 1;
constexpr Poller::Key kClient = 2;
constexpr Poller::Key kServer = 3;

class InprocTest : public ::testing::Test {
 protected:
  InprocTest() {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    EXPECT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
  }
  void Listen(size_t pipe_bytes = 1 << 20) {
    InprocListenOptions options;
    options.pipe_bytes = pipe_bytes;
    auto listener = network_.Listen("jobs", poller_.get(), kListener, options);
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  void Connect() {
    auto client = network_.Connect("jobs", poller_.get(), kClient);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    auto server = listener_->Accept(poller_.get(), kServer);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ASSERT_NE(server_, nullptr);
    EXPECT_TRUE(client_->Connect().done());
  }
  std::vector<Poller::Key> Ready() {
    std::vector<Poller::Key> ready;
    poller_->Wait(absl::InfinitePast(), &ready);
    return ready;
  }
  static IoResult Write(Transport& to, absl::string_view bytes) {
    const std::array<absl::string_view, 1> pieces{bytes};
    return to.Write(pieces);
  }
  static std::string Read(Transport& from) {
    char buffer[100];
    const IoResult result = from.Read(absl::MakeSpan(buffer));
    if (result.closed()) return "closed";
    if (result.would_block()) return "nothing";
    return std::string(buffer, result.bytes);
  }

  InprocNetwork network_;
  std::unique_ptr<EpollPoller> poller_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Transport> client_;
  std::unique_ptr<Transport> server_;
};

class CountingTask final : public DeferredTask {
 public:
  void Run() override { ++runs; }
  int runs = 0;
};

// A passive listener that has left work for later sets its timer. A peer that
// only writes, and finds no room, must run it, too.
TEST_F(InprocTest, AStreamWithoutRoomPumpsAPassiveListenerWhoseTimerIsDue) {
  InprocListenOptions options;
  options.pipe_bytes = 4;
  const auto pump = std::make_shared<CountingTask>();
  options.pump = pump;
  options.timer = std::make_shared<PassiveTimer>();
  const auto timer = options.timer;
  auto listener = network_.Listen("jobs", poller_.get(), kListener, options);
  ASSERT_TRUE(listener.ok()) << listener.status();
  listener_ = *std::move(listener);
  Connect();
  while (Write(*client_, "full").done()) {
  }
  poller_->RunDeferred();
  const int before = pump->runs;
  EXPECT_TRUE(Write(*client_, "more").would_block());
  poller_->RunDeferred();
  EXPECT_EQ(pump->runs, before);
  timer->Set(absl::InfinitePast());
  EXPECT_TRUE(Write(*client_, "more").would_block());
  poller_->RunDeferred();
  EXPECT_EQ(pump->runs, before + 1);
}

TEST_F(InprocTest, CarriesBytesBothWaysAndWakesTheReader) {
  Listen();
  Connect();
  Ready();
  const std::array<absl::string_view, 3> pieces{"ab", "", "c"};
  EXPECT_EQ(client_->Write(pieces).bytes, 3u);
  EXPECT_THAT(Ready(), ElementsAre(kServer));
  EXPECT_EQ(Read(*server_), "abc");
  EXPECT_EQ(Read(*server_), "nothing");
  EXPECT_TRUE(Write(*server_, "d").done());
  EXPECT_THAT(Ready(), ElementsAre(kClient));
  EXPECT_EQ(Read(*client_), "d");
}

TEST_F(InprocTest, AFullPipeBlocksUntilThereIsRoom) {
  Listen(/*pipe_bytes=*/4);
  Connect();
  EXPECT_EQ(Write(*client_, "abcdef").bytes, 4u);
  EXPECT_TRUE(Write(*client_, "ef").would_block());
  Ready();
  EXPECT_EQ(Read(*server_), "abcd");
  EXPECT_THAT(Ready(), ElementsAre(kClient));
  EXPECT_EQ(Write(*client_, "ef").bytes, 2u);
}

TEST_F(InprocTest, WhatWasWrittenBeforeTheEndIsStillRead) {
  Listen();
  Connect();
  EXPECT_TRUE(Write(*client_, "last words").done());
  Ready();
  client_->Close();
  EXPECT_THAT(Ready(), Contains(kServer));
  EXPECT_EQ(Read(*server_), "last words");
  EXPECT_EQ(Read(*server_), "closed");
  EXPECT_FALSE(Write(*server_, "nobody listens").done());
}

TEST_F(InprocTest, AStreamNobodyAcceptedEndsWithItsListener) {
  Listen();
  auto client = network_.Connect("jobs", poller_.get(), kClient);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_THAT(Ready(), ElementsAre(kListener));
  listener_ = nullptr;
  EXPECT_EQ(Read(**client), "closed");
}

TEST_F(InprocTest, ANameNobodyListensOnIsNotFoundWithThoseThereAre) {
  Listen();
  const absl::Status status =
      network_.Connect("job", poller_.get(), kClient).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("inproc://jobs"));
}

TEST_F(InprocTest, ANameIsTakenOnceAndGivenBack) {
  Listen();
  EXPECT_EQ(network_.Listen("jobs", poller_.get(), 9, {}).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(network_.Listen("", poller_.get(), 9, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(network_.names(), ElementsAre("jobs"));
  listener_ = nullptr;
  EXPECT_THAT(network_.names(), IsEmpty());
  Listen();
}

TEST_F(InprocTest, AFallbackStartsAServerWhenItIsFirstNeeded) {
  int starts = 0;
  network_.SetFallback("jobs", [this, &starts] {
    ++starts;
    Listen();
    return absl::OkStatus();
  });
  EXPECT_TRUE(network_.Connect("jobs", poller_.get(), kClient).ok());
  EXPECT_TRUE(network_.Connect("jobs", poller_.get(), kClient).ok());
  EXPECT_EQ(starts, 1);
}

TEST_F(InprocTest, APieceWakesItsReaderAndIsTakenWhole) {
  Listen(/*pipe_bytes=*/100);
  Connect();
  PieceStream* const to = client_->pieces();
  PieceStream* const from = server_->pieces();
  ASSERT_NE(to, nullptr);
  ASSERT_NE(from, nullptr);
  EXPECT_TRUE(poller_->Watch(kServer, server_->interest(false)).ok());
  EXPECT_THAT(Ready(), Not(Contains(kServer)));
  ASSERT_TRUE(to->CanGive());
  const std::string large(100 * Pipe::kMaxPieces, 'p');
  Piece given;
  given.owned = large;
  to->Give(std::move(given));
  EXPECT_THAT(Ready(), Contains(kServer));
  // The pipe is full, and has room again when the piece has been taken.
  EXPECT_FALSE(to->CanGive());
  EXPECT_TRUE(Write(*client_, "more").would_block());
  EXPECT_TRUE(poller_->Watch(kClient, client_->interest(true)).ok());
  Piece taken;
  ASSERT_TRUE(from->Take(large.size(), &taken));
  EXPECT_EQ(taken.owned, large);
  EXPECT_THAT(Ready(), Contains(kClient));
  EXPECT_TRUE(to->CanGive());
}

TEST_F(InprocTest, NoPieceGoesToAClosedStream) {
  Listen();
  Connect();
  PieceStream* const to = client_->pieces();
  server_->Close();
  EXPECT_FALSE(to->CanGive());
  Piece piece;
  piece.owned = "lost";
  to->Give(std::move(piece));
  EXPECT_TRUE(Write(*client_, "more").failed());
}

}  // namespace
}  // namespace gearman
