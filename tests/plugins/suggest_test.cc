#include "gearman/plugins/suggest.h"

#include <string>

#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(ClosestName, FindsWhatWasMistyped) {
  EXPECT_EQ(ClosestName("imediate", {"none", "immediate"}), "immediate");
  EXPECT_EQ(ClosestName("immedaite", {"none", "immediate"}), "immediate");
  EXPECT_EQ(ClosestName("servers_", {"servers", "timeouts"}), "servers");
}

TEST(ClosestName, DoesNotMindCaseAndSeparators) {
  EXPECT_EQ(ClosestName("maxPacketBytes", {"max_packet_bytes"}),
            "max_packet_bytes");
  EXPECT_EQ(ClosestName("Round-Robin", {"random", "round_robin"}),
            "round_robin");
}

TEST(ClosestName, PrefersWhatBeginsTheSame) {
  EXPECT_EQ(ClosestName("retries", {"metrics", "retry"}), "retry");
}

TEST(ClosestName, FindsWhatHasWordsMoreOrFewer) {
  EXPECT_EQ(
      ClosestName("exponential", {"none", "immediate", "exponential_backoff"}),
      "exponential_backoff");
  EXPECT_EQ(ClosestName("packetBytes", {"max_packet_bytes", "when_full"}),
            "max_packet_bytes");
  EXPECT_EQ(ClosestName("retry_policy", {"requests", "retry"}), "retry");
  EXPECT_EQ(ClosestName("max_output",
                        {"max_output_bytes", "max_output_bytes_in_all"}),
            "max_output_bytes");
  // Too little to tell.
  EXPECT_EQ(ClosestName("ex", {"exponential_backoff"}), "");
}

TEST(ClosestName, FindsNothingWhenNothingIsNear) {
  EXPECT_EQ(ClosestName("exponential_backoff", {"none", "immediate"}), "");
  EXPECT_EQ(ClosestName("", {"none"}), "");
  EXPECT_EQ(ClosestName("none", {}), "");
  EXPECT_EQ(ClosestName(std::string(1 << 20, 'x'), {"none"}), "");
}

TEST(Suggest, ListsWhatIsKnownInOrder) {
  EXPECT_EQ(Suggest("nome", {"none", "immediate"}),
            "did you mean \"none\"? Known: immediate, none");
  EXPECT_EQ(Suggest("budget", {"none", "immediate"}), "Known: immediate, none");
}

}  // namespace
}  // namespace gearman
