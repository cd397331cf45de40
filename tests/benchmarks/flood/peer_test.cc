#include "gearman/benchmarks/flood/peer.h"

#include <poll.h>

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace benchmarks {
namespace {

using support::ResponsePacket;

TEST(AnswerCounterTest, CountsPacketsListsAndLinesCutAtAnyByte) {
  // Three packets, one of them without a body, a list of two rows, two lines.
  const std::string bytes = absl::StrCat(
      ResponsePacket(8, {"H:host:1"}), "f\t1\t2\t3\n.x\t0\t0\t0\n.\n",
      ResponsePacket(10), ResponsePacket(19, {"QUEUE_ERROR", "full"}), "OK\r\n",
      "ERR CODE text\r\n");
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    AnswerCounter counter;
    counter.Take(absl::string_view(bytes).substr(0, cut));
    counter.Take(absl::string_view(bytes).substr(cut));
    EXPECT_EQ(counter.answers(), 6) << cut;
    EXPECT_EQ(counter.refusals(), 2) << cut;
  }
}

TEST(AnswerCounterTest, KeepsTheBodyOfTheLastPacket) {
  AnswerCounter counter;
  counter.Take(ResponsePacket(11, {"H:host:1", "f", "data"}));
  EXPECT_EQ(counter.last_body(), absl::string_view("H:host:1\0f\0data", 15));
}

TEST(PeerTest, SendsNoMoreThanItsWindowUntilItIsAnswered) {
  support::RawListener listener;
  Peer peer(listener.port());
  absl::StatusOr<support::RawConnection> server = listener.Accept();
  ASSERT_TRUE(server.ok()) << server.status();

  Repetition repetition;
  repetition.batch = "version\n";
  repetition.window = 3;
  repetition.limit = 5;
  repetition.answered = [&peer] { return peer.answers(); };
  peer.Repeat(std::move(repetition));
  const absl::Time deadline = absl::Now() + support::kBound;
  const auto receive_lines = [&](size_t count) {
    std::string bytes;
    Drive(
        {&peer},
        [&] {
          while (bytes.size() < 8 * count &&
                 server->Readable(absl::ZeroDuration())) {
            bytes += *server->Receive(8);
          }
          return bytes.size() >= 8 * count;
        },
        deadline);
    EXPECT_EQ(bytes.size(), 8 * count);
  };

  receive_lines(3);
  // Nothing goes on: the window is full.
  EXPECT_EQ(peer.events() & POLLOUT, 0);
  EXPECT_FALSE(peer.exhausted());
  ASSERT_TRUE(server->Send("OK 1\nOK 1\n").ok());
  receive_lines(2);
  ASSERT_TRUE(server->Send("OK 1\nOK 1\nOK 1\n").ok());
  const auto done = [&] { return peer.exhausted(); };
  EXPECT_TRUE(Drive({&peer}, done, deadline));
  EXPECT_EQ(peer.events() & POLLOUT, 0);
}

TEST(PeerTest, SeesThatTheServerHasClosed) {
  support::RawListener listener;
  Peer peer(listener.port());
  absl::StatusOr<support::RawConnection> server = listener.Accept();
  ASSERT_TRUE(server.ok()) << server.status();
  server->Close();
  EXPECT_TRUE(Drive(
      {&peer}, [&] { return peer.closed(); }, absl::Now() + support::kBound));
  EXPECT_EQ(peer.descriptor(), -1);
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman
