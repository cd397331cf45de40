#include "gearman/benchmarks/flood/neighbour.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace benchmarks {
namespace {

constexpr size_t kHeldBack = 10;

// A server that answers the first echoes all at once, when it has got the last
// of these, and the others one by one until the connection ends.
void AnswerLate(support::RawListener* listener) {
  absl::StatusOr<support::RawConnection> connection = listener->Accept();
  ASSERT_TRUE(connection.ok()) << connection.status();
  std::string held;
  for (size_t i = 0;; ++i) {
    const absl::StatusOr<std::string> packet = connection->ReceivePacket();
    if (!packet.ok()) return;
    held += support::ResponsePacket(17, {packet->substr(12)});
    if (i + 1 < kHeldBack) continue;
    ASSERT_TRUE(connection->Send(held).ok());
    held.clear();
  }
}

TEST(NeighbourTest, CountsFromTheTimeAtWhichAnEchoWasDue) {
  support::RawListener listener;
  std::thread server([&listener] { AnswerLate(&listener); });
  {
    Neighbour neighbour(listener.port());
    bool ended = false;
    const std::vector<Echo> echoes = neighbour.Run(
        absl::Milliseconds(100), support::kBound, [&ended] { ended = true; });
    EXPECT_TRUE(ended);
    EXPECT_FALSE(neighbour.closed());
    ASSERT_EQ(echoes.size(), 51u);
    for (size_t i = 0; i < echoes.size(); ++i) {
      EXPECT_TRUE(echoes[i].answered) << i;
      EXPECT_EQ(echoes[i].due - echoes[0].due, i * absl::Milliseconds(2)) << i;
    }
    // Each echo that was held back waited until the last of them was due: no
    // echo is left out, and none counts from when it was sent.
    for (size_t i = 0; i < kHeldBack; ++i) {
      EXPECT_GE(echoes[i].latency, (kHeldBack - 1 - i) * absl::Milliseconds(2))
          << i;
    }
  }
  server.join();
}

TEST(NeighbourTest, WaitsForAnswersNoLongerThanItsGrace) {
  support::RawListener listener;
  Neighbour neighbour(listener.port());
  const std::vector<Echo> echoes =
      neighbour.Run(absl::Milliseconds(4), absl::Milliseconds(20), [] {});
  ASSERT_EQ(echoes.size(), 3u);
  for (const Echo& echo : echoes) {
    EXPECT_FALSE(echo.answered);
    EXPECT_GE(echo.latency, absl::Milliseconds(20));
  }
}

TEST(NeighbourTest, SaysThatItsConnectionWasClosed) {
  support::RawListener listener;
  Neighbour neighbour(listener.port());
  absl::StatusOr<support::RawConnection> server = listener.Accept();
  ASSERT_TRUE(server.ok()) << server.status();
  server->Close();
  neighbour.Run(absl::Seconds(1), absl::ZeroDuration(), [] {});
  EXPECT_TRUE(neighbour.closed());
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman
