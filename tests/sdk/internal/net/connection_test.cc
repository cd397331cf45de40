#include "gearman/sdk/internal/net/connection.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/outgoing_body.h"
#include "gearman/tests/support/body_sources.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::gearman::testing::PatternSource;
using ::testing::HasSubstr;
using Decoder = wire::Decoder<wire::ToClient>;

// The bytes that have left through a transport.
struct Written {
  uint64_t bytes = 0;
  int calls = 0;
  // The transport takes so many bytes, and then blocks.
  uint64_t room = UINT64_MAX;
};

class SinkTransport final : public Transport {
 public:
  explicit SinkTransport(Written* written) : written_(*written) {}

  IoResult Connect() override { return IoResult::Done(0); }
  IoResult Read(absl::Span<char>) override { return IoResult::WouldBlock(); }
  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    uint64_t bytes = 0;
    for (const absl::string_view piece : pieces) bytes += piece.size();
    bytes = std::min(bytes, written_.room);
    if (bytes == 0) return IoResult::WouldBlock();
    ++written_.calls;
    written_.room -= bytes;
    written_.bytes += bytes;
    return IoResult::Done(static_cast<size_t>(bytes));
  }
  Interest interest(bool want_write) const override {
    Interest interest;
    interest.ready_now = want_write;
    return interest;
  }
  void Close() override {}
  std::string Describe() const override { return "sink"; }

 private:
  Written& written_;
};

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest()
      : poller_(*EpollPoller::Create()),
        connection_(std::make_unique<SinkTransport>(&written_), poller_.get(),
                    /*key=*/1, {}, {}) {
    EXPECT_TRUE(connection_.Connect().ok());
  }

  void AppendBody(uint64_t size) {
    connection_.output().AppendWithBody(
        "head", std::make_shared<wire::OutgoingBody>(
                    std::make_shared<PatternSource>(size), "the data"));
  }
  // True if the poller says at once that the connection may go on.
  bool GoesOn() {
    EXPECT_TRUE(connection_.UpdateInterest().ok());
    std::vector<Poller::Key> ready;
    poller_->Wait(absl::InfinitePast(), &ready);
    return !ready.empty();
  }

  Written written_;
  std::unique_ptr<EpollPoller> poller_;
  Connection<Decoder> connection_;
};

// A peer that takes everything at once must not keep the others from their
// turn.
TEST_F(ConnectionTest, OneFlushWritesAPartOfABody) {
  constexpr uint64_t kSize = 10 << 20;
  AppendBody(kSize);
  connection_.output().Append("behind");
  int flushes = 0;
  uint64_t before = 0;
  while (!connection_.output().empty()) {
    ASSERT_TRUE(GoesOn());
    ASSERT_TRUE(connection_.Flush().ok());
    EXPECT_LE(written_.bytes - before, 3u << 19);
    EXPECT_GT(written_.bytes, before);
    before = written_.bytes;
    ++flushes;
  }
  EXPECT_GE(flushes, 5);
  EXPECT_FALSE(GoesOn());
  EXPECT_EQ(written_.bytes, kSize + 10);
  EXPECT_LE(written_.calls, static_cast<int>(kSize / (256 << 10)) + 2);
}

TEST_F(ConnectionTest, ABodyIsReadOnlyAsItIsWritten) {
  AppendBody(10 << 20);
  written_.room = 5000;
  ASSERT_TRUE(connection_.Flush().ok());
  EXPECT_EQ(written_.bytes, 5000u);
  EXPECT_TRUE(connection_.TakeProgress());
  const uint64_t unread = connection_.output().unread();
  EXPECT_EQ(unread, (10u << 20) - wire::OutgoingBody::kPartBytes);
  ASSERT_TRUE(connection_.Flush().ok());
  EXPECT_EQ(connection_.output().unread(), unread);
  EXPECT_FALSE(connection_.TakeProgress());
}

TEST_F(ConnectionTest, ABodyOfTheLargestPacketPasses) {
  // The largest is far beyond what 32 bits of a size count with a head, and
  // twice that beyond what an int counts.
  constexpr uint64_t kSize = UINT32_MAX - uint64_t{4};
  connection_.output().AppendWithBody(
      "head", std::make_shared<wire::OutgoingBody>(
                  std::make_shared<gearman::testing::FunctionSource>(
                      kSize, [](uint64_t,
                                absl::Span<char> into) { return into.size(); }),
                  "the data"));
  while (!connection_.output().empty()) ASSERT_TRUE(connection_.Flush().ok());
  EXPECT_EQ(written_.bytes, kSize + 4);
  EXPECT_EQ(connection_.output().total_consumed(), kSize + 4);
}

TEST_F(ConnectionTest, AFailedSourceEndsTheConnectionAndIsNamed) {
  connection_.output().AppendWithBody(
      "head", std::make_shared<wire::OutgoingBody>(
                  std::make_shared<gearman::testing::FunctionSource>(
                      100,
                      [](uint64_t, absl::Span<char>) -> absl::StatusOr<size_t> {
                        return absl::NotFoundError("no disk");
                      }),
                  "the data"));
  const absl::Status status = connection_.Flush();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("sink: closed by this side in the middle of a packet, "
                        "because the data could not be read from its source: 0 "
                        "of 100 bytes, then no disk"));
  EXPECT_TRUE(connection_.body_failed());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
