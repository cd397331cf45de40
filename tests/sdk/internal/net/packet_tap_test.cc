#include "gearman/sdk/internal/net/packet_tap.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/support/raw_packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using support::RequestPacket;
using support::ResponsePacket;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PacketTapTest : public ::testing::Test {
 protected:
  std::unique_ptr<PacketTap> MakeTap(size_t payload_bytes = 0) {
    return PacketTap::Create(&metrics_,
                             Logger(LogLevel::kDebug,
                                    [this](LogLevel, absl::string_view line) {
                                      lines_.emplace_back(line);
                                    })
                                 .WithPayloads(payload_bytes),
                             "tcp://jobs:4730");
  }
  void Send(PacketTap& tap, absl::string_view bytes) {
    tap.OnSent({&bytes, 1}, bytes.size());
  }
  double Value(absl::string_view family,
               std::vector<absl::string_view> labels) {
    const MetricsSnapshot snapshot = metrics_.Snapshot(absl::UnixEpoch());
    const MetricFamily* const found = snapshot.Find(family);
    if (found == nullptr) return 0;
    const MetricSample* const sample = found->Find(labels);
    return sample == nullptr ? 0 : sample->value;
  }
  double Packets(absl::string_view direction, absl::string_view type) {
    return Value("gearman_protocol_packets_total", {direction, type});
  }

  Metrics metrics_{MetricsOptions()};
  std::vector<std::string> lines_;
};

TEST_F(PacketTapTest, IsNotThereWhenNobodyWouldHear) {
  EXPECT_EQ(PacketTap::Create(nullptr, Logger(), "s"), nullptr);
  EXPECT_EQ(PacketTap::Create(nullptr,
                              Logger(LogLevel::kInfo, [](auto, auto) {}), "s"),
            nullptr);
  EXPECT_NE(PacketTap::Create(&metrics_, Logger(), "s"), nullptr);
}

TEST_F(PacketTapTest, LogsEachPacketByDirectionNameArgumentsAndSize) {
  const auto tap = MakeTap();
  Send(*tap, RequestPacket(7, {"resize", "7f3a", "secret"}));
  tap->OnReceived(ResponsePacket(8, {"H:jobs:7"}) +
                  ResponsePacket(12, {"H:jobs:7", "1", "2"}) +
                  ResponsePacket(13, {"H:jobs:7", "secret"}));
  Send(*tap, RequestPacket(4));
  EXPECT_THAT(
      lines_,
      ElementsAre(
          "sent SUBMIT_JOB to tcp://jobs:4730: function \"resize\", unique "
          "\"7f3a\", 30 bytes",
          "received JOB_CREATED from tcp://jobs:4730: handle \"H:jobs:7\", 20 "
          "bytes",
          "received WORK_STATUS from tcp://jobs:4730: handle \"H:jobs:7\", "
          "numerator \"1\", denominator \"2\", 24 bytes",
          "received WORK_COMPLETE from tcp://jobs:4730: handle \"H:jobs:7\", "
          "27 bytes",
          "sent PRE_SLEEP to tcp://jobs:4730: 12 bytes"));
}

TEST_F(PacketTapTest, ShowsPayloadsEscapedAndCutWhenAskedTo) {
  const auto tap = MakeTap(/*payload_bytes=*/4);
  Send(*tap, RequestPacket(7, {"f", "u", "a\nbcdef"}) +
                 RequestPacket(13, {"H:1", "abcd"}));
  EXPECT_THAT(lines_,
              ElementsAre("sent SUBMIT_JOB to tcp://jobs:4730: function \"f\", "
                          "unique \"u\", data \"a\\x0abc\"..., 23 bytes",
                          "sent WORK_COMPLETE to tcp://jobs:4730: handle "
                          "\"H:1\", data \"abcd\", 20 bytes"));
}

TEST_F(PacketTapTest, ShowsTheServersWordsOfAnError) {
  const auto tap = MakeTap();
  tap->OnReceived(ResponsePacket(19, {"QUEUE_FULL", "no\nroom"}));
  EXPECT_THAT(lines_, ElementsAre("received ERROR from tcp://jobs:4730: code "
                                  "\"QUEUE_FULL\", text \"no\\x0aroom\", 30 "
                                  "bytes"));
  EXPECT_EQ(Value("gearman_protocol_errors_total", {"QUEUE_FULL"}), 1);
}

TEST_F(PacketTapTest, SeesTheSameInWhateverPieces) {
  const std::string stream =
      ResponsePacket(8, {"H:jobs:7"}) + ResponsePacket(10) +
      ResponsePacket(28, {"H:jobs:7", std::string(1000, 'x')}) +
      ResponsePacket(19, {"CODE", "text"}) +
      ResponsePacket(13, {"H:jobs:7", "secret"});
  MakeTap(/*payload_bytes=*/3)->OnReceived(stream);
  const std::vector<std::string> whole = std::move(lines_);
  ASSERT_EQ(whole.size(), 5u);
  for (size_t size = 1; size < 40; ++size) {
    lines_.clear();
    const auto tap = MakeTap(/*payload_bytes=*/3);
    for (size_t i = 0; i < stream.size(); i += size) {
      tap->OnReceived(absl::string_view(stream).substr(i, size));
    }
    EXPECT_EQ(lines_, whole) << "in pieces of " << size;
  }
  EXPECT_EQ(Packets("received", "JOB_CREATED"), 40);
  EXPECT_EQ(Value("gearman_protocol_errors_total", {"CODE"}), 40);
}

TEST_F(PacketTapTest, TakesOnlyWhatHasBeenWrittenForSent) {
  const auto tap = MakeTap();
  const std::string first = RequestPacket(7, {"f", "u", ""});
  const std::string second = RequestPacket(16, {"echo"});
  const std::vector<absl::string_view> pieces = {first, second};
  tap->OnSent(pieces, first.size() + 3);
  EXPECT_EQ(Packets("sent", "SUBMIT_JOB"), 1);
  EXPECT_EQ(Packets("sent", "ECHO_REQ"), 0);
  Send(*tap, absl::string_view(second).substr(3));
  EXPECT_EQ(Packets("sent", "ECHO_REQ"), 1);
}

TEST_F(PacketTapTest, CutsLongNamesAndSkipsLargeBodies) {
  const auto tap = MakeTap();
  const std::string name(1000, 'n');
  Send(*tap, RequestPacket(7, {name, "u", std::string(100000, 'x')}));
  EXPECT_THAT(lines_,
              ElementsAre(absl::StrCat(
                  "sent SUBMIT_JOB to tcp://jobs:4730: function \"",
                  name.substr(0, 256), "\"..., unique \"u\", 101015 bytes")));
}

TEST_F(PacketTapTest, LooksNoMoreAtAStreamThatIsBroken) {
  const auto tap = MakeTap();
  tap->OnReceived("this is no packet" + ResponsePacket(10));
  tap->OnReceived(ResponsePacket(10));
  EXPECT_THAT(lines_, IsEmpty());
  EXPECT_EQ(Packets("received", "NO_JOB"), 0);
  // A number that is no packet's is counted, not shown.
  Send(*tap, RequestPacket(77, {"x"}));
  EXPECT_THAT(lines_, IsEmpty());
  EXPECT_EQ(Packets("sent", "UNKNOWN"), 1);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
